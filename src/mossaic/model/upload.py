"""A multipart upload in progress and its parts; what a list of parts becomes is decided in `plan_completion`."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import field
from functools import partial
from itertools import accumulate
from operator import attrgetter, le
from typing import TYPE_CHECKING, Final, Self

from mossaic.model.manifest import Manifest, Manifests
from mossaic.model.names import UploadId
from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.model.page import Cut
from mossaic.protocol.checksum import crc64_join_runs, joined_etag
from mossaic.protocol.errors import (
    ENTITY_TOO_SMALL,
    INVALID_ARGUMENT,
    INVALID_PART,
    INVALID_PART_ORDER,
    NO_SUCH_UPLOAD,
    OssError,
)
from mossaic.protocol.limits import MAX_PART_NUMBER, MIN_PART_SIZE
from mossaic.protocol.records import COMMA, Numbers, Texts, Words
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from mossaic.model.names import BucketName, ObjectKey
    from mossaic.protocol.part_list import PartList
    from mossaic.protocol.records import Moments

_SHOWN: Final = 256  # characters of a refused value that the error repeats


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What InitiateMultipartUpload froze: the object that Complete will make, and who began it. An upload that was begun through
    an upload-request link has `request_id` and `visit`."""

    upload_id: UploadId
    bucket: BucketName
    key: ObjectKey
    initiated_at: datetime
    initiator: str
    headers: ObjectHeaders = field(default_factory=ObjectHeaders)
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    acl: ObjectAcl = ObjectAcl.DEFAULT
    storage_class: StorageClass = StorageClass.STANDARD
    forbid_overwrite: bool = False
    sequential: bool = False
    request_id: str | None = None
    visit: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A stored part. number 1 … 10,000; size in bytes; etag is the upper-case hex MD5 of its bytes or `crc64_etag`."""

    number: int
    size: int
    etag: str
    crc64: int
    stored_at: datetime
    manifest: Manifest


@dataclass(frozen=True, slots=True, kw_only=True)
class PartColumns:
    """Stored parts in order of their numbers, column by column: 10,000 parts are five texts, not 10,000 objects.

    The columns are the fields of `Part`, with a comma as the gap; `packed` holds `Manifest.packed` of each.
    """

    numbers: Numbers = field(default_factory=partial(Numbers, b"", 0, COMMA))
    sizes: Numbers = field(default_factory=partial(Numbers, b"", 0, COMMA))
    etags: Texts = field(default_factory=partial(Texts, b"", 0, COMMA))
    crc64s: Words = field(default_factory=Words)
    packed: Manifests = field(default_factory=Manifests)

    @classmethod
    def of(cls, parts: Iterable[Part]) -> Self:
        ordered = sorted(parts, key=attrgetter("number"))
        return cls(
            numbers=Numbers.of([part.number for part in ordered], COMMA),
            sizes=Numbers.of([part.size for part in ordered], COMMA),
            etags=Texts.of([part.etag for part in ordered], COMMA),
            crc64s=Words.of([part.crc64 for part in ordered]),
            packed=Manifests.of([part.manifest.packed for part in ordered]),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def size(self) -> int:
        """Bytes of all of them."""
        return sum([size * count for size, count in self.sizes.runs()])

    def at(self, places: Sequence[int]) -> Self:
        """The parts at these places of the columns."""
        numbers, sizes, etags = self.numbers.pieces, self.sizes.pieces, self.etags.pieces
        return type(self)(
            numbers=Numbers.cut([numbers[place] for place in places], COMMA),
            sizes=Numbers.cut([sizes[place] for place in places], COMMA),
            etags=Texts.cut([etags[place] for place in places], COMMA),
            crc64s=Words.of([self.crc64s[place] for place in places]),
            packed=Manifests.of([self.packed[place] for place in places]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownParts:
    """What a listing shows of stored parts, column by column, one value a part."""

    numbers: Numbers
    sizes: Numbers
    etags: Texts
    crc64s: Numbers
    stored: Moments


@dataclass(frozen=True, slots=True, kw_only=True)
class PartPage(Cut):
    columns: ShownParts


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownUploads:
    """What a listing shows of uploads, column by column, one value an upload."""

    keys: Texts
    upload_ids: Texts
    initiated: Moments
    storage_classes: Texts


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPage(Cut):
    columns: ShownUploads


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """The result of Complete, kept as a receipt so that a repeated Complete gets the same answer.

    `digest` identifies the list of parts that was asked for (hex SHA-256 over number and etag of each).
    """

    upload_id: UploadId
    bucket: BucketName
    key: ObjectKey
    digest: str
    etag: str
    crc64: int
    size: int
    version_id: str | None
    completed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a list of parts becomes: the parts in order, and the object's size (bytes), ETag, CRC-64 and extents."""

    parts: PartColumns
    size: int
    etag: str
    crc64: int
    manifest: Manifest


