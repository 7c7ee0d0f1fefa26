"""A static web server on another origin than the service, which also serves the SDK bundles from node_modules."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
NODE = HERE.parent / "e2e" / "node"
PAGES = HERE / "pages"
BUNDLES = {
    version: NODE / "node_modules" / f"ali-oss-{version}" / "dist" / "aliyun-oss-sdk.min.js"
    for version in ("6.18", "latest")
}


class Site:
    """Pages by path; the origin is http://127.0.0.1:PORT."""

    def __init__(self) -> None:
        self._pages: dict[str, tuple[str, bytes]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        for version, bundle in BUNDLES.items():
            self.put(f"/sdk/{version}.js", bundle.read_bytes(), "text/javascript")
        self.put("/flows.js", (NODE / "flows.js").read_bytes(), "text/javascript")
        for version in BUNDLES:
            self.put(
                f"/flows-{version}.html",
                (HERE / "flows.html").read_text().replace("VERSION", version).encode(),
            )

    def put(self, path: str, content: bytes, content_type: str = "text/html; charset=utf-8") -> str:
        """Serve `content` at `path`; answers the URL."""
        self._pages[path] = (content_type, content)
        return self.origin + path

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages = self._pages

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                content_type, content = pages.get(self.path, ("text/plain", b""))
                self.send_response(200 if self.path in pages else 404)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
                return

        return Handler

    @contextmanager
    def running(self) -> Iterator[Site]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join(timeout=5)
