"""Which bucket and key a request names: (Host, raw path) → address, for every style official clients use.

Virtual hosted (`BUCKET.DOMAIN`), path style (`DOMAIN/BUCKET/KEY`, and IP endpoints), bound domains (cname). Sources: OSS API
"endpoints"; ali-oss with an IP endpoint overwrites Host with `BUCKET.REGION.aliyuncs.com` and, with `sldEnable`, puts the
bucket into the path as well, so that some requests have two readings: the one whose signature verifies is meant.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote, unquote_to_bytes

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_BUCKET_LABEL: Final = re.compile(r"[a-z0-9_][a-z0-9_-]{1,61}[a-z0-9_]")
_KEPT: Final = 256  # characters of a text that is worth remembering
_IPV4: Final = re.compile(r"\d{1,3}(\.\d{1,3}){3}")


class Address(NamedTuple):
    """What a request names. `bucket` None: the service; `key` None: the bucket. `base` is the Host without the bucket."""

    bucket: str | None = None
    key: str | None = None
    base: str = ""
    virtual: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Domains:
    """The names this service answers to. `bases`: service domains, lower case, `*` for one label (`oss-*.aliyuncs.com`);
    `cnames`: bound domain → bucket."""

    bases: tuple[str, ...] = ()
    cnames: Mapping[str, str] | None = None

    def split_host(self, host: str) -> tuple[str | None, str] | None:
        """(bucket or None, base domain); None when the host is none of ours. `host` is lower case, without port."""
        if self.cnames and host in self.cnames:
            return self.cnames[host], host
        if is_ip(host):
            return None, host
        # A client names the same host in every request. Long ones are not kept: a stranger could send many.
        return (_kept_split if len(host) <= _KEPT else _split_name)(self.bases, host)


def _split_name(bases: tuple[str, ...], host: str) -> tuple[str | None, str] | None:
    label, dot, rest = host.partition(".")
    is_bucket = bool(dot) and _BUCKET_LABEL.fullmatch(label) is not None
    # Named bases first: `x.localhost` is bucket x of `localhost`, not the service `*.localhost`.
    loose = tuple(base for base in bases if base.startswith("*."))
    for rank in (tuple(base for base in bases if base not in loose), loose):
        if any(_fits(base, host) for base in rank):
            return None, host
        if is_bucket and any(_fits(base, rest) for base in rank):
            return label, rest
    return None


_kept_split: Final = lru_cache(maxsize=4096)(_split_name)


def _fits(base: str, host: str) -> bool:
    wanted, labels = base.split("."), host.split(".")
    return len(wanted) == len(labels) and all(map(_label_fits, wanted, labels))


def _label_fits(wanted: str, label: str) -> bool:
    if "*" not in wanted:
        return wanted == label
    head, _, tail = wanted.partition("*")
    return len(label) > len(head) + len(tail) and label.startswith(head) and label.endswith(tail)


def is_ip(host: str) -> bool:
    return host.startswith("[") or _IPV4.fullmatch(host) is not None


def host_name(header: str) -> str:
    """The Host header without its port, lower case. `[::1]:9280` keeps its brackets."""
    return _host_name(header) if len(header) <= _KEPT else _read_host_name(header)


def _read_host_name(header: str) -> str:
    text = header.strip().lower()
    if text.startswith("["):
        return text[: text.find("]") + 1]
    return text.partition(":")[0]


_host_name: Final = lru_cache(maxsize=1024)(_read_host_name)


def decode_path(raw: str) -> str:
    """Percent-decode once; `+` stays a plus and `//`, `.`, `..` stay as they are. Bytes that are not UTF-8 become lone
    surrogates, which `model.names.object_key` refuses."""
    if "%" not in raw and raw.isascii():
        return raw
    return unquote_to_bytes(raw.encode("latin-1")).decode("utf-8", "surrogateescape")


def split(host_header: str, raw_path: str, domains: Domains) -> tuple[Address, ...]:
    """The readings of a request, the likeliest first; never empty. A host that is none of ours is read as path style."""
    host = host_name(host_header)
    decoded = decode_path(raw_path.removeprefix("/"))
    found = domains.split_host(host)
    in_path = _path_style(decoded, host)
    if found is None or found[0] is None:
        return (in_path,)
    bucket, base = found
    virtual = Address(bucket=bucket, key=decoded or None, base=base, virtual=True)
    if in_path.bucket == bucket:  # ali-oss, IP endpoint and sldEnable: Host and path both carry the bucket
        return (virtual, Address(bucket=bucket, key=in_path.key, base=base, virtual=True))
    return (virtual,)


def _path_style(decoded: str, base: str) -> Address:
    bucket, _, key = decoded.partition("/")
    return Address(bucket=bucket or None, key=key or None, base=base)


def parse_query(raw: str) -> tuple[tuple[str, str, bool], ...]:
    """(name, value, had "=") of each parameter in order, decoded: `+` is a space, as oss2 writes it."""
    if not raw:
        return ()
    found: list[tuple[str, str, bool]] = []
    for piece in raw.split("&"):
        if piece:
            name, equals, value = piece.partition("=")
            found.append((_decode_query(name), _decode_query(value), bool(equals)))
    return tuple(found)


def first_wins(raw_query: str) -> dict[str, str]:
    """The parameters, each name once, in the order of their first coming."""
    found: dict[str, str] = {}
    for name, value, _ in parse_query(raw_query):
        found.setdefault(name, value)
    return found


def _decode_query(text: str) -> str:
    if "%" not in text and "+" not in text and text.isascii():
        return text
    return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode("utf-8", "surrogateescape")


def copy_source(bucket: str, key: str, version_id: str | None = None) -> str:
    """`x-oss-copy-source`: `/bucket/key[?versionId=V]`, the key percent-encoded."""
    version = f"?versionId={quote(version_id, safe='')}" if version_id else ""
    return f"/{bucket}/{quote(key, safe='-_.~/')}{version}"


def object_url(endpoint: str, bucket: str, key: str) -> str:
    """Where an object is found: `scheme://BUCKET.HOST/KEY`, and path style where the host is an IP address.

    `endpoint` is `scheme://host[:port]` without the bucket.
    """
    scheme, _, host = endpoint.partition("://")
    path = quote(key, safe="-_.~/")
    if is_ip(host_name(host)):
        return f"{scheme}://{host}/{bucket}/{path}"
    return f"{scheme}://{bucket}.{host}/{path}"
