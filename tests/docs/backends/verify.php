<?php
// For each line "receipt secret" of standard input the receipt's key, seen and order, or "refused".
require 'receipts.php';

while (($line = fgets(STDIN)) !== false) {
    try {
        $claims = verify_receipt(...explode(' ', rtrim($line, "\n")));
        echo $claims['key'], ' ', json_encode($claims['seen']), ' ', $claims['context']['order'], "\n";
    } catch (Exception) {
        echo "refused\n";
    }
}
