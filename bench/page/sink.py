"""The sink of bench.clients, which serves the page and the libraries as well, so that all of it has one origin.

python -m bench.page.sink --block FILE [--lengths N,N,...] [--size N] [--wrong]
"""

from __future__ import annotations

import argparse
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.clients.answers import Answers
from bench.clients.sink import serve
from bench.clients.sums import Sums
from bench.page import uppy

if TYPE_CHECKING:
    from bench.clients.answers import Asked

PAGE: Final = Path(__file__).parents[2] / "src" / "mossaic" / "page"
TAB: Final = Path(__file__).with_name("tab")
_TYPES: Final = {".js": "text/javascript", ".mjs": "text/javascript", ".html": "text/html; charset=utf-8"}


class WithFiles(Answers):
    """`files`: body and type by path."""

    def __init__(self, sums: Sums, expected: int | None, files: dict[str, tuple[bytes, str]]) -> None:
        super().__init__(sums, expected)
        self._files = files

    def to(self, asked: Asked) -> bytes:
        found = self._files.get(asked.target) if asked.method == "GET" else None
        if found is None:
            return super().to(asked)
        body, content_type = found
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n\r\n"
        return head.encode("latin-1") + body


def files() -> dict[str, tuple[bytes, str]]:
    found = {"/uppy.mjs": (uppy.bundle(), _TYPES[".mjs"]), "/favicon.ico": (b"", "image/x-icon")}
    for root, prefix in ((PAGE, "/-/console/"), (TAB, "/tab/")):
        for path in root.rglob("*"):
            if path.suffix in _TYPES:
                found[prefix + path.relative_to(root).as_posix()] = (path.read_bytes(), _TYPES[path.suffix])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="A do-nothing OSS and S3 server that has the page, too.")
    parser.add_argument("--block", type=Path, required=True, help="every body is this file repeated")
    parser.add_argument("--lengths", default="", help="body lengths whose sums are computed at the start")
    parser.add_argument("--size", type=int, help="what every completed object must have")
    parser.add_argument("--wrong", action="store_true", help="answer CRCs that cannot be right")
    given = parser.parse_args()
    sums = Sums(given.block.read_bytes(), wrong=given.wrong)
    for length in filter(None, given.lengths.split(",")):
        sums.of(int(length))
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    serve(listener, WithFiles(sums, given.size, files()))


if __name__ == "__main__":
    main()
