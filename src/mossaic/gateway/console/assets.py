"""The web page's files: read once when the service starts, served by name from that fixed list, never by a path of the request."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Final

from mossaic.gateway.message import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from importlib.resources.abc import Traversable

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
    """One file. `etag` with its quotes; `packed` is made when the first client that takes gzip asks."""

    body: bytes
    content_type: str
    etag: str
    packs: bool
    packed: bytes | None = field(default=None, repr=False)


class Assets:
    """Path → file. `connect`: origins that the page may talk to besides its own."""

    def __init__(self, connect: Sequence[str] = (), package: str = "mossaic.page") -> None:
        self._headers = _headers(connect)
        self._by_path: Mapping[str, Asset] = dict(_read(package))
        self._moved = {page.rstrip("/"): page for page in _PAGES.values() if page in self._by_path}

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
        body, etag = asset.body, asset.etag
        headers = [("Content-Type", asset.content_type), ("Cache-Control", "no-cache"), *self._headers]
        if asset.packs:
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
        asset.packed = await asyncio.to_thread(gzip.compress, asset.body, 6, mtime=0)
    return asset.packed


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


def _read(package: str) -> Iterator[tuple[str, Asset]]:
    for name, file in _walk(resources.files(package), ""):
        kind = name.rpartition(".")[2]
        if kind not in _TYPES:
            continue
        body = file.read_bytes()
        digest = hashlib.sha256(body).hexdigest()[:32]
        packs = kind in _PACKED and len(body) >= _WORTH_PACKING
        path = _PAGES.get(name, f"{ROOT}{name}")
        yield path, Asset(body=body, content_type=_TYPES[kind], etag=f'"{digest}"', packs=packs)


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry
