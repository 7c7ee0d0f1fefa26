import { phpQuoted } from "./literals.js";

/** @param {import("../record.js").Evidence} call */
export const php = (call) => `<?php
// verify_callback.php: PHP 8 with the openssl extension.
declare(strict_types=1);

// The key is taken from here only: whoever calls you can name any URL. Keep the slash at the end.
const TRUSTED = ${phpQuoted(call.trusted)};

/**
 * $target: path and query as received ($_SERVER['REQUEST_URI']); $headers: names in lower case;
 * $body: file_get_contents('php://input').
 */
function is_genuine(string $target, array $headers, string $body): bool
{
    $keyUrl = (string) base64_decode($headers['x-oss-pub-key-url'] ?? '', true);
    if (!str_starts_with($keyUrl, TRUSTED)) {
        return false;
    }
    $signature = (string) base64_decode($headers['authorization'] ?? '', true);
    $key = file_get_contents($keyUrl); // keep it for a while in your service
    if ($key === false) {
        throw new RuntimeException("No key at $keyUrl");
    }
    $mark = strpos($target . '?', '?');
    $signed = rawurldecode(substr($target, 0, $mark)) . substr($target, $mark) . "\\n" . $body;
    return openssl_verify($signed, $signature, $key, OPENSSL_ALGO_MD5) === 1;
}

// ---- the callback of ${call.at} -------------------------------------------
$target = ${phpQuoted(call.target)};
$headers = [
    'x-oss-pub-key-url' => ${phpQuoted(call.keyUrlHeader)},
    'authorization' => ${phpQuoted(call.signature)},
];
$body = ${phpQuoted(call.body)};

$genuine = is_genuine($target, $headers, $body);
echo $genuine ? 'genuine' : 'NOT genuine', PHP_EOL;
exit($genuine ? 0 : 1);
`;
