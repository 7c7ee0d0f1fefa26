"""A journal as text: one line a value, each with a checksum of everything up to it, so that a torn or garbled end is recognised.

A line is JSON, a blank, eight hex digits and LF. The digits are the CRC-32 of all JSON up to and with this line: what follows a
damaged line never counts, not even when it is later overwritten and an old line becomes readable again. The first line is
`["mossaic-journal",1,name]`; all others are objects.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from mossaic.client.store.journal import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_MARK: Final = "mossaic-journal"
_VERSION: Final = 1
_LINE: Final = re.compile(rb"(.+) ([0-9a-f]{8})\n", re.DOTALL)


class End(NamedTuple):
    """Where the good lines end: bytes, and the CRC-32 so far."""

    size: int = 0
    crc: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What counts of a journal. `name` is None when not even the first line does."""

    name: str | None
    bodies: list[bytes]
    end: End


def framed(body: bytes, after: End) -> tuple[bytes, End]:
    """The line of a body that follows `after`, and the end behind it."""
    crc = zlib.crc32(body, after.crc)
    line = b"%b %08x\n" % (body, crc)
    return line, End(after.size + len(line), crc)


def first_line(name: str) -> tuple[bytes, End]:
    """The line that a journal of that name begins with."""
    return framed(json.dumps([_MARK, _VERSION, name], separators=(",", ":")).encode("ascii"), End())


def written(name: str, bodies: Iterable[bytes]) -> tuple[bytes, End]:
    """A whole journal."""
    line, end = first_line(name)
    lines = [line]
    for body in bodies:
        line, end = framed(body, end)
        lines.append(line)
    return b"".join(lines), end


def read(lines: Iterable[bytes]) -> Content:
    """What counts of these lines, each with its LF. Raises StoreError for a journal of a later version of this format."""
    good = good_lines(lines)
    body, end = next(good, (b"", End()))
    name = name_in(body)
    if name is None:
        return Content(name=None, bodies=[], end=End())
    bodies: list[bytes] = []
    for body, after in good:
        if not body.startswith(b"{"):
            break
        bodies.append(body)
        end = after
    return Content(name=name, bodies=bodies, end=end)


def good_lines(lines: Iterable[bytes]) -> Iterator[tuple[bytes, End]]:
    """The bodies up to the first line that is not what was written, each with the end behind it."""
    end = End()
    for line in lines:
        match = _LINE.fullmatch(line)
        if match is None:
            return
        body = match[1]
        crc = zlib.crc32(body, end.crc)
        if crc != int(match[2], 16):
            return
        end = End(end.size + len(line), crc)
        yield body, end


def name_in(first: bytes) -> str | None:
    """The name in the body of a first line; None when it is something else. Raises StoreError for a later version."""
    if not first.startswith(b"["):
        return None
    value: Any = json.loads(first)  # Any: as JSON is; the checksum says that this is what was written
    if len(value) < 3 or value[0] != _MARK:
        return None
    if value[1] != _VERSION:
        raise StoreError(
            f"this journal has format {value[1]}, made by a later version: {_VERSION} is understood"
        )
    return str(value[2])
