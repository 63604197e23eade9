<?php
// As ask.py.
require 'uploads.php';

function asked(string $kind, array $fields): array {
    if ($kind === 'receipt') {
        $claims = verify_receipt(...$fields);
        return [$claims['key'], json_encode($claims['seen']), $claims['context']['order']];
    }
    if ($kind === 'webhook') {
        [$id, $timestamp, $signature, $secret, $body] = $fields;
        $headers = ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signature];
        $event = verify_webhook($body, $headers, $secret);
        return [$event['event'], $event['claims']['key']];
    }
    [$function, $receipts, $secret, $session] = $fields;
    $told = commit($function, explode(',', $receipts), $secret);
    $states = array_map(fn(array $entry): string => $entry['state'] ?? $entry['error']['code'], $told);
    return [...$states, introspect($function, $session, $secret)['sub'] ?? 'inactive'];
}

while (($line = fgets(STDIN)) !== false) {
    [$kind, $fields] = [strtok($line, "\t"), array_slice(explode("\t", rtrim($line, "\n")), 1)];
    try {
        echo implode(' ', asked($kind, $fields)), "\n";
    } catch (FunctionError $error) {
        echo "$error->errorCode $error->requestId ", $error->getMessage(), "\n";
    } catch (Exception) {
        echo "refused\n";
    }
}
