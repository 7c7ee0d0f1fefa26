"""An HTTP relay before the service that breaks chosen requests, for what clients do when the network fails."""

from __future__ import annotations

import http.client
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

DROP, STALL, LOSE_ANSWER = "drop", "stall", "lose answer"
RELAY_S = 30


class Relay:
    """Forwards to 127.0.0.1:`port`; `break_once` arms one fault for the next request that matches.

    `drop` closes the connection before the service sees the request, `stall` never answers, and
    `lose answer` closes it after the service has answered.
    """

    def __init__(self, port: int) -> None:
        self._target = port
        self._armed: list[tuple[str, str, str]] = []
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.port = self._server.server_port

    def break_once(self, fault: str, method: str, text: str) -> None:
        """Arm `fault` for the next request of `method` whose target contains `text`."""
        with self._lock:
            self._armed.append((fault, method, text))

    def _fault(self, method: str, target: str) -> str | None:
        with self._lock:
            for armed in self._armed:
                if armed[1] == method and armed[2] in target:
                    self._armed.remove(armed)
                    return armed[0]
        return None

    def _forward(self, handler: BaseHTTPRequestHandler) -> None:
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        fault = self._fault(handler.command, handler.path)
        handler.close_connection = fault is not None
        if fault == STALL:
            self._released.wait(RELAY_S)
        if fault in {DROP, STALL}:
            return
        service = http.client.HTTPConnection("127.0.0.1", self._target, timeout=RELAY_S)
        service.request(handler.command, handler.path, body=body, headers=dict(handler.headers.items()))
        answer = service.getresponse()
        content = answer.read()
        service.close()
        if fault == LOSE_ANSWER:
            return
        handler.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection", "date", "server"}:
                handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                relay._forward(self)

            do_PUT = do_POST = do_DELETE = do_HEAD = do_GET  # noqa: N815 - the base looks for these names

            def log_message(self, *_: object) -> None:
                return

        return Handler

    @contextmanager
    def running(self) -> Iterator[Relay]:
        thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        thread.start()
        try:
            yield self
        finally:
            self._released.set()
            self._server.shutdown()
            self._server.server_close()
            thread.join(5)
