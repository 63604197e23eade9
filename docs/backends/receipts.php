<?php

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
