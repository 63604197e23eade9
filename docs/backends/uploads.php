<?php

// What a backend needs: verify receipts and webhooks, call the function.

function verify_receipt(string $receipt, string $secret): array {
    $parts = explode('.', $receipt);
    if (count($parts) !== 3) throw new Exception('not a receipt');
    [$head, $body, $signature] = $parts;
    $expected = rtrim(strtr(base64_encode(hash_hmac('sha256', "$head.$body", $secret, true)), '+/', '-_'), '=');
    if (!hash_equals($expected, $signature)) throw new Exception('bad signature');
    $decode = fn(string $part): string => base64_decode(strtr($part, '-_', '+/'));
    $claims = json_decode($decode($body), true);
    if (json_decode($decode($head), true)['alg'] !== 'HS256') throw new Exception('wrong algorithm');
    if ($claims['aud'] !== 'oss-direct-upload/receipt' || $claims['exp'] <= time()) throw new Exception('not a receipt, or expired');
    return $claims;
}

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

class FunctionError extends Exception {
    public function __construct(string $message, public string $errorCode = '', public string $requestId = '') {
        parent::__construct($message);
    }
}

function call(string $function, string $route, array $body, string $secret): array {
    $encode = fn(string $text): string => rtrim(strtr(base64_encode($text), '+/', '-_'), '=');
    $claims = ['aud' => 'oss-direct-upload/backend', 'exp' => time() + 300];
    $text = $encode('{"alg":"HS256","typ":"JWT"}') . '.' . $encode(json_encode($claims));
    $token = $text . '.' . $encode(hash_hmac('sha256', $text, $secret, true));
    $request = ['http' => [
        'method' => 'POST',
        'header' => ["Authorization: Bearer $token", 'Content-Type: application/json'],
        'content' => json_encode($body),
        'timeout' => 15,
        'ignore_errors' => true,
    ]];
    $answer = file_get_contents("$function/$route", false, stream_context_create($request));
    if ($answer === false) throw new FunctionError("$route: no answer");
    $said = json_decode($answer, true) ?? [];
    if (explode(' ', $http_response_header[0])[1] !== '200') {
        ['message' => $message, 'code' => $code, 'requestId' => $id] = ($said['error'] ?? [])
            + ['message' => "$route: $http_response_header[0]", 'code' => '', 'requestId' => ''];
        throw new FunctionError($message, $code, $id);
    }
    return $said;
}

// For each receipt, in order, its state, or an error: repeat those later.
function commit(string $function, array $receipts, string $secret): array {
    return call($function, 'commit', ['receipts' => $receipts], $secret)['results'];
}

// Whose session it is: sub, owner, exp; or active: false.
function introspect(string $function, string $session, string $secret): array {
    return call($function, 'introspect', ['token' => $session], $secret);
}
