"""An HTTP relay that passes a number of parts on to the server and then drops every part: a network that dies."""

from __future__ import annotations

import http.client
import http.server
import threading

DROPPED_HEADERS = frozenset({"connection", "transfer-encoding", "keep-alive"})


class BreakingRelay:
    """Listens on loopback, forwards to 127.0.0.1:`port`; `allow_parts` UploadPart requests get through."""

    def __init__(self, port: int, *, allow_parts: int) -> None:
        left = threading.Semaphore(allow_parts)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def forward(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if "partNumber=" in self.path and not left.acquire(blocking=False):
                    self.close_connection = True
                    self.connection.close()
                    return
                upstream = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                try:
                    upstream.request(self.command, self.path, body=body, headers=dict(self.headers.items()))
                    answer = upstream.getresponse()
                    self.reply(answer, answer.read())
                finally:
                    upstream.close()

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = forward  # noqa: N815 -- http.server names them

            def reply(self, answer: http.client.HTTPResponse, body: bytes) -> None:
                self.send_response_only(answer.status, answer.reason)
                for name, value in answer.getheaders():
                    if name.lower() not in DROPPED_HEADERS:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Keep the test output quiet."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
