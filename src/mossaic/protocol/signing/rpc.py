"""Signatures of RPC calls (STS): HMAC-SHA1 over sorted parameters, and ACS3-HMAC-SHA256 over a canonical request."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from mossaic.protocol.signing.request import base64_mac, enc, header_lines, mac, octets
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.protocol.signing.request import Pairs, SignedRequest

ACS3: Final = "ACS3-HMAC-SHA256"


def string_to_sign(method: str, parameters: Pairs) -> str:
    """RPC signature 1.0. `parameters`: all of the query and of a form body; `Signature` itself is left out."""
    pairs = sorted((enc(name), enc(value)) for name, value in parameters if name != "Signature")
    return f"{method}&{enc('/')}&{enc('&'.join(f'{name}={value}' for name, value in pairs))}"


def signature(secret: str, text: str) -> str:
    return base64_mac(secret + "&", text, "sha1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Acs3Claim:
    """What an ACS3 Authorization header says."""

    access_key_id: str
    signed_headers: tuple[str, ...]
    signature: str


def read_acs3(header: str) -> Acs3Claim | None:
    """None when the header is not of the form `ACS3-HMAC-SHA256 Credential=…,SignedHeaders=…,Signature=…`."""
    scheme, _, rest = header.partition(" ")
    pieces = (item.partition("=") for item in rest.split(","))
    items = {name.strip(): value.strip() for name, _, value in pieces}
    if scheme != ACS3 or items.keys() != {"Credential", "SignedHeaders", "Signature"}:
        return None
    return Acs3Claim(
        access_key_id=items["Credential"],
        signed_headers=tuple(items["SignedHeaders"].split(";")),
        signature=items["Signature"],
    )


def acs3_canonical_request(request: SignedRequest, path: str, signed: Sequence[str], body: bytes) -> str:
    """`signed` are the lower-case names as listed; those that the request lacks make the signature differ."""
    pairs = sorted((enc(name), enc(value)) for name, value in request.query)
    query = "&".join(f"{name}={value}" for name, value in pairs)
    lines = header_lines(request.headers, [name for name in signed if name in request.headers])
    digest = hashlib.sha256(body).hexdigest()
    return f"{request.method}\n{path}\n{query}\n{lines}\n{';'.join(signed)}\n{digest}"


def acs3_string_to_sign(canonical: str) -> str:
    return f"{ACS3}\n{hashlib.sha256(octets(canonical)).hexdigest()}"


def acs3_signature(secret: str, text: str) -> str:
    return mac(octets(secret), text, "sha256").hex()
