"""Which proxy the way to an origin goes through: the setting, or `http_proxy`, `https_proxy`, `all_proxy`, `no_proxy`. Pure."""

from __future__ import annotations

import ipaddress
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.http.message import Origin


class Proxy(NamedTuple):
    """`authorization` is the value of Proxy-Authorization, "" for none."""

    host: str
    port: int
    authorization: str

    def __repr__(self) -> str:  # without the password
        return f"Proxy({self.host}:{self.port})"


def parse_proxy(url: str) -> Proxy:
    """`[http://][user:password@]host[:port]`, port 80 by default. Raises ValueError for any other kind of proxy."""
    split = urlsplit(url if "://" in url else f"http://{url}")
    if split.scheme != "http" or not split.hostname:
        raise ValueError(f"a proxy is given as http://host:port; {split.scheme}:// ones are not spoken here")
    authorization = ""
    if split.username is not None:
        login = f"{unquote(split.username)}:{unquote(split.password or '')}"
        authorization = "Basic " + b64encode(login.encode()).decode("ascii")
    return Proxy(split.hostname, split.port or 80, authorization)


class Proxies:
    """The choice for every origin. `setting` None: the environment, as it is now; "": none; otherwise a URL for all origins."""

    def __init__(self, setting: str | None, environ: Mapping[str, str]) -> None:
        self._plain = self._secure = setting or ""
        self._bypass: tuple[str, ...] = ()
        if setting is None:
            everywhere = _value(environ, "all_proxy")
            self._secure = _value(environ, "https_proxy") or everywhere
            # HTTP_PROXY may be the header `Proxy` of a request to a CGI script, so only the lower-case name counts there.
            cgi = "REQUEST_METHOD" in environ
            plain = environ.get("http_proxy", "") if cgi else _value(environ, "http_proxy")
            self._plain = plain or everywhere
            self._bypass = tuple(_value(environ, "no_proxy").replace(",", " ").split())
        elif setting:
            parse_proxy(setting)

    def of(self, origin: Origin) -> Proxy | None:
        """None: straight there. Raises ValueError for a proxy in the environment that is not usable."""
        url = self._secure if origin.secure else self._plain
        if not url or any(_bypassed(entry, origin) for entry in self._bypass):
            return None
        return parse_proxy(url)


def _value(environ: Mapping[str, str], name: str) -> str:
    return (environ.get(name) or environ.get(name.upper()) or "").strip()


def _bypassed(entry: str, origin: Origin) -> bool:
    """An entry of no_proxy: `*`, an address, a network, or a domain with everything below it; each with or without `:port`."""
    if entry == "*":
        return True
    host = origin.host.lower().rstrip(".")
    if "/" in entry:
        return _in_network(host, entry)
    name, colon, port = entry.lower().rpartition(":")
    if not colon or not port.isdigit() or (":" in name and not name.endswith("]")):
        name = entry.lower()  # no port; an IPv6 address has colons of its own
    elif int(port) != origin.port:
        return False
    name = name.strip("[]").removeprefix("*").strip(".")
    return bool(name) and (host == name or host.endswith("." + name))


def _in_network(host: str, network: str) -> bool:
    try:
        return ipaddress.ip_address(host) in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
