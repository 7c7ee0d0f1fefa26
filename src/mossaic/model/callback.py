"""Upload callbacks: the parameters a client sends, the body made from its template, and which targets may be called.

Source: OSS API "Callback". Parameters are base64 of UTF-8 JSON, at most 5 KB each; up to five URLs are tried in order.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import json
import re
from dataclasses import field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from mossaic.protocol.errors import INVALID_ARGUMENT, OssError
from mossaic.protocol.limits import MAX_CALLBACK_PARAMETER, MAX_CALLBACK_URLS
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

FORM: Final = "application/x-www-form-urlencoded"
JSON: Final = "application/json"
_VARIABLE: Final = r"\$\{([A-Za-z0-9_.:-]+)\}"
_HOST: Final = r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One callback URL, taken apart. `path` and `query` are as written (query with its `?`, or empty)."""

    url: str
    secure: bool
    host: str
    port: int
    path: str
    query: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSpec:
    """What was asked for; `variables` have their `x:` prefix."""

    targets: tuple[Target, ...]
    body: str
    body_type: str = FORM
    host: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict[str, str])


def _refuse(name: str, value: str, message: str, ec: str | None = None) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ec=ec, ArgumentName=name, ArgumentValue=value)


def _decode(name: str, text: str, *, ec: str, json_ec: str) -> dict[str, Any]:  # Any: JSON
    if len(text) > MAX_CALLBACK_PARAMETER:
        raise _refuse(name, text[:64], f"The {name} parameter is longer than {MAX_CALLBACK_PARAMETER} bytes.")
    try:
        decoded = base64.b64decode(text, validate=True).decode()
    except (binascii.Error, ValueError):
        raise _refuse(name, text, f"The {name} parameter is not base64 of UTF-8 text.", ec) from None
    try:
        parsed = json.loads(decoded)
    except (ValueError, RecursionError):
        raise _refuse(name, decoded, f"The {name} parameter is not JSON.", json_ec) from None
    if not isinstance(parsed, dict):
        raise _refuse(name, decoded, f"The {name} parameter is not a JSON object.", json_ec)
    return parsed  # pyright: ignore[reportUnknownVariableType]  # JSON


def parse(callback: str | None, callback_var: str | None) -> CallbackSpec | None:
    """None when no callback is asked for. Raises OssError INVALID_ARGUMENT with ArgumentName, ArgumentValue and EC."""
    if not callback:
        return None
    asked = _decode("callback", callback, ec="0007-00000002", json_ec="0007-00000003")
    shown = json.dumps(asked, ensure_ascii=False)
    urls = asked.get("callbackUrl")
    body = asked.get("callbackBody")
    body_type = asked.get("callbackBodyType", FORM)
    host = asked.get("callbackHost")
    if not isinstance(urls, str) or not urls.strip():
        raise _refuse("callback", shown, "The callbackUrl is missing.", "0007-00000004")
    if not isinstance(body, str):
        raise _refuse("callback", shown, "The callbackBody is not a string.", "0007-00000011")
    if not body:
        raise _refuse("callback", shown, "The callbackBody is empty.", "0007-00000011")
    if not isinstance(body_type, str) or body_type.lower() not in (FORM, JSON):
        raise _refuse("callback", shown, "The callbackBodyType is neither a form nor JSON.")
    if host is not None and (not isinstance(host, str) or (host and not _is_host(host))):
        raise _refuse("callback", shown, "The callbackHost is not a host.")
    pieces = [piece.strip() for piece in urls.split(";") if piece.strip()]
    if len(pieces) > MAX_CALLBACK_URLS:
        raise _refuse("callback", shown, f"There are more than {MAX_CALLBACK_URLS} callback URLs.")
    return CallbackSpec(
        targets=tuple(_target(piece, shown) for piece in pieces),
        body=body,
        body_type=body_type.lower(),
        host=host or None,
        variables=_variables(callback_var),
    )


