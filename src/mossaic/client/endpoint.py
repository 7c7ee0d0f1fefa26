"""Where requests go: an endpoint's text read into an origin, and the host and path that name a bucket and a key there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote, urlsplit

from mossaic.client.http import Origin
from mossaic.protocol.addressing import is_ip

if TYPE_CHECKING:
    from mossaic.client.options import Addressing

DEFAULT_REGION: Final = "cn-hangzhou"
_PORTS: Final = {True: 443, False: 80}
_OSS_HOST: Final = re.compile(r"(?:.*\.)?oss-(?P<region>[a-z0-9-]+?)(?:-internal)?\.aliyuncs\.com")
_REGIONLESS: Final = frozenset({"accelerate", "accelerate-overseas"})
_OWN: Final = "-"  # where a Mossaic has calls of its own; no bucket can be called so
_LABEL: Final = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The address of one request: whom to connect to, the Host header and the encoded path."""

    origin: Origin
    host: str
    path: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A service and how it is addressed. `region` is the one that V4 signatures are scoped to, without `oss-`."""

    origin: Origin
    addressing: Literal["virtual", "path", "cname"]
    region: str

    def __str__(self) -> str:
        return f"{'https' if self.origin.secure else 'http'}://{_authority(self.origin)}"

    def place(self, bucket: str | None, key: str | None) -> Place:
        """Raises ValueError for a name that cannot be a bucket: it would address another host or path."""
        path = _path(key) if key else "/"
        if bucket is None:
            return Place(origin=self.origin, host=_authority(self.origin), path="/")
        if bucket == _OWN:
            return Place(origin=self.origin, host=_authority(self.origin), path=f"/{_OWN}{path}")
        if _LABEL.fullmatch(bucket) is None:
            raise ValueError(
                f"{bucket!r} is no bucket name: 3 to 63 characters out of a-z, 0-9 and '-', no '-' at either end"
            )
        if self.addressing == "path":
            return Place(origin=self.origin, host=_authority(self.origin), path=f"/{bucket}{path}")
        origin = self.origin
        if self.addressing == "virtual":
            origin = origin._replace(host=f"{bucket}.{origin.host}")
        return Place(origin=origin, host=_authority(origin), path=path)


@lru_cache(maxsize=1024)
def _path(key: str) -> str:
    """Every part of an upload asks for the same."""
    return f"/{quote(key, safe='-_.~/')}"


def parse_endpoint(text: str, *, addressing: Addressing = "auto", region: str | None = None) -> Endpoint:
    """`[http[s]://]host[:port]`. Without a scheme, https, but http for localhost and IP addresses.

    `addressing` "auto": path style for localhost and IP addresses, else `BUCKET.host`. Raises ValueError.
    """
    split = urlsplit(text if "://" in text else f"//{text}")
    host = (split.hostname or "").rstrip(".")
    if not host or split.path not in ("", "/") or split.query or split.username is not None:
        raise ValueError(f"{text!r} is no endpoint; expected [http[s]://]host[:port]")
    bare = is_ip(f"[{host}]" if ":" in host else host)
    near = bare or host == "localhost" or host.endswith(".localhost")
    if split.scheme not in ("", "http", "https"):
        raise ValueError(f"{text!r}: the scheme of an endpoint is http or https")
    secure = split.scheme == "https" or (not split.scheme and not near)
    if addressing == "auto":
        addressing = "path" if near else "virtual"
    return Endpoint(
        origin=Origin(secure=secure, host=host, port=split.port or _PORTS[secure]),
        addressing=addressing,
        region=(region or _region_of(host)).removeprefix("oss-"),
    )


def _region_of(host: str) -> str:
    match = _OSS_HOST.fullmatch(host)
    return match["region"] if match and match["region"] not in _REGIONLESS else DEFAULT_REGION


def _authority(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return host if origin.port == _PORTS[origin.secure] else f"{host}:{origin.port}"
