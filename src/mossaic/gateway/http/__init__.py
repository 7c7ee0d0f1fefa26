"""Our own HTTP/1.1 server: sockets, framing, hand-off of bodies to worker threads. It knows bytes and nothing of OSS,
except that a body which cannot be read is refused in OSS's words."""

from __future__ import annotations

from mossaic.gateway.http.limits import HttpLimits, Listener
from mossaic.gateway.http.server import Server, serve
from mossaic.gateway.http.site import Hooks

__all__ = ["Hooks", "HttpLimits", "Listener", "Server", "serve"]
