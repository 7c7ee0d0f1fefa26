"""Whether a file and an object are the same, asked as cheaply as can be."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import NoSuchKey
from mossaic.protocol.checksum import crc64, crc64_etag
from mossaic.protocol.limits import KIB, MIB

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.folder.entry import Found, Skip, Stored
    from mossaic.client.folder.service import Service

_CHUNK: Final = 256 * KIB
_MD5: Final = re.compile("[0-9A-F]{32}")
_OF_CRC64: Final = re.compile("[0-9A-F]{32}-0")
_CHEAP: Final = MIB  # bytes whose MD5 takes no longer than to ask the service


def why_differs(
    mine: Found,
    theirs: Stored | None,
    skip: Skip,
    *,
    upload: bool,
    service: Service,
) -> str:
    """Why the file is to be moved; empty when it need not be. May read the file and ask the service. Raises OSError, and as that."""
    if theirs is None:
        return "new"
    if skip == "never":
        return "asked for"
    if skip == "newer":
        return "newer" if _is_newer(mine, theirs, upload=upload) else ""
    if not theirs.is_symlink and mine.size != theirs.size:
        return "another size"
    return "" if _same_bytes(mine, theirs, service) else "other bytes"


def _is_newer(mine: Found, theirs: Stored, *, upload: bool) -> bool:
    """By the times of both sides, of which the service's are whole seconds: in doubt it is."""
    modified_at = theirs.modified_at.timestamp()
    written_at = mine.mtime_ns / 1e9
    return written_at > modified_at if upload else written_at < modified_at + 1


def _same_bytes(mine: Found, theirs: Stored, service: Service) -> bool:
    if not theirs.is_symlink:
        if mine.size == 0:
            return True
        if (
            mine.size <= _CHEAP
            and _MD5.fullmatch(theirs.etag)
            and _md5(mine.path, service.check) == theirs.etag
        ):
            return True  # an ETag that is the MD5 of these bytes is theirs; another may be of another making
        if _OF_CRC64.fullmatch(theirs.etag):
            return theirs.etag == crc64_etag(_crc64(mine.path, service.check), mine.size)
    try:
        info = service.head(theirs.key)
    except NoSuchKey:
        return False
    return (
        info.size == mine.size and info.crc64 is not None and info.crc64 == _crc64(mine.path, service.check)
    )


def _md5(path: str, check: Callable[[], None]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for chunk in _chunks(path, check):
        digest.update(chunk)
    return digest.hexdigest().upper()


def _crc64(path: str, check: Callable[[], None]) -> int:
    value = 0
    for chunk in _chunks(path, check):
        value = crc64(chunk, value)
    return value


def _chunks(path: str, check: Callable[[], None]) -> Iterator[memoryview]:
    buffer = memoryview(bytearray(_CHUNK))
    with Path(path).open("rb", buffering=0) as file:
        while count := file.readinto(buffer):
            yield buffer[:count]
            check()
