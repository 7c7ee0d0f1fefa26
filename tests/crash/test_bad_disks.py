"""Disks that are full, that fail, and that forget: the client is told, everything else stays, and it can be gone on."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

import oss2
import pytest
import requests

from tests.crash.strace import attached, need_strace
from tests.crash.support import Store, blob_files, fsck, until
from tests.e2e.harness import PART, Server, build_server, need_tool, noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

MIB = 1024 * 1024
DISK = 24 * MIB


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Server]:
    """A server whose data lies on a file system of 24 MiB. Needs root, for the mount."""
    need_tool("mount")
    folder = tmp_path / "small"
    (folder / "data").mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder / "data")]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("a small file system cannot be mounted here: that needs root")
    server = build_server(folder, SWEEP_READER_GRACE_S="0")
    try:
        yield server.start()
    finally:
        server.kill()
        subprocess.run(["umount", str(folder / "data")], check=True)


@pytest.fixture
def server(make_server: Callable[..., Server]) -> Server:
    """One process: it is the one that is traced."""
    return make_server(WORKERS="1")


def refused(work: object, status: int = 503) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as error:
        work()  # type: ignore[operator]  # a call without arguments
    assert error.value.status == status


def test_a_full_disk_answers_503_loses_nothing_and_goes_on_when_there_is_room(small_disk: Server) -> None:
    server = small_disk
    store = Store.on(server)
    store.client.put_object("earlier", noise(MIB))
    store.client.put_object("small", b"small")
    upload_id = store.begin("big")
    parts = []
    with pytest.raises(oss2.exceptions.ServerError) as error:
        parts.extend(
            store.part("big", upload_id, number, noise(3 * MIB, seed=number)) for number in range(1, 20)
        )
    assert (error.value.status, error.value.code) == (503, "ServiceUnavailable")
    files = len(blob_files(server))
    assert files == 1 + len(parts)  # nothing of the part that did not fit

    _fill(server.data / "filler")
    refused(lambda: store.client.upload_part("big", upload_id, 20, noise(MIB)))
    refused(lambda: store.client.put_object("earlier", noise(MIB, seed=2)))
    for _ in range(300):  # until the database, too, finds no room
        try:
            store.client.put_object("small", noise(16_000))
        except oss2.exceptions.ServerError as full:
            assert full.status == 503  # noqa: PT017  # the loop ends here
            break
    else:
        pytest.fail("the disk never got full")

    # Reading goes on, and what was there is as it was.
    assert store.get("earlier") == noise(MIB)
    assert set(store.parts("big", upload_id)) == {part.part_number for part in parts}
    assert len(blob_files(server)) == files
    (server.data / "filler").unlink()
    store.client.complete_multipart_upload("big", upload_id, parts)
    assert store.get("big") == b"".join(noise(3 * MIB, seed=part.part_number) for part in parts)
    store.client.delete_object("big")
    until(lambda: len(blob_files(server)) == 1, "deleting makes room")
    again = store.begin("big")
    store.part("big", again, 1, noise(12 * MIB))
    store.client.abort_multipart_upload("big", again)
    until(lambda: len(blob_files(server)) == 1, "aborting makes room")
    assert server.stop() == 0
    assert fsck(server)[0] == 0


def test_a_part_whose_row_found_no_room_leaves_no_bytes(small_disk: Server) -> None:
    """The bytes fit, the database does not: they must not stay as an orphan that makes the disk fuller for a day."""
    server = small_disk
    store = Store.on(server)
    upload_id = store.begin("big")
    _fill(server.data / "filler", leave=0)
    for number in range(1, 600):  # what is left of the WAL
        try:
            store.client.upload_part("big", upload_id, number, b"")
        except oss2.exceptions.ServerError as full:
            assert full.status == 503  # noqa: PT017  # the loop ends here
            break
    with (server.data / "filler").open("r+b") as filler:
        filler.truncate(filler.seek(0, 2) - PART)

    for _ in range(3):  # clients try again
        refused(lambda: store.client.upload_part("big", upload_id, 601, noise(PART)))
        refused(lambda: store.client.put_object("object", noise(PART)))

    assert "Full: no room for metadata" in server.output
    assert blob_files(server) == []


def _fill(path: Path, leave: int = 64 * 1024) -> None:
    """Leave no more than so many bytes on the disk of that path."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    with path.open("r+b") as file:
        file.truncate(max(0, file.seek(0, 2) - leave))


