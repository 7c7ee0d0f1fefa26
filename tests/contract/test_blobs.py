"""Laws of blob stores."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mossaic.model.names import BlobId, new_blob_id
from mossaic.ports import Damaged
from mossaic.stores.blobs import FileBlobs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.ports import BlobStore


def future() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)


def listed(blobs: BlobStore) -> dict[BlobId, int]:
    return dict(blobs.list(before=future()))


def write(blobs: BlobStore, pieces: Sequence[bytes], *, length: int | None = None) -> BlobId:
    blob_id = new_blob_id()
    sink = blobs.create(blob_id, length)
    for piece in pieces:
        sink.write(memoryview(piece))
    sink.commit()
    return blob_id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(st.binary(max_size=50), max_size=6), data=st.data())
def test_any_range_equals_the_slice(blobs: BlobStore, pieces: list[bytes], data: st.DataObject) -> None:
    content = b"".join(pieces)
    start = data.draw(st.integers(0, len(content)))
    stop = data.draw(st.integers(start, len(content)))

    blob_id = write(blobs, pieces, length=data.draw(st.sampled_from([None, len(content)])))

    with blobs.open(blob_id) as source:
        assert source.read(start, stop - start) == content[start:stop]
        with pytest.raises(Damaged):
            source.read(start, len(content) - start + 1)


@pytest.mark.parametrize("length", [None, 300_000, 5_000_000, 100_000])
def test_a_blob_is_as_long_as_what_was_written_whatever_was_announced(
    blobs: BlobStore, length: int | None
) -> None:
    pieces = [os.urandom(100_000) for _ in range(3)]

    blob_id = write(blobs, pieces, length=length)

    assert listed(blobs) == {blob_id: 300_000}
    with blobs.open(blob_id) as source:
        assert source.read(0, 300_000) == b"".join(pieces)


def test_a_blob_written_whole_can_be_sent_from_its_descriptor(blobs: BlobStore) -> None:
    blob_id = write(blobs, [b"hello"])

    with blobs.open(blob_id) as source:
        descriptor = source.fileno()
        assert descriptor is None or os.pread(descriptor, 10, 0) == b"hello"


def test_what_is_discarded_leaves_nothing(blobs: BlobStore) -> None:
    sink = blobs.create(new_blob_id(), 1_000_000)
    sink.write(memoryview(b"x" * 100_000))

    sink.discard()
    sink.discard()

    assert listed(blobs) == {}


def test_an_unfinished_write_is_listed_for_the_orphan_sweep(blobs: BlobStore) -> None:
    blob_id = new_blob_id()
    sink = blobs.create(blob_id, None)
    sink.write(memoryview(b"x"))

    assert list(listed(blobs)) == [blob_id]
    assert dict(blobs.list(before=datetime.now(UTC) - timedelta(days=1))) == {}
    sink.discard()


def test_an_id_is_used_once(blobs: BlobStore) -> None:
    blob_id = write(blobs, [b"first"])

    with pytest.raises(OSError):
        blobs.create(blob_id, None)
    with blobs.open(blob_id) as source:
        assert source.read(0, 5) == b"first"


def test_deleting_twice_is_fine(blobs: BlobStore) -> None:
    blob_id, kept = write(blobs, [b"a"]), write(blobs, [b"b"])

    blobs.delete([blob_id, new_blob_id()])
    blobs.delete([blob_id])

    assert listed(blobs) == {kept: 1}


def test_opening_what_is_not_there_says_damaged(blobs: BlobStore) -> None:
    with pytest.raises(Damaged), blobs.open(new_blob_id()):
        pytest.fail("opened")


@pytest.mark.parametrize(
    "text", ["", "../../etc/passwd", "A" * 32, "0" * 31, "0" * 33, "/" * 32, "0" * 32 + "\n"]
)
def test_an_id_that_is_not_ours_never_becomes_a_path(blobs: BlobStore, text: str) -> None:
    with pytest.raises(ValueError, match="32"):
        blobs.create(BlobId(text), None)
    with pytest.raises(ValueError, match="32"):
        blobs.delete([BlobId(text)])
    with pytest.raises(ValueError, match="32"), blobs.open(BlobId(text)):
        pytest.fail("opened")


def test_probe_leaves_nothing(blobs: BlobStore) -> None:
    blobs.probe()

    assert listed(blobs) == {}


def test_blobs_survive_reopening(tmp_path: Path) -> None:
    blob_id = write(FileBlobs(tmp_path / "blobs"), [b"kept"])

    with FileBlobs(tmp_path / "blobs").open(blob_id) as source:
        assert source.read(0, 4) == b"kept"


def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths whose content goes to the disk from now on, in order."""
    paths: list[str] = []
    fsync = os.fsync

    def follow(descriptor: int) -> None:
        paths.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", follow)
    return paths


