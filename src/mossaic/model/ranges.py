"""Which bytes a Range header asks for, by OSS's two sets of rules (OSS API: GetObject, `x-oss-range-behavior`).

Without `standard`, a range that does not lie wholly inside the object is no error: the whole object is answered, with 200.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from mossaic.protocol.errors import INVALID_RANGE, OssError

_RANGE: Final = re.compile(
    r"bytes=\s*(\d{0,19})\s*-\s*(\d{0,19})\s*(?:,.*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)
_INSIDE: Final = re.compile(r"bytes=(\d{1,19})-(\d{1,19})", re.ASCII)


class ByteRange(NamedTuple):
    """Bytes start … stop of an object, half open; never empty."""

    start: int
    stop: int

    def content_range(self, size: int) -> str:
        """The Content-Range header for an object of `size` bytes."""
        return f"bytes {self.start}-{self.stop - 1}/{size}"


def chosen_range(text: str | None, size: int, *, standard: bool = False) -> ByteRange | None:
    """The bytes to answer with 206; None for the whole object, with 200. Of several ranges the first counts.

    Raises OssError INVALID_RANGE: `bytes=-0`, and with `standard` a range that begins after the end.
    """
    match = _RANGE.fullmatch(text.strip()) if text else None
    if match is None:
        return None
    first, last = match[1], match[2]
    if not first:
        return _suffix(int(last), size, standard=standard) if last else None
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size:
        if standard:
            raise _unsatisfiable(size)
        return None
    if last and int(last) >= size and not standard:
        return None
    return ByteRange(start, min(int(last) + 1, size) if last else size)


def copied_range(text: str | None, size: int) -> ByteRange | None:
    """The part of a copy source that `x-oss-copy-source-range` names; None, the whole source, when it is absent or does
    not fit (OSS API: UploadPartCopy)."""
    match = _INSIDE.fullmatch(text.strip()) if text else None
    if match is None or not int(match[1]) <= int(match[2]) < size:
        return None
    return ByteRange(int(match[1]), int(match[2]) + 1)


def _suffix(count: int, size: int, *, standard: bool) -> ByteRange | None:
    """The last `count` bytes."""
    if count == 0:
        raise _unsatisfiable(size)  # in both sets of rules
    if size == 0 or (count > size and not standard):
        return None
    return ByteRange(max(size - count, 0), size)


def _unsatisfiable(size: int) -> OssError:
    return OssError(INVALID_RANGE, headers={"Content-Range": f"bytes */{size}"}, ActualObjectSize=size)
