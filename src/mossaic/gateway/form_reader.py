"""multipart/form-data, read as it comes: fields within bounds, then the file as a body of its own.

Blocking; lives in the worker thread that reads the request's body. Source: RFC 7578 and OSS API "PostObject": the file is the
last field that counts, what follows it is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.protocol.errors import (
    FIELD_ITEM_TOO_LONG,
    INCORRECT_NUMBER_OF_FILES_IN_POST_REQUEST,
    MALFORMED_POST_REQUEST,
    MAX_POST_PRE_DATA_LENGTH_EXCEEDED_ERROR,
    REQUEST_IS_NOT_MULTI_PART_CONTENT,
    OssError,
)
from mossaic.protocol.limits import KIB, MIB
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from email.message import Message

    from mossaic.ports import BodyReader

MAX_FIELD_NAME: Final = 8 * KIB  # bytes
MAX_FIELD_VALUE: Final = 2 * MIB  # bytes
MAX_FIELDS_TOTAL: Final = 4 * MIB  # bytes of everything before the file
MAX_FIELDS: Final = 1000
_PIECE: Final = 128 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """What the headers of the file field say."""

    filename: str
    content_type: str | None


def boundary_of(content_type: str) -> bytes:
    """Raises OssError REQUEST_IS_NOT_MULTI_PART_CONTENT."""
    message = _no_headers()
    message["Content-Type"] = content_type
    boundary = message.get_boundary()
    if message.get_content_type() != "multipart/form-data" or not boundary or len(boundary) > 256:
        raise OssError(REQUEST_IS_NOT_MULTI_PART_CONTENT)
    return boundary.encode("latin-1", "replace")


class FormReader:
    """`fields()` first, then the reader itself is the file's BodyReader."""

    def __init__(self, reader: BodyReader, boundary: bytes) -> None:
        self._reader = reader
        self._delimiter = b"\r\n--" + boundary
        self._pending = bytearray(b"\r\n")  # so that the first boundary looks like all others
        self._taken = 0
        self._scratch = memoryview(bytearray(_PIECE))
        self._ended = False
        self._file_ended = False

    def fields(self) -> tuple[dict[str, str], FilePart]:
        """Fields by lower-case name, the first of a name wins. Raises OssError for whatever is not a form with a file."""
        found: dict[str, str] = {}
        self._until(self._delimiter, MAX_FIELD_VALUE)
        for _ in range(MAX_FIELDS):
            if self._exactly(2) == b"--":
                raise OssError(INCORRECT_NUMBER_OF_FILES_IN_POST_REQUEST)
            headers = _headers(b"\r\n" + self._until(b"\r\n\r\n", 2 * MAX_FIELD_NAME))
            name = _parameter(headers, "name")
            if name is None:
                raise OssError(MALFORMED_POST_REQUEST, "A field has no name.")
            if len(name.encode()) > MAX_FIELD_NAME:
                raise OssError(FIELD_ITEM_TOO_LONG)
            filename = _parameter(headers, "filename")
            if name.lower() == "file":
                return found, FilePart(filename=filename or "", content_type=headers["Content-Type"])
            found.setdefault(name.lower(), _text(self._until(self._delimiter, MAX_FIELD_VALUE)))
        raise OssError(MAX_POST_PRE_DATA_LENGTH_EXCEEDED_ERROR)

    def readinto(self, buffer: memoryview) -> int:
        """The file's bytes; 0 at its end."""
        if self._file_ended:
            return 0
        keep = len(self._delimiter) - 1  # these may be the beginning of a delimiter
        while True:
            end = self._pending.find(self._delimiter)
            ready = end if end >= 0 else len(self._pending) - keep
            if ready > 0:
                count = min(ready, len(buffer))
                buffer[:count] = self._pending[:count]
                del self._pending[:count]
                return count
            if end == 0:
                self._file_ended = True
                self._drain()
                return 0
            self._fill()

    def _drain(self) -> None:
        """What follows the file is ignored, but read: the connection goes on after it."""
        while not self._ended:
            self._pending.clear()
            self._ended = self._reader.readinto(self._scratch) == 0

    def _fill(self) -> None:
        count = 0 if self._ended else self._reader.readinto(self._scratch)
        if count == 0:
            self._ended = True
            raise OssError(MALFORMED_POST_REQUEST, "The form ends before its last boundary.")
        self._pending += self._scratch[:count]

    def _exactly(self, count: int) -> bytes:
        while len(self._pending) < count:
            self._fill()
        taken = bytes(self._pending[:count])
        if taken != b"--":
            if taken != b"\r\n":
                raise OssError(
                    MALFORMED_POST_REQUEST, "A boundary is followed by something else than a line end."
                )
            del self._pending[:count]
        return taken

    def _until(self, end: bytes, limit: int) -> bytes:
        """The bytes before `end`, which is taken too. Bounded before memory is spent."""
        start = 0
        while (found := self._pending.find(end, start)) < 0:
            if len(self._pending) > limit + len(end):
                raise OssError(FIELD_ITEM_TOO_LONG)
            start = max(len(self._pending) - len(end) + 1, 0)
            self._fill()
        if found > limit:
            raise OssError(FIELD_ITEM_TOO_LONG)
        taken = bytes(self._pending[:found])
        del self._pending[: found + len(end)]
        self._taken += found + len(end)
        if self._taken > MAX_FIELDS_TOTAL:
            raise OssError(MAX_POST_PRE_DATA_LENGTH_EXCEEDED_ERROR)
        return taken


def _no_headers() -> Message:
    from email.message import Message  # noqa: PLC0415  # only for forms

    return Message()


def _headers(block: bytes) -> Message:
    message = _no_headers()
    for line in _text(block).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon and "\n" not in line and "\r" not in line:
            message[name.strip()] = value.strip()
    return message


def _parameter(headers: Message, name: str) -> str | None:
    """A parameter of Content-Disposition. Browsers escape only quotes and line ends, and send UTF-8 as it is."""
    disposition = headers["Content-Disposition"] or ""
    kind, _, rest = disposition.partition(";")
    if kind.strip().lower() != "form-data":
        raise OssError(MALFORMED_POST_REQUEST, "A part is no form-data.")
    for key, value in _parameters(rest):
        if key == name:
            return value.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n") if value else value
    return None


def _parameters(text: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        equals = text.find("=", position)
        if equals < 0:
            break
        key = text[position:equals].strip(" \t;").lower()
        if text[equals + 1 : equals + 2] == '"':
            stop = text.find('"', equals + 2)
            while stop > 0 and text[stop - 1] == "\\":
                stop = text.find('"', stop + 1)
            stop = len(text) if stop < 0 else stop
            found.append((key, text[equals + 2 : stop].replace('\\"', '"')))
            position = stop + 1
        else:
            stop = text.find(";", equals)
            stop = len(text) if stop < 0 else stop
            found.append((key, text[equals + 1 : stop].strip()))
            position = stop
    return found


def _text(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise OssError(MALFORMED_POST_REQUEST, "A field is not UTF-8.") from None