def _fault(store: Store, call: str, error: str, path: str, *, when: str = "1+") -> object:
    """Every such call on files of the server whose path is `path` (of the data directory) fails."""
    assert store.server.process is not None
    return attached(
        store.server.process.pid,
        "-f",
        f"--trace-path={store.server.data / path}",
        f"--inject={call}:error={error}:when={when}",
    )


def test_metadata_that_cannot_be_synced_is_never_acknowledged(store: Store) -> None:
    need_strace()
    server = store.server
    store.client.put_object("earlier", noise(200_000))
    upload_id = store.begin("big")
    part = store.part("big", upload_id, 1, noise(PART))

    with _fault(store, "fdatasync,fsync", "EIO", "metadata.db-wal"):  # type: ignore[attr-defined]
        refused(lambda: store.client.upload_part("big", upload_id, 2, noise(PART, seed=2)), 500)

    # After a failed sync nobody knows what is on the disk: it takes no writes until it was restarted, but reads.
    refused(lambda: store.client.put_object("later", b"x"), 500)
    refused(lambda: store.client.complete_multipart_upload("big", upload_id, [part]), 500)
    assert store.get("earlier") == noise(200_000)
    assert server.request("GET", "/-/readyz")[0] == 503
    server.kill()
    server.start()
    assert store.parts("big", upload_id)[1] == part.etag
    store.client.complete_multipart_upload("big", upload_id, [part])
    assert store.get("big") == noise(PART)
    server.stop()
    assert fsck(server)[0] == 0


def test_a_folder_that_cannot_be_synced_fails_the_part_only(store: Store) -> None:
    need_strace()
    server = store.server
    upload_id = store.begin("big")
    assert server.process is not None
    until((server.data / "blobs/folders-made").exists, "all folders are there")
    paths = [f"--trace-path={path}" for path in (server.data / "blobs").glob("?/?")]
    assert len(paths) == 256
    with attached(server.process.pid, "-f", *paths, "--inject=fsync:error=EIO"):
        refused(lambda: store.client.upload_part("big", upload_id, 1, noise(PART)), 500)

    assert store.parts("big", upload_id) == {}
    assert blob_files(server) == []
    part = store.part("big", upload_id, 1, noise(PART))
    store.client.complete_multipart_upload("big", upload_id, [part])
    assert store.get("big") == noise(PART)


def test_flipped_bits_are_found_by_fsck_and_named(store: Store) -> None:
    server = store.server
    store.client.put_object("good", noise(200_000))
    (good,) = blob_files(server)
    store.client.put_object("rotten", noise(200_000, seed=2))
    (rotten,) = set(blob_files(server)) - {good}
    assert fsck(server)[0] == 0
    with rotten.open("r+b") as file:
        file.seek(123_456)
        byte = file.read(1)[0]
        file.seek(123_456)
        file.write(bytes([byte ^ 1]))

    code, report = fsck(server)

    assert code == 1
    assert rotten.name in report
    assert good.name not in report


@pytest.mark.parametrize("damage", ["missing", "short"])
def test_lost_bytes_cost_one_object_and_never_give_a_wrong_answer(store: Store, damage: str) -> None:
    server = store.server
    for number in range(3):
        store.client.put_object(f"good-{number}", noise(200_000, seed=number))
    before = set(blob_files(server))
    store.client.put_object("broken", noise(600_000, seed=9))
    (file,) = set(blob_files(server)) - before
    if damage == "missing":
        file.unlink()
    else:
        os.truncate(file, 300_000)

    for _ in range(3):
        with pytest.raises((requests.RequestException, oss2.exceptions.OssError)) as error:
            store.get("broken")
        # a broken connection (oss2 gives it a status below 0, or none), or an honest error
        assert getattr(error.value, "status", 0) <= 0 or error.value.status == 500

    for number in range(3):
        assert store.get(f"good-{number}") == noise(200_000, seed=number)
    code, report = fsck(server)
    assert code == 1
    assert file.name in report
    store.client.put_object("broken", noise(600_000, seed=9))
    assert store.get("broken") == noise(600_000, seed=9)
