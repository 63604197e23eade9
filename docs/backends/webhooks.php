<?php

// $body: file_get_contents('php://input'); $headers: array_change_key_case(getallheaders())
function verify_webhook(string $body, array $headers, string $secret): array {
    ['webhook-id' => $id, 'webhook-timestamp' => $timestamp, 'webhook-signature' => $signatures] = $headers;
    if (abs(time() - (int) $timestamp) > 300) throw new Exception('too old or too new');
    $expected = 'v1,' . base64_encode(hash_hmac('sha256', "$id.$timestamp.$body", $secret, true));
    if (!array_filter(explode(' ', $signatures), fn(string $given): bool => hash_equals($expected, $given))) {
        throw new Exception('bad signature');
    }
    $event = json_decode($body, true);
    if (isset($event['receipt'])) {
        $event['claims'] = json_decode(base64_decode(strtr(explode('.', $event['receipt'])[1], '-_', '+/')), true);
    }
    return $event;
}
