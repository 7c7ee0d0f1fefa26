"""The web page's files: listed when one is first asked for, served by name from that fixed list, never by a path of the request."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ROOT: Final = "/-/console/"
_PAGES: Final = {"index.html": ROOT, "drop.html": "/-/drop/"}
_TYPES: Final = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
    "wasm": "application/wasm",
}
_PACKED: Final = frozenset(("html", "css", "js", "json", "svg", "txt"))
_WORTH_PACKING: Final = 1024  # bytes


@dataclass(slots=True, kw_only=True)
class Asset:
    """One file, read and kept when it is first asked for. `etag` with its quotes; `packed` is made when the first client that
    takes gzip asks."""

    file: Path
    content_type: str
    body: bytes | None = field(default=None, repr=False)
    etag: str = ""
    packed: bytes | None = field(default=None, repr=False)

    def read(self) -> bytes:
        """The content. Blocks the first time."""
        if self.body is None:
            body = self.file.read_bytes()
            self.etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            self.body = body
        return self.body


class Assets:
    """Path → file. `connect`: origins that the page may talk to besides its own."""

    def __init__(self, connect: Sequence[str] = (), package: str = "mossaic.page") -> None:
        self._headers = _headers(connect)
        self._package = package

    @cached_property
    def _by_path(self) -> Mapping[str, Asset]:
        return dict(_found(self._package))

    @cached_property
    def _moved(self) -> Mapping[str, str]:
        return {page.rstrip("/"): page for page in _PAGES.values() if page in self._by_path}

    def __contains__(self, path: str) -> bool:
        return path in self._by_path or path in self._moved

    @property
    def paths(self) -> tuple[str, ...]:
        return tuple(self._by_path)

    async def serve(self, request: HttpRequest, path: str) -> HttpResponse:
        """`path` is one of these; as a GET, the caller takes the body off for HEAD."""
        if path in self._moved:
            return HttpResponse(status=308, headers=[("Location", self._moved[path]), *self._headers])
        asset = self._by_path[path]
        body = asset.body if asset.body is not None else await asyncio.to_thread(asset.read)
        etag = asset.etag
        headers = [("Content-Type", asset.content_type), ("Cache-Control", "no-cache"), *self._headers]
        if len(body) >= _WORTH_PACKING and asset.file.suffix[1:] in _PACKED:
            headers.append(("Vary", "Accept-Encoding"))
            if "gzip" in request.header("accept-encoding"):
                body, etag = await _packed(asset), f'{etag[:-1]}-gzip"'
                headers.append(("Content-Encoding", "gzip"))
        headers.append(("ETag", etag))
        if etag in request.header("if-none-match"):
            return HttpResponse(status=304, headers=headers)
        return HttpResponse(status=200, headers=headers, body=body)


async def _packed(asset: Asset) -> bytes:
    if asset.packed is None:
        asset.packed = await asyncio.to_thread(_compressed, asset.read())
    return asset.packed


def _compressed(body: bytes) -> bytes:
    import gzip  # noqa: PLC0415  # only for those who open the page

    return gzip.compress(body, 6, mtime=0)


def _headers(connect: Sequence[str]) -> list[tuple[str, str]]:
    """What keeps the page to itself. Nothing inline and nothing evaluated: a text that got into the page stays a text."""
    policy = (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        " ".join(("connect-src 'self'", *connect)),
        "font-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
    return [
        ("Content-Security-Policy", "; ".join(policy)),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "no-referrer"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]


def _found(package: str) -> Iterator[tuple[str, Asset]]:
    folder = Path(import_module(package).__file__ or "").parent
    for file in sorted(folder.rglob("*")):
        kind = file.suffix[1:]
        if kind in _TYPES and file.is_file():
            name = file.relative_to(folder).as_posix()
            yield _PAGES.get(name, f"{ROOT}{name}"), Asset(file=file, content_type=_TYPES[kind])
