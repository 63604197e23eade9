<?php
// For each line "receipt secret" of standard input the receipt's key, or "refused".
require 'receipts.php';

while (($line = fgets(STDIN)) !== false) {
    try {
        echo verify_receipt(...explode(' ', rtrim($line, "\n")))['key'], "\n";
    } catch (Exception) {
        echo "refused\n";
    }
}
