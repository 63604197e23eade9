<?php
// For each line "id, timestamp, signature, secret, body" with tabs its event and key, or "refused".
require 'webhooks.php';

while (($line = fgets(STDIN)) !== false) {
    [$id, $timestamp, $signature, $secret, $body] = explode("\t", rtrim($line, "\n"));
    $headers = ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signature];
    try {
        $event = verify_webhook($body, $headers, $secret);
        echo $event['event'], ' ', $event['claims']['key'], "\n";
    } catch (Exception) {
        echo "refused\n";
    }
}
