"""Receiving a body: counted, hashed, checked, and nothing left of what was refused. On real blob files."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

import pytest

from mossaic.model.object import Blob
from mossaic.protocol.checksum import crc64, md5_hex
from mossaic.protocol.errors import REQUEST_TIMEOUT, OssError
from mossaic.protocol.limits import MIB
from mossaic.protocol.operations.multipart import UploadPart
from mossaic.service.intake import INLINE_UP_TO, Expected, Intake
from mossaic.stores.blobs.files import FileBlobs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from mossaic.ports import BodyReader

T = TypeVar("T")
FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
NOISE = hashlib.shake_256(b"noise").digest(3_000_000)


class Trickle:
    """A body that arrives in pieces of `piece` bytes; `said` is its Content-Length (None: chunked)."""

    def __init__(
        self, content: bytes, *, said: int | None, piece: int = 70_000, fails: Exception | None = None
    ) -> None:
        self.length = said
        self.read_calls = 0
        self.largest = 0
        self._left = memoryview(content)
        self._piece = piece
        self._fails = fails

    def readinto(self, buffer: memoryview) -> int:
        self.read_calls += 1
        self.largest = max(self.largest, len(buffer))
        count = min(len(buffer), self._piece, len(self._left))
        if count == 0 and self._fails is not None:
            raise self._fails
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    async def read(self, limit: int) -> bytes:
        self.read_calls += 1
        return bytes(self._left[:limit])

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        return await asyncio.to_thread(work, self)


def whole(content: bytes, *, piece: int = 70_000) -> Trickle:
    return Trickle(content, said=len(content), piece=piece)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory: pytest.TempPathFactory) -> FileBlobs:
    return FileBlobs(tmp_path_factory.mktemp("blobs"), sync=False)


@pytest.fixture
async def intake(blobs: FileBlobs) -> AsyncIterator[Intake]:
    yield Intake(blobs)
    blobs.delete([blob_id for blob_id, _ in blobs.list(before=FOREVER)])


def files(blobs: FileBlobs) -> list[int]:
    """The sizes of all blobs that lie there, unfinished ones included."""
    return [size for _, size in blobs.list(before=FOREVER)]


async def refusal(intake: Intake, body: Trickle, expected: Expected) -> OssError:
    with pytest.raises(OssError) as caught:
        await intake.receive(body, expected, inline_up_to=0)
    return caught.value


@pytest.mark.parametrize("said", [True, False], ids=["content-length", "chunked"])
@pytest.mark.parametrize("size", [INLINE_UP_TO + 1, 131_072, 524_288, 524_289, 3_000_000])
async def test_a_long_body_becomes_a_blob_with_its_hashes(
    intake: Intake, blobs: FileBlobs, size: int, said: bool
) -> None:
    content = NOISE[:size]

    received = await intake.receive(Trickle(content, said=size if said else None), Expected())

    assert (received.size, received.md5, received.crc64) == (size, md5_hex(content), crc64(content))
    assert received.inline is None
    assert received.blob == Blob(
        blob_id=received.new_blobs[0].blob_id, size=size, md5=md5_hex(content), crc64=crc64(content)
    )
    with blobs.open(received.new_blobs[0].blob_id) as source:
        assert source.read(0, size) == content
    assert files(blobs) == [size]


@pytest.mark.parametrize("said", [True, False], ids=["content-length", "chunked"])
@pytest.mark.parametrize("size", [0, 1, INLINE_UP_TO])
async def test_a_short_body_is_given_back(intake: Intake, blobs: FileBlobs, size: int, said: bool) -> None:
    content = NOISE[:size]

    received = await intake.receive(Trickle(content, said=size if said else None, piece=1000), Expected())

    assert (received.inline, received.blob, received.size) == (content, None, size)
    assert (received.md5, received.crc64) == (md5_hex(content), crc64(content))
    assert files(blobs) == []


async def test_a_short_body_becomes_a_blob_where_nothing_is_inline(intake: Intake, blobs: FileBlobs) -> None:
    received = await intake.receive(whole(b"x"), Expected(), inline_up_to=0)

    assert received.inline is None
    assert files(blobs) == [1]


async def test_an_empty_body_is_inline_always(intake: Intake, blobs: FileBlobs) -> None:
    received = await intake.receive(Trickle(b"", said=None), Expected(), inline_up_to=0)

    assert (received.inline, received.blob) == (b"", None)
    assert files(blobs) == []


async def test_memory_stays_within_one_buffer_whatever_the_size(intake: Intake) -> None:
    body = whole(NOISE, piece=1_000_000)

    await intake.receive(body, Expected())

    assert body.largest <= MIB


async def test_bodies_at_once_do_not_share_a_buffer(intake: Intake, blobs: FileBlobs) -> None:
    contents = [NOISE[offset : offset + 800_000] for offset in range(0, 2_000_000, 250_000)]

    received = await asyncio.gather(
        *(intake.receive(whole(content, piece=9_000), Expected()) for content in contents)
    )

    for content, one in zip(contents, received, strict=True):
        with blobs.open(one.new_blobs[0].blob_id) as source:
            assert source.read(0, one.size) == content


def test_after_many_bodies_at_once_few_buffers_are_kept(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = list[memoryview]()
    monkeypatch.setattr("mossaic.service.intake._buffers", kept)
    together = threading.Barrier(20)

    class Waiting(Trickle):
        def readinto(self, buffer: memoryview) -> int:
            if self.read_calls == 0:
                together.wait(30)
            return super().readinto(buffer)

    with ThreadPoolExecutor(20) as threads:
        received = list(
            threads.map(
                lambda number: intake.take(Waiting(NOISE[number : number + 200_000], said=None), Expected()),
                range(20),
            )
        )

    assert [one.md5 for one in received] == [
        md5_hex(NOISE[number : number + 200_000]) for number in range(20)
    ]
    assert 8 <= len(kept) < 20, "two threads that look at once may keep one more"


async def test_a_body_that_fails_gives_its_buffer_back(
    intake: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = list[memoryview]()
    monkeypatch.setattr("mossaic.service.intake._buffers", kept)

    for _ in range(3):
        await refusal(intake, Trickle(NOISE[:1000], said=1_000_000), Expected())

    assert len(kept) == 1


async def test_a_length_beyond_the_limit_is_refused_before_a_byte_is_read(
    intake: Intake, blobs: FileBlobs
) -> None:
    body = whole(NOISE[:1001])

    error = await refusal(intake, body, Expected(max_size=1000))

    assert (error.code, error.status) == ("EntityTooLarge", 400)
    assert error.extras == {"MaxSizeAllowed": "1000", "ProposedSize": "1001"}
    assert body.read_calls == 0
    assert files(blobs) == []


async def test_a_chunked_body_beyond_the_limit_leaves_nothing(intake: Intake, blobs: FileBlobs) -> None:
    error = await refusal(intake, Trickle(NOISE, said=None), Expected(max_size=1_000_000))

    assert error.code == "EntityTooLarge"
    assert files(blobs) == []


@pytest.mark.parametrize("size", [5, 1_000_000])
async def test_a_body_shorter_than_said_is_incomplete(intake: Intake, blobs: FileBlobs, size: int) -> None:
    error = await refusal(intake, Trickle(NOISE[:size], said=size + 1), Expected())

    assert error.code == "IncompleteBody"
    assert files(blobs) == []


@pytest.mark.parametrize("size", [0, 1_000_000])
async def test_a_client_that_goes_away_leaves_nothing(intake: Intake, blobs: FileBlobs, size: int) -> None:
    body = Trickle(NOISE[:size], said=2_000_000, fails=OssError(REQUEST_TIMEOUT))

    error = await refusal(intake, body, Expected())

    assert error.code == "RequestTimeout"
    assert files(blobs) == []


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
async def test_the_right_checksums_pass(intake: Intake, size: int) -> None:
    content = NOISE[:size]
    md5 = base64.b64encode(hashlib.md5(content).digest()).decode()

    received = await intake.receive(whole(content), Expected(content_md5=md5, crc64=str(crc64(content))))

    assert received.size == size


@pytest.mark.parametrize("size", [0, 10, 1_000_000])
async def test_another_md5_is_refused_and_leaves_nothing(intake: Intake, blobs: FileBlobs, size: int) -> None:
    other = base64.b64encode(hashlib.md5(b"other").digest()).decode()

    error = await refusal(intake, whole(NOISE[:size]), Expected(content_md5=other))

    assert (error.code, error.status) == ("InvalidDigest", 400)
    assert files(blobs) == []


@pytest.mark.parametrize(
    "text", ["", "x", "not base64!", "AAAA", base64.b64encode(b"a" * 17).decode(), "d" * 32, "é"]
)
async def test_a_content_md5_that_is_none_is_refused_before_a_byte_is_read(intake: Intake, text: str) -> None:
    body = whole(NOISE)

    error = await refusal(intake, body, Expected(content_md5=text))

    assert error.code == "InvalidDigest"
    assert body.read_calls == 0


@pytest.mark.parametrize("claimed", ["0", "1", "-1", "abc", ""])
async def test_another_crc64_is_refused_and_leaves_nothing(
    intake: Intake, blobs: FileBlobs, claimed: str
) -> None:
    error = await refusal(intake, whole(NOISE), Expected(crc64=claimed))

    assert (error.code, error.status) == ("InvalidCRC64", 400)
    assert files(blobs) == []


async def test_discarding_deletes_the_blob_and_may_be_repeated(intake: Intake, blobs: FileBlobs) -> None:
    received = await intake.receive(whole(NOISE), Expected())
    short = await intake.receive(whole(b"short"), Expected())

    await intake.discard(received)
    await intake.discard(received)
    await intake.discard(short)

    assert files(blobs) == []


async def test_a_disk_that_fails_passes_through_and_leaves_no_blob(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "blobs", sync=False)
    for name in "0123456789abcdef":
        (tmp_path / "blobs" / name).write_bytes(b"no folder can be here")

    with pytest.raises(OSError, match=r"exists|Not a directory"):
        await Intake(blobs).receive(whole(NOISE), Expected())


def test_a_body_whose_end_is_not_said_is_refused() -> None:
    def asked(**headers: str) -> UploadPart:
        return UploadPart(bucket="b", key="k", upload_id="U", part_number="1", **headers)

    with pytest.raises(OssError) as caught:
        Expected.by(asked())

    assert (caught.value.code, caught.value.status) == ("MissingContentLength", 411)
    assert Expected.by(asked(transfer_encoding="chunked")) == Expected()
    assert Expected.by(asked(content_length="5", crc64="7", content_md5="m"), max_size=9) == Expected(
        crc64="7", content_md5="m", max_size=9
    )
