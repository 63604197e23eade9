<?php

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
