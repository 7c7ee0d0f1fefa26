"""Our own HTTP/1.1 client for blocking threads: sockets, TLS, proxies, a pool of connections. It knows nothing of OSS."""

from mossaic.client.http.message import Body, BytesBody, Origin, Request
from mossaic.client.http.pool import Pool
from mossaic.client.http.response import Response
from mossaic.client.http.scope import Scope

__all__ = ["Body", "BytesBody", "Origin", "Pool", "Request", "Response", "Scope"]