def test_the_first_blob_of_a_folder_waits_until_the_folder_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "blobs"
    blobs = FileBlobs(root)
    (root / "1/a").mkdir(parents=True)  # by a process that has not synced it
    paths = synced(monkeypatch)

    for number in ("1", "2"):
        sink = blobs.create(BlobId("1a" + number * 30), None)
        before = list(paths)
        sink.commit()

    chain = [str(root / "1"), str(root), str(tmp_path)]
    assert before[:3] == chain
    assert paths == [*chain, str(root / "1/a"), str(root / "1/a")]


@pytest.mark.parametrize("length", [None, 1_000_000])
def test_the_name_of_a_long_blob_goes_to_the_disk_while_its_bytes_still_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int | None
) -> None:
    root = tmp_path / "blobs"
    FileBlobs(root).prepare()
    paths = synced(monkeypatch)
    sink = FileBlobs(root).create(BlobId("1a" + "0" * 30), length)
    assert paths == []

    sink.write(memoryview(bytes(500_000)))
    deadline = time.monotonic() + 30
    while not paths and time.monotonic() < deadline:
        time.sleep(0.001)
    assert paths == [str(root / "1/a")]

    sink.write(memoryview(bytes(500_000)))
    sink.commit()

    assert paths == [str(root / "1/a")]


def test_all_of_a_blob_is_on_its_way_to_the_disk_before_it_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last piece is hashed after it was written, while the disk works."""
    asked = list[tuple[int, int]]()
    monkeypatch.setattr(
        "mossaic.stores.blobs.ahead.start_writeback",
        lambda _, offset, length: asked.append((offset, offset + length)),
    )
    sink = FileBlobs(tmp_path / "blobs").create(new_blob_id(), 700_000)

    for size in (100_000, 200_000, 250_000, 150_000):
        sink.write(memoryview(bytes(size)))
    before = list(asked)
    sink.commit()

    assert before == [(0, 300_000), (300_000, 700_000)]
    assert asked == before


def test_folders_that_another_process_has_made_are_relied_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "blobs"
    blobs = FileBlobs(root)
    FileBlobs(root).prepare()
    paths = synced(monkeypatch)

    blobs.create(BlobId("1a" + "0" * 30), None).commit()

    assert paths == [str(root / "1/a")]  # for the name of the blob
    assert blobs.is_prepared


def test_whoever_sees_that_all_folders_are_made_finds_them_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "blobs"
    paths = synced(monkeypatch)
    before_marker: list[set[str]] = []
    touch = Path.touch
    monkeypatch.setattr(Path, "touch", lambda path: (before_marker.append(set(paths)), touch(path)))

    FileBlobs(root).prepare()

    assert before_marker == [{str(root), str(tmp_path), *(str(root / f"{first:x}") for first in range(16))}]


def test_prepared_folders_are_there_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "blobs"
    FileBlobs(root).prepare()
    paths = synced(monkeypatch)

    again = FileBlobs(root)
    again.prepare()
    again.create(BlobId("1a" + "0" * 30), None).commit()

    assert paths == [str(root / "1/a")]  # for the name of the blob
    assert len(list(root.glob("[0-9a-f]/[0-9a-f]"))) == 256


GET_FLAGS, SET_FLAGS, TOP = 0x80086601, 0x40086602, 0x20000  # linux/fs.h, on a system of 64 bits


def flags_of(folder: Path, *, add: int = 0) -> int | None:
    """The folder's flags, with some more; None where the file system has no such thing."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        (flags,) = struct.unpack("i4x", fcntl.ioctl(descriptor, GET_FLAGS, bytes(8)))
        if add:
            fcntl.ioctl(descriptor, SET_FLAGS, struct.pack("i4x", flags | add))
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return int(flags)


