<?php
// Commit the receipts of the second argument at the function of the first: the state or code of each.
require 'commits.php';

[, $function, $receipts, $secret] = $argv;
$told = commit($function, explode(',', $receipts), $secret);
echo implode(' ', array_map(fn(array $entry): string => $entry['state'] ?? $entry['error']['code'], $told)), "\n";
