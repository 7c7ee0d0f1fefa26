"""The Content-Type of an object whose writer named none, by the extension of its key.

The table is Python's own plus a few that browsers care about; never the machine's /etc/mime.types, so that every
installation answers the same.
"""

from __future__ import annotations

from functools import cache
from posixpath import splitext
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN: Final = "application/octet-stream"
_MORE: Final = {
    ".7z": "application/x-7z-compressed",
    ".apk": "application/vnd.android.package-archive",
    ".avif": "image/avif",
    ".bz2": "application/x-bzip2",
    ".flac": "audio/flac",
    ".flv": "video/x-flv",
    ".gz": "application/gzip",
    ".heic": "image/heic",
    ".ipa": "application/octet-stream",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".md": "text/markdown",
    ".mkv": "video/x-matroska",
    ".rar": "application/x-rar-compressed",
    ".tgz": "application/gzip",
    ".ts": "video/mp2t",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}


def content_type_of(key: str) -> str:
    """Letter case of the extension does not matter; application/octet-stream when it says nothing."""
    return _types().get(splitext(key)[1].lower(), UNKNOWN)


@cache
def _types() -> Mapping[str, str]:
    import mimetypes  # noqa: PLC0415  # it reads files of the machine's before anybody asks

    return mimetypes.MimeTypes().types_map[True] | _MORE