def new_upload_id(now: datetime) -> UploadId:
    """32 upper-case hex digits: 48 bits of milliseconds, so that the ids of a key sort by age, and 80 random bits."""
    return UploadId(f"{int(now.timestamp() * 1000):012X}{secrets.token_hex(10).upper()}")


def no_such_upload(upload_id: str) -> OssError:
    """The upload is unknown, aborted, completed, or one of another key."""
    return OssError(NO_SUCH_UPLOAD, ec="0017-00000244", UploadId=_shown(upload_id))


def part_number(text: str | None) -> int:
    """The number in a query parameter, 1 … 10,000. Raises OssError INVALID_ARGUMENT."""
    if text is None:
        message = "An upload ID without a part number is not expected here."
        raise OssError(INVALID_ARGUMENT, message, ec="0017-00000219", ArgumentName="partNumber")
    if text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_PART_NUMBER:
        return int(text)
    message = f"Part number must be an integer between 1 and {MAX_PART_NUMBER}, inclusive."
    raise OssError(
        INVALID_ARGUMENT,
        message,
        ec="0017-00000220",
        ArgumentName="PartNumber",
        ArgumentValue=_shown(text),
    )


def list_digest(asked: PartList | None) -> str:
    """Identifies the list of parts that a Complete asks for; None stands for "all there are"."""
    if asked is None:
        return hashlib.sha256(b"all").hexdigest()
    return hashlib.sha256(asked.lines).hexdigest()


def plan_completion(stored: PartColumns, asked: PartList | None, *, upload_id: UploadId) -> Completion:
    """The object that `asked` makes of the stored parts; None takes all of them.

    Checks as OSS does and in its order: numbers ascend strictly; each part is there with that ETag; each but the last
    has 100 KiB. An empty list makes an empty object. Linear in the number of parts: some 4 ms for 10,000.

    Raises OssError: INVALID_PART_ORDER, INVALID_PART, ENTITY_TOO_SMALL.
    """
    parts = stored if asked is None else _chosen(stored, asked, upload_id)
    runs = parts.sizes.runs()
    _check_sizes(parts, runs)
    return Completion(
        parts=parts,
        size=parts.size,
        etag=joined_etag(parts.etags.whole.translate(None, COMMA), len(parts)),
        crc64=crc64_join_runs(parts.crc64s.whole, runs),
        manifest=Manifest(packed=parts.packed.whole),
    )


def _chosen(stored: PartColumns, asked: PartList, upload_id: UploadId) -> PartColumns:
    if asked.numbers == stored.numbers and asked.etags == stored.etags:
        return stored  # the usual list: all there are
    numbers, etags, there = tuple(asked.numbers), tuple(asked.etags), tuple(stored.etags)
    in_range = not numbers or (numbers[0] >= 1 and numbers[-1] <= MAX_PART_NUMBER)
    if not in_range or any(map(le, numbers[1:], numbers)):
        raise OssError(INVALID_PART_ORDER, ec="0042-00000209", UploadId=upload_id)
    places = {number: place for place, number in enumerate(stored.numbers)}
    found: list[int] = []
    for number, etag in zip(numbers, etags, strict=True):
        place = places.get(number)
        if place is None or there[place] != etag:
            raise OssError(INVALID_PART, UploadId=upload_id, PartNumber=number, ETag=_shown(etag))
        found.append(place)
    return stored.at(found)


def _check_sizes(parts: PartColumns, runs: Sequence[tuple[int, int]]) -> None:
    starts = accumulate([count for _, count in runs], initial=0)
    small = next(
        (start for start, (size, _) in zip(starts, runs, strict=False) if size < MIN_PART_SIZE), None
    )
    if small is not None and small < len(parts) - 1:
        raise OssError(
            ENTITY_TOO_SMALL,
            ec="0042-00000213",
            MinSizeAllowed=MIN_PART_SIZE,
            ProposedSize=parts.sizes[small],
            PartNumber=parts.numbers[small],
            ETag=parts.etags[small],
        )


def _shown(text: str) -> str:
    """A client's text as an error may repeat it: short, and without the surrogates of bytes that were not UTF-8."""
    return text[:_SHOWN].encode("utf-8", "replace").decode()