def _is_host(text: str) -> bool:
    """A name or address with an optional port; nothing that could end a header line."""
    name, colon, port = text.partition(":") if not text.startswith("[") else (text, "", "")
    return re.fullmatch(_HOST, name) is not None and (not colon or port.isdigit())


def _variables(text: str | None) -> dict[str, str]:
    if not text:
        return {}
    asked = _decode("callback-var", text, ec="0007-00000102", json_ec="0007-00000103")
    for name, value in asked.items():
        if not name.startswith("x:") or not isinstance(value, str):
            raise _refuse("callback-var", name, "Variables begin with x: and are strings.", "0007-00000103")
    return asked


def _target(url: str, shown: str) -> Target:
    bad = _refuse("callback", shown, "The callbackUrl is not an http or https URL.", "0007-00000004")
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise bad
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        raise bad from None
    host = parts.hostname or ""
    if parts.scheme not in ("http", "https") or parts.username is not None or not host or port == 0:
        raise bad
    if re.fullmatch(_HOST, f"[{host}]" if ":" in host else host) is None:
        raise bad
    secure = parts.scheme == "https"
    return Target(
        url=whole,
        secure=secure,
        host=host,
        port=port or (443 if secure else 80),
        path=_ascii(parts.path or "/"),
        query=_ascii(f"?{parts.query}" if parts.query else ""),
    )


def _ascii(text: str) -> str:
    """A path or query fit for a request line: what is already encoded stays as it is."""
    return quote(text, safe="%/?:@!$&'()*+,;=-._~#[]")


def fill(spec: CallbackSpec, values: Mapping[str, str | int]) -> bytes:
    """The callback's body. `values` are the system variables; unknown ones are empty.

    Form: each substituted value is URL-encoded. JSON: each becomes its JSON rendering, strings with their quotes, numbers bare;
    a template that already quotes the variable gets the escaped text only, so that both spellings give valid JSON.
    """
    known: dict[str, str | int] = {**values, **spec.variables}
    if spec.body_type == FORM:
        return re.sub(
            _VARIABLE, lambda match: quote(str(known.get(match[1], "")), safe=""), spec.body
        ).encode()

    def render(match: re.Match[str]) -> str:
        rendered = json.dumps(known.get(match[1], ""), ensure_ascii=False)
        before = spec.body[match.start() - 1 : match.start()]
        after = spec.body[match.end() : match.end() + 1]
        quoted = rendered.startswith('"') and before == '"' == after
        return rendered[1:-1] if quoted else rendered

    return re.sub(_VARIABLE, render, spec.body).encode()


def signed_text(target: Target, body: bytes) -> bytes:
    """What OSS signs: the decoded path, the query as it is, a line feed, the body."""
    return f"{unquote(target.path)}{target.query}\n".encode() + body


def may_call(address: str, *, allow_loopback: bool, allow_private: bool) -> bool:
    """Whether an IP address may be connected to: public ones; loopback and private ones only when they are allowed.

    Link-local (cloud metadata), multicast, unspecified and reserved addresses never are, and neither are IPv6 spellings of them.
    """
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        embedded = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo[1] if parsed.teredo else None)
        if embedded is None and parsed in ipaddress.ip_network("64:ff9b::/96"):
            embedded = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if embedded is not None:
            return may_call(str(embedded), allow_loopback=allow_loopback, allow_private=allow_private)
    if parsed.is_loopback:
        return allow_loopback
    if any(parsed.version == network.version and parsed in network for network in _NEVER):
        return False
    if parsed.is_multicast or parsed.is_link_local or parsed.is_unspecified or parsed.is_reserved:
        return False
    if parsed.is_global:
        return True
    return allow_private and _is_private(parsed)


_PRIVATE: Final = tuple(
    map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"))
)


# Special blocks that some Python versions take for global: protocol assignments (a cloud's metadata among them), relays,
# site-local, local NAT64, documentation, segment routing.
_NEVER: Final = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",
            "192.88.99.0/24",
            "fec0::/10",
            "64:ff9b:1::/48",
            "2001:db8::/32",
            "3fff::/20",
            "5f00::/16",
        ),
    )
)


def _is_private(parsed: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE)
