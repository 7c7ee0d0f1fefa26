import { quoted } from "./literals.js";

/** @param {import("../record.js").Evidence} call */
export const python = (call) => `# verify_callback.py: needs Python 3.9 or newer and "pip install cryptography".
import base64
import functools
import sys
import urllib.parse
import urllib.request

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

# The key is taken from here only: whoever calls you can name any URL. Keep the slash at the end.
TRUSTED = ${quoted(call.trusted)}


@functools.lru_cache(maxsize=4)
def public_key(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return serialization.load_pem_public_key(answer.read())


def is_genuine(target, headers, body):
    """target: path and query of the request line, as received; headers: names in lower case; body: bytes."""
    try:
        key_url = base64.b64decode(headers["x-oss-pub-key-url"]).decode()
        signature = base64.b64decode(headers["authorization"])
    except (KeyError, ValueError):
        return False
    if not key_url.startswith(TRUSTED):
        return False
    path, mark, query = target.partition("?")
    signed = urllib.parse.unquote_to_bytes(path) + (mark + query).encode() + b"\\n" + body
    try:
        public_key(key_url).verify(signature, signed, padding.PKCS1v15(), hashes.MD5())
    except InvalidSignature:
        return False
    return True


# ---- the callback of ${call.at} -------------------------------------------
target = ${quoted(call.target)}
headers = {
    "x-oss-pub-key-url": ${quoted(call.keyUrlHeader)},
    "authorization": ${quoted(call.signature)},
}
body = ${quoted(call.body)}.encode()

genuine = is_genuine(target, headers, body)
print("genuine" if genuine else "NOT genuine")
sys.exit(0 if genuine else 1)
`;