@pytest.mark.parametrize("prepare", [True, False])
def test_folders_lie_apart_where_the_file_system_can(tmp_path: Path, *, prepare: bool) -> None:
    probe = tmp_path / "probe"
    probe.mkdir()
    wanted = sys.platform == "linux" and flags_of(probe, add=TOP) is not None
    root = tmp_path / "blobs"
    blobs = FileBlobs(root)

    if prepare:
        blobs.prepare()
    else:
        write(blobs, [b"abc"])

    holders = [root, *root.glob("?")]
    assert len(holders) == (17 if prepare else 2)
    assert {bool((flags_of(holder) or 0) & TOP) for holder in holders} == {wanted}
    assert not any((flags_of(leaf) or 0) & TOP for leaf in root.glob("?/?")), "nothing is made in those"


def test_a_file_system_that_has_no_flags_is_none_the_worse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> bytes:
        raise OSError(errno.ENOTTY, "no such thing here")

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    blobs = FileBlobs(tmp_path / "blobs")
    blob_id = write(blobs, [b"abc"])
    blobs.prepare()

    assert listed(blobs) == {blob_id: 3}
    assert blobs.is_prepared


def test_files_of_others_are_not_listed(tmp_path: Path) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    blobs.prepare()
    (tmp_path / "blobs" / "0" / "0" / ".nfs0000").write_bytes(b"x")

    assert listed(blobs) == {}


def test_a_full_disk_raises_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands in for the disk's end: the kernel refuses in the same place."""
    blobs = FileBlobs(tmp_path / "blobs")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
    try:
        for length in (None, 1_000_000):
            sink = blobs.create(new_blob_id(), length)
            with pytest.raises(OSError) as full:
                sink.write(memoryview(b"x" * 1_000_000))
            assert full.value.errno in {errno.EFBIG, errno.ENOSPC}
            sink.discard()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)

    assert listed(blobs) == {}


def test_a_failed_sync_is_not_acknowledged_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = FileBlobs(tmp_path / "blobs")
    sink = blobs.create(new_blob_id(), None)
    sink.write(memoryview(b"x"))

    def fails(descriptor: int) -> None:
        raise OSError(errno.EIO, "input/output error")

    monkeypatch.setattr(os, "fdatasync", fails)  # the kernel's answer, not a class of ours
    with pytest.raises(OSError):
        sink.commit()

    assert listed(blobs) == {}


def cached(path: Path) -> float:
    """The share of a file that the system's cache holds. Only what is there is read: looking brings nothing in."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.mmap.restype = ctypes.c_void_p
    size = path.stat().st_size
    with path.open("rb") as file:
        address = libc.mmap(None, ctypes.c_size_t(size), mmap.PROT_READ, mmap.MAP_SHARED, file.fileno(), 0)
    pages = (ctypes.c_ubyte * -(-size // mmap.PAGESIZE))()
    assert libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(size), pages) == 0
    libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))
    return sum(byte & 1 for byte in pages) / len(pages)


def gives_up(folder: Path) -> bool:
    """Whether the file system does give up what is asked of it: one in memory cannot."""
    probe = folder / "probe"
    probe.write_bytes(b"x" * 100_000)
    with probe.open("rb") as file:
        os.fdatasync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    return cached(probe) == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux is asked to give up what it has cached")
@pytest.mark.parametrize("warm_bytes", [0, 1_000_000, 64_000_000])
@pytest.mark.parametrize("size", [300_000, 20_000_000])
def test_only_what_was_written_last_stays_in_the_systems_cache(
    tmp_path: Path, warm_bytes: int, size: int
) -> None:
    if not gives_up(tmp_path):
        pytest.skip("this file system keeps in memory whatever is asked of it")
    blobs = FileBlobs(tmp_path / "blobs", warm_bytes=warm_bytes)
    content = os.urandom(size)
    pieces = [content[start : start + 500_000] for start in range(0, size, 500_000)]

    written = [write(blobs, pieces, length=size) for _ in range(5)]

    shares = [cached(tmp_path / "blobs" / name[0] / name[1] / name) for name in written]
    whole = min(len(written), warm_bytes // size)
    older = shares[: len(shares) - whole]
    # The kernel passes over a page that somebody else just looks at, and gives up others by itself.
    assert all(share > 0.9 for share in shares[len(older) :]), shares
    # Of the next one there may be more left, as of one that was still on its way to the disk.
    assert all(share < 0.1 for share in older[:-1]), shares
    for name in written:
        with blobs.open(name) as source:
            assert source.read(0, size) == content
