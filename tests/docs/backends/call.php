<?php
// Commit receipts, then introspect a session: the state or code of each, and the subject; of an error its id.
require 'calls.php';

[, $function, $receipts, $secret, $session] = $argv;
try {
    $told = commit($function, explode(',', $receipts), $secret);
    $who = introspect($function, $session, $secret);
} catch (FunctionError $error) {
    echo "$error->errorCode $error->requestId ", $error->getMessage(), "\n";
    exit(1);
}
$states = array_map(fn(array $entry): string => $entry['state'] ?? $entry['error']['code'], $told);
echo implode(' ', [...$states, $who['sub'] ?? 'inactive']), "\n";
