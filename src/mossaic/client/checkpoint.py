"""Where an upload stands, as a value and as JSON that ali-oss, the page, the shell and this SDK all understand.

The fields `file`, `name`, `fileSize`, `partSize`, `uploadId` and `doneParts` are ali-oss's own (6.18 … 6.23): such a client goes
on from this JSON once it has put its `file` in. It looks at nothing else and computes a part's place from its number, so
`doneParts` tells only of parts that lie where it would put them; it sends the others again. Without a `fileSize` it would find nothing to
send and complete what is there, an object cut off: `doneParts` is null then, and it fails.
Integers that may exceed 2**53 are decimal texts, since JavaScript would round them. Secrets are not in it.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from mossaic.client.errors import MossaicError
from mossaic.client.store.disk import replace_file
from mossaic.protocol.limits import MAX_PART_NUMBER

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

SourceKind = Literal["file", "bytes", "stream"]

_VERSION: Final = 1
_KINDS: Final[tuple[SourceKind, ...]] = ("file", "bytes", "stream")
_ETAG: Final = re.compile(r"[A-Za-z0-9+/=_.-]{1,256}")
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}", re.ASCII)
_MAX_UINT64: Final = 2**64 - 1
_MAX_SIZE: Final = 2**53 - 1  # what JavaScript counts to; 10,000 parts of 5 GiB are far less
_SHOWN: Final = 60  # characters of a wrong value in a message


class CheckpointError(MossaicError, ValueError):
    """This is not a checkpoint. `field` is what is wrong, such as `parts[3].offset`; "" for the whole."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"not a checkpoint: {field}: {problem}" if field else f"not a checkpoint: {problem}")
        self.field = field
        self.problem = problem

    def __reduce__(self) -> tuple[type[CheckpointError], tuple[str, str]]:
        return type(self), (self.field, self.problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartRecord:
    """A part that is stored. `offset` and `size` in bytes of the source, `etag` bare and upper case."""

    number: int
    offset: int
    size: int
    etag: str
    crc64: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceIdentity:
    """What the source was when the upload began. `edges_crc64`: CRC-64 of its first and its last 64 KiB."""

    kind: SourceKind
    size: int | None = None
    mtime_ns: int | None = None
    ctime_ns: int | None = None
    inode: int | None = None
    device: int | None = None
    edges_crc64: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """An unfinished upload and its stored parts, by number.

    `endpoint` and `bucket` are "" where they are not known: ali-oss leaves them to its client. `file` is the source's path, where
    it has one; `file_size` is None for a stream. `part_size`: where a part lies by default, see `on_grid`.
    """

    endpoint: str
    bucket: str
    name: str
    upload_id: str
    part_size: int
    file: str | None
    file_size: int | None
    parts: tuple[PartRecord, ...] = ()
    source: SourceIdentity | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(sorted(self.parts, key=lambda part: part.number)))

    def on_grid(self, part: PartRecord) -> bool:
        """Whether the part lies where its number alone would put it. An empty part does not, but for that of an empty file."""
        if part.size == 0 and (part.number, self.file_size) != (1, 0):
            return False
        return (part.offset, part.size) == _place(part.number, self.part_size, self.file_size)

    def with_part(self, record: PartRecord) -> Checkpoint:
        """The same with one more part; one of the same number is replaced."""
        parts = list(self.parts)
        at = bisect_left(parts, record.number, key=lambda part: part.number)
        same = at < len(parts) and parts[at].number == record.number
        parts[at : at + same] = [record]
        return replace(self, parts=tuple(parts))

    def to_json(self) -> dict[str, object]:
        """As values that `json.dumps` takes."""
        done = [
            {"number": part.number, "etag": f'"{part.etag}"'} for part in self.parts if self.on_grid(part)
        ]
        return {
            "v": _VERSION,
            "file": self.file,
            "name": self.name,
            "fileSize": self.file_size,
            "partSize": self.part_size,
            "uploadId": self.upload_id,
            "doneParts": None if self.file_size is None else done,
            "bucket": self.bucket,
            "endpoint": self.endpoint,
            "parts": [_part_to_json(part) for part in self.parts],
            "source": None if self.source is None else _source_to_json(self.source),
        }

    @classmethod
    def from_json(cls, value: object) -> Checkpoint:
        """Read ours, ali-oss's own, and ours after an ali-oss client went on with it. Unknown fields are passed over.

        Raises CheckpointError.
        """
        fields = _Fields.of(value, "")
        version = fields.integer("v", 1, _MAX_SIZE, default=_VERSION)
        if version != _VERSION:
            raise CheckpointError(
                "v", f"{version} is of a later version of this format: {_VERSION} is understood"
            )
        part_size = fields.integer("partSize", 1, _MAX_SIZE)
        # A stream has no size yet, but ali-oss does not upload streams in parts.
        is_ours = "v" in fields.values
        file_size = (
            fields.optional("fileSize", 0, _MAX_SIZE) if is_ours else fields.integer("fileSize", 0, _MAX_SIZE)
        )
        bare = cls(
            endpoint=fields.text("endpoint", default=""),
            bucket=fields.text("bucket", default=""),
            name=fields.text("name") if is_ours else _key(fields),
            upload_id=fields.text("uploadId"),
            part_size=part_size,
            file=_file(fields.values.get("file")),
            file_size=file_size,
            source=_source(fields.values.get("source")),
        )
        told = [_part(item, at, file_size) for at, item in enumerate(fields.items("parts"))]
        done = [
            _done(item, at, bare) for at, item in enumerate(fields.items("doneParts", needed=not is_ours))
        ]
        return replace(
            bare, parts=tuple(_joined(bare, _distinct("parts", told), _distinct("doneParts", done)))
        )

    def dumps(self) -> str:
        """As JSON text in ASCII, without LF."""
        return json.dumps(self.to_json(), separators=(",", ":"))

    @classmethod
    def loads(cls, text: str | bytes) -> Checkpoint:
        """Raises CheckpointError."""
        try:
            value = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CheckpointError("", f"this is not JSON: {error}") from error
        return cls.from_json(value)

    def dump(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file that only this user can read; a crash leaves the old file or the new one. Raises OSError."""
        replace_file(Path(path), self.dumps().encode("ascii") + b"\n")

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Raises OSError, CheckpointError."""
        return cls.loads(Path(path).read_bytes())


def _place(number: int, part_size: int, file_size: int | None) -> tuple[int, int]:
    """Where ali-oss puts a part: offset and size. The size is 0 or less when that is behind the end."""
    offset = (number - 1) * part_size
    return offset, part_size if file_size is None else min(part_size, file_size - offset)


def _part_to_json(part: PartRecord) -> dict[str, object]:
    return {
        "number": part.number,
        "offset": part.offset,
        "size": part.size,
        "etag": part.etag,
        "crc64": None if part.crc64 is None else str(part.crc64),
    }


def _source_to_json(source: SourceIdentity) -> dict[str, object]:
    big = {name: getattr(source, name) for name in ("mtime_ns", "ctime_ns", "inode", "device", "edges_crc64")}
    texts = {name: None if value is None else str(value) for name, value in big.items()}
    return {"kind": source.kind, "size": source.size, **texts}


@dataclass(frozen=True, slots=True)
class _Fields:
    """A JSON object being read; `at` is where it stands in the whole."""

    values: Mapping[str, Any]  # Any: as JSON is
    at: str

    @classmethod
    def of(cls, value: object, at: str) -> _Fields:
        if not isinstance(value, Mapping):
            raise CheckpointError(at, f"expected an object, got {_shown(value)}")
        return cls(cast("Mapping[str, Any]", value), at)  # Any: as above

    def where(self, name: str) -> str:
        return f"{self.at}.{name}" if self.at else name

    def text(self, name: str, *, default: str | None = None) -> str:
        value = self.values.get(name)
        if value is None and default is not None:
            return default
        if not isinstance(value, str) or (not value and default is None):
            raise CheckpointError(self.where(name), f"expected a text, got {_shown(value)}")
        return value

    def integer(self, name: str, low: int, high: int, *, default: int | None = None) -> int:
        found = self.optional(name, low, high)
        if found is None and default is None:
            raise CheckpointError(self.where(name), "is missing")
        return cast("int", default if found is None else found)

    def optional(self, name: str, low: int, high: int) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if isinstance(value, str) and _DIGITS.fullmatch(value):
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise CheckpointError(self.where(name), f"expected a whole number, got {_shown(value)}")
        if not low <= value <= high:
            raise CheckpointError(self.where(name), f"expected {low} … {high}, got {_shown(value)}")
        return value

    def etag(self) -> str:
        value = self.text("etag")
        bare = value[1:-1] if len(value) > 1 and value[0] == value[-1] == '"' else value
        if not _ETAG.fullmatch(bare):
            raise CheckpointError(self.where("etag"), f"expected an ETag, got {_shown(value)}")
        return bare.upper()

    def items(self, name: str, *, needed: bool = False) -> list[object]:
        value = self.values.get(name)
        if value is None and not needed:
            return []
        if not isinstance(value, list):
            raise CheckpointError(self.where(name), f"expected a list, got {_shown(value)}")
        return cast("list[object]", value)


def _shown(value: object) -> str:
    """A wrong value, short enough for a message."""
    if isinstance(value, int) and value.bit_length() > 4 * _SHOWN:
        return "a huge number"  # Python refuses to write it out
    text = repr(value) if isinstance(value, str | int | float | None) else f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def _key(fields: _Fields) -> str:
    """ali-oss asks for the key without the slashes before it, and tells the name as it was given."""
    name = fields.text("name")
    if not (key := name.lstrip("/")):
        raise CheckpointError("name", f"expected a key, got {_shown(name)}")
    return key


def _file(value: object) -> str | None:
    """The path of the source. In browsers this is a File, whose JSON is {} or tells of a name that is not a path."""
    if isinstance(value, Mapping):
        value = cast("Mapping[str, object]", value).get("path")  # Electron's
        return value if isinstance(value, str) and value else None
    if value is None or isinstance(value, str):
        return value or None
    raise CheckpointError("file", f"expected a path or an object, got {_shown(value)}")


def _source(value: object) -> SourceIdentity | None:
    if value is None:
        return None
    fields = _Fields.of(value, "source")
    kind = fields.text("kind")
    if kind not in _KINDS:
        raise CheckpointError("source.kind", f"expected one of {', '.join(_KINDS)}, got {_shown(kind)}")
    return SourceIdentity(
        kind=kind,
        size=fields.optional("size", 0, _MAX_SIZE),
        mtime_ns=fields.optional("mtime_ns", -_MAX_UINT64, _MAX_UINT64),
        ctime_ns=fields.optional("ctime_ns", -_MAX_UINT64, _MAX_UINT64),
        inode=fields.optional("inode", 0, _MAX_UINT64),
        device=fields.optional("device", 0, _MAX_UINT64),
        edges_crc64=fields.optional("edges_crc64", 0, _MAX_UINT64),
    )


def _part(value: object, at: int, file_size: int | None) -> PartRecord:
    """One of our own parts."""
    fields = _Fields.of(value, f"parts[{at}]")
    part = PartRecord(
        number=fields.integer("number", 1, MAX_PART_NUMBER),
        offset=fields.integer("offset", 0, _MAX_SIZE),
        size=fields.integer("size", 0, _MAX_SIZE),
        etag=fields.etag(),
        crc64=fields.optional("crc64", 0, _MAX_UINT64),
    )
    if file_size is not None and part.offset + part.size > file_size:
        raise CheckpointError(fields.where("size"), f"the part ends behind the end of the file, {file_size}")
    return part


def _done(value: object, at: int, bare: Checkpoint) -> PartRecord:
    """One of ali-oss's."""
    fields = _Fields.of(value, f"doneParts[{at}]")
    number = fields.integer("number", 1, MAX_PART_NUMBER)
    offset, size = _place(number, bare.part_size, bare.file_size)
    if size <= 0 and (number, bare.file_size) != (1, 0):
        raise CheckpointError(fields.where("number"), f"part {number} would lie behind the end of the file")
    return PartRecord(number=number, offset=offset, size=size, etag=fields.etag())


def _distinct(field: str, parts: Iterable[PartRecord]) -> dict[int, PartRecord]:
    """By number. The same part twice is one, as ali-oss sees it."""
    distinct: dict[int, PartRecord] = {}
    for part in parts:
        if distinct.setdefault(part.number, part) != part:
            raise CheckpointError(field, f"part {part.number} is there twice, with different values")
    return distinct


def _joined(bare: Checkpoint, told: dict[int, PartRecord], done: dict[int, PartRecord]) -> list[PartRecord]:
    """Our parts and ali-oss's as one list, in which they follow each other as in the source.

    ali-oss adds to `doneParts` alone. Once it has, everything it will complete lies on its grid, and ours that does not is left out.
    """
    known = {
        number
        for number, part in told.items()
        if bare.on_grid(part) and part.etag == done.get(number, part).etag
    }
    if done.keys() <= known:
        joined = sorted(told.values(), key=lambda part: part.number)
    else:
        joined = list({**done, **{number: told[number] for number in known}}.values())
        joined.sort(key=lambda part: part.number)
    end = 0
    for part in joined:
        if part.offset < end:
            raise CheckpointError("parts", f"part {part.number} begins before the end of the one before it")
        end = part.offset + part.size
    return joined
