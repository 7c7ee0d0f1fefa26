"""Folders up and down: what is moved, what is left alone, what fails alone, and how an interrupted run goes on."""

from __future__ import annotations

import os
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.calls.folders import Folders
from mossaic.client.client import Client
from mossaic.client.errors import DeadlineExceeded, FileAlreadyExists, NetworkError, NoSuchBucket
from mossaic.client.folder.entry import BatchCancelled, BatchProgress, FolderEvent
from mossaic.client.folder.names import UnsafeName
from mossaic.client.store import File
from tests.e2e.harness import PART, Server, noise
from tests.e2e.sdk.conftest import connect
from tests.faults.proxy import FaultProxy, Rule

TREE = {
    "a": b"a",
    "a-b": b"between",
    "a.d/x": b"",
    "b/c/deep": b"deep",
    "b/ü ?#%": b"odd",
    "big": noise(3 * PART + 5),
    "漢/字": b"han",
}


@pytest.fixture
def state(tmp_path: Path) -> File:
    return File(tmp_path / "state")


@pytest.fixture
def client(server: Server, bucket: str, state: File) -> Iterator[Client]:
    with connect(server, bucket, part_size=PART, store=state) as made:
        yield made


@pytest.fixture
def broken(server: Server, bucket: str, proxy: FaultProxy, state: File) -> Iterator[Client]:
    with connect(server, bucket, endpoint=proxy.endpoint, part_size=PART, store=state) as made:
        yield made


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return make(tmp_path / "source", TREE)


def make(folder: Path, tree: dict[str, bytes]) -> Path:
    for relative, data in tree.items():
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def tree_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }


def keys(client: Client, prefix: str = "") -> list[str]:
    return [entry.key for entry in client.list_objects(prefix)]  # type: ignore[union-attr]


# --- there and back -----------------------------------------------------------------------------------------------------


def test_a_folder_goes_up_and_comes_down_as_it_was(client: Client, source: Path, tmp_path: Path) -> None:
    up = client.upload_folder(source, "backup")
    down = client.download_folder("backup/", tmp_path / "new" / "copy")

    size = sum(map(len, TREE.values()))
    assert keys(client) == sorted(("backup/" + name for name in TREE), key=str.encode)
    assert tree_of(tmp_path / "new" / "copy") == TREE
    assert (up.moved, up.size, up.failed, up.skipped) == (len(TREE), size, 0, 0)
    assert (down.moved, down.size, down.failed, down.skipped) == (len(TREE), size, 0, 0)
    assert up.ok


def test_the_second_time_nothing_is_moved_and_little_is_asked(
    server: Server, bucket: str, client: Client, source: Path, tmp_path: Path
) -> None:
    client.upload_folder(source)
    client.download_folder("", tmp_path / "copy")
    before = len(server.log_lines(bucket=bucket))

    up = client.upload_folder(source)
    down = client.download_folder("", tmp_path / "copy")

    assert (up.moved, up.skipped) == (0, len(TREE))
    assert (down.moved, down.skipped) == (0, len(TREE))
    asked = [line["operation"] for line in server.log_lines(bucket=bucket)[before:]]
    # The object of several parts has no MD5 to compare by.
    assert sorted(asked) == ["HeadObject", "HeadObject", "ListObjectsV2", "ListObjectsV2"]


def test_what_changed_is_moved_even_if_its_size_and_time_did_not(
    client: Client, source: Path, tmp_path: Path
) -> None:
    client.upload_folder(source)
    before = (source / "a-b").stat()
    (source / "a-b").write_bytes(b"BETWEEN")
    os.utime(source / "a-b", ns=(before.st_atime_ns, before.st_mtime_ns))
    big = bytearray(TREE["big"])
    big[PART] ^= 1
    (source / "big").write_bytes(big)

    entries = [entry for entry in client.plan_upload_folder(source) if entry.action == "upload"]
    result = client.upload_folder(source)

    assert [(entry.key, entry.reason) for entry in entries] == [
        ("a-b", "other bytes"),
        ("big", "other bytes"),
    ]
    assert result.moved == 2
    assert client.get_bytes("a-b") == b"BETWEEN"
    assert client.get_bytes("big") == big


def test_by_time_only_what_is_newer_is_moved(client: Client, source: Path, tmp_path: Path) -> None:
    client.upload_folder(source)
    os.utime(source / "a", (4e9, 4e9))
    os.utime(source / "big", (1e9, 1e9))
    copy = make(tmp_path / "copy", TREE)
    os.utime(copy / "a", (1e9, 1e9))
    for name in TREE.keys() - {"a"}:
        os.utime(copy / name, (4e9, 4e9))

    up = [entry.key for entry in client.plan_upload_folder(source, skip="newer") if entry.action == "upload"]
    down = client.download_folder("", copy, skip="newer")

    assert "a" in up
    assert "big" not in up
    assert (down.moved, down.skipped) == (1, len(TREE) - 1)


def test_patterns_choose_on_both_ways(client: Client, source: Path, tmp_path: Path) -> None:
    client.upload_folder(source, exclude=["b/", "big"])
    assert keys(client) == ["a", "a-b", "a.d/x", "漢/字"]

    client.download_folder("", tmp_path / "copy", include="a*", exclude=["a-*"])
    assert sorted(tree_of(tmp_path / "copy")) == ["a", "a.d/x"]


def test_options_reach_every_object(client: Client, source: Path) -> None:
    client.upload_folder(source, meta={"by": "me"}, storage_class="IA", include=["a", "big"])

    for name in ("a", "big"):
        info = client.head(name)
        assert (info.meta, info.storage_class) == ({"by": "me"}, "IA")


def test_a_dry_run_counts_and_changes_nothing(client: Client, source: Path, tmp_path: Path) -> None:
    heard: list[FolderEvent] = []
    up = client.upload_folder(source, dry_run=True, on_event=heard.append)
    assert (up.moved, up.dry_run, keys(client)) == (len(TREE), True, [])
    assert {(each.kind, each.entry.action) for each in heard} == {("planned", "upload")}

    client.put("gone", b"")
    client.put("a", b"a")
    up = client.upload_folder(source, delete=True, dry_run=True)
    assert (up.moved, up.deleted, up.skipped) == (len(TREE) - 1, 1, 1)
    down = client.download_folder("", tmp_path / "copy", dry_run=True)
    assert (down.moved, (tmp_path / "copy").exists()) == (2, False)


def test_the_plan_is_in_the_order_of_keys_and_says_why(client: Client, source: Path) -> None:
    client.put("a", b"a")
    client.put("a-b", b"longer than it was")
    client.put("zz", b"")

    plan = [
        (entry.key, entry.action, entry.reason) for entry in client.plan_upload_folder(source, delete=True)
    ]

    assert plan == [
        ("a", "skip", "same"),
        ("a-b", "upload", "another size"),
        ("a.d/x", "upload", "new"),
        ("b/c/deep", "upload", "new"),
        ("b/ü ?#%", "upload", "new"),
        ("big", "upload", "new"),
        ("zz", "delete", "not in the folder"),
        ("漢/字", "upload", "new"),
    ]


def test_empty_folders_are_kept_when_asked_for(client: Client, source: Path, tmp_path: Path) -> None:
    (source / "hollow").mkdir()
    client.upload_folder(source)
    assert "hollow/" not in keys(client)

    client.upload_folder(source, empty_folders=True)
    client.download_folder("", tmp_path / "copy")

    assert "hollow/" in keys(client)
    assert (tmp_path / "copy" / "hollow").is_dir()
    again = client.download_folder("", tmp_path / "copy")
    assert again.moved == 0


# --- deleting -----------------------------------------------------------------------------------------------------------


def test_a_mirror_deletes_what_is_gone_and_only_below_the_prefix(
    client: Client, source: Path, tmp_path: Path
) -> None:
    for name in ("p/old", "p/b/old", "p/big/was a folder", "pp", "q/other", "p/keep.log"):
        client.put(name, b"x")

    up = client.upload_folder(source, "p", delete=True, exclude=["*.log"])

    assert up.deleted == 3
    assert keys(client) == sorted(
        [*("p/" + name for name in TREE), "p/keep.log", "pp", "q/other"], key=str.encode
    )

    copy = make(
        tmp_path / "copy", {"old": b"", "b/old": b"", "x/y": b"", "keep.log": b"", "t.0123456789ab.part": b""}
    )
    (copy / "link").symlink_to(source)
    down = client.download_folder("p", copy, delete=True, exclude=["*.log"])
    assert down.deleted == 3
    assert tree_of(copy) == TREE | {"keep.log": b"", "t.0123456789ab.part": b""}
    assert (copy / "link").is_symlink()
    assert tree_of(source) == TREE


def test_more_than_one_request_of_deletions(client: Client, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    many = make(tmp_path / "many", {f"{n:04}": b"" for n in range(1100)})
    assert client.upload_folder(many, jobs=8).moved == 1100

    result = client.upload_folder(empty, delete=True)

    assert result.deleted == 1100
    assert keys(client) == []


def test_a_folder_that_cannot_be_read_deletes_nothing_below_it(client: Client, source: Path) -> None:
    (source / "b" / "up").symlink_to(source)
    for name in ("b/up/x", "b/up/y/z", "b/up.txt"):
        client.put(name, b"")

    result = client.upload_folder(source, delete=True)

    assert (result.failed, result.deleted) == (1, 1)
    assert list(result.failures) == [str(source / "b" / "up")]
    assert {"b/up/x", "b/up/y/z"} < set(keys(client))


# --- failing ------------------------------------------------------------------------------------------------------------


def test_a_file_that_fails_does_not_stop_the_others(client: Client, source: Path) -> None:
    (source / "nowhere").symlink_to("none")
    client.put("a", b"there")
    heard: list[FolderEvent] = []

    result = client.upload_folder(source, skip="never", forbid_overwrite=True, on_event=heard.append)

    assert {Path(path).name: type(error) for path, error in result.failures.items()} == {
        "a": FileAlreadyExists,
        "nowhere": FileNotFoundError,
    }
    assert (result.failed, result.moved, result.ok) == (2, len(TREE) - 1, False)
    assert sorted(keys(client)) == sorted(TREE)
    assert [each.kind for each in heard].count("failed") == 2


def test_keys_that_would_leave_the_folder_are_failures(client: Client, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "door").symlink_to(tmp_path / "outside")
    (copy / "file").write_bytes(b"")
    bad = ["../evil", "a/../../evil", "x//evil", "x/./evil", "door/evil", "file/evil", "folder/"]
    for name in bad:
        client.put("p/" + name, b"evil")
    client.put("p/good", b"good")

    result = client.download_folder("p", copy)

    assert (result.moved, result.failed) == (1, len(bad))
    assert set(result.failures) == {"p/" + name for name in bad} - {"p/file/evil"} | {str(copy / "file/evil")}
    assert {type(result.failures["p/" + name]) for name in bad if name != "file/evil"} == {UnsafeName}
    assert isinstance(result.failures[str(copy / "file" / "evil")], OSError)
    assert list((tmp_path / "outside").iterdir()) == []
    assert list(tmp_path.rglob("evil")) == []
    assert tree_of(copy) == {"file": b"", "good": b"good"}


def test_a_bucket_that_is_not_there_ends_it(client: Client, source: Path, tmp_path: Path) -> None:
    with pytest.raises(NoSuchBucket):
        client.upload_folder(source, bucket="no-such-bucket-here", skip="never")
    with pytest.raises(NoSuchBucket):
        client.download_folder("", tmp_path / "copy", bucket="no-such-bucket-here")


def test_a_dead_line_ends_it_before_every_file_has_tried(
    broken: Client, proxy: FaultProxy, tmp_path: Path
) -> None:
    many = make(tmp_path / "many", {f"{n:03}": b"x" for n in range(200)})
    proxy.add(Rule(pattern="^PUT", times=10_000, cut_request=0))

    with pytest.raises(NetworkError):
        broken.upload_folder(many, jobs=2)

    assert len({seen.target for seen in proxy.seen if seen.method == "PUT"}) < 30


def test_no_folder_is_an_error(client: Client, source: Path, tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        client.upload_folder(tmp_path / "none")
    with pytest.raises(NotADirectoryError):
        client.download_folder("", source / "a")
    with pytest.raises(ValueError, match="skip"):
        client.upload_folder(source, skip="sometimes")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="jobs"):
        client.upload_folder(source, jobs=0)


def test_what_a_listener_raises_is_raised(client: Client, source: Path) -> None:
    def hear(_: FolderEvent) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        client.upload_folder(source, on_event=hear)


# --- interrupted ---------------------------------------------------------------------------------------------------------


def test_a_cancelled_upload_goes_on_with_what_is_missing(
    broken: Client, proxy: FaultProxy, source: Path, state: File
) -> None:
    plan = broken.plan_upload_folder(source, jobs=2)
    stop = Rule(
        pattern=r"^PUT [^?]*/big\?.*partNumber=3", call=lambda _: plan.cancel(), answer=(503, {}, b"")
    )
    proxy.add(stop)

    with pytest.raises(BatchCancelled) as caught:
        plan.run()
    assert caught.value.result.moved == len(keys(broken))
    assert len(list(state.names())) == 1
    sent = proxy.part_numbers()
    proxy.clear()
    proxy.seen.clear()

    result = broken.upload_folder(source)

    assert result.ok
    assert result.resumed_bytes == 2 * PART
    assert (sent, proxy.part_numbers()) == ([1, 2, 3], [3, 4])
    assert sorted(keys(broken)) == sorted(TREE)
    assert list(state.names()) == []


def test_a_cancelled_download_goes_on_with_what_is_missing(
    broken: Client, proxy: FaultProxy, source: Path, tmp_path: Path
) -> None:
    broken.upload_folder(source)
    plan = broken.plan_download_folder("", tmp_path / "copy", jobs=2)
    proxy.add(Rule(pattern=r"^GET [^?]*/big", skip=2, call=lambda _: plan.cancel()))

    with pytest.raises(BatchCancelled):
        plan.run()

    result = broken.download_folder("", tmp_path / "copy", delete=True)
    assert result.resumed_bytes == 2 * PART
    assert tree_of(tmp_path / "copy") == TREE


def test_a_keyboard_interrupt_leaves_a_state_to_go_on_from(
    broken: Client, proxy: FaultProxy, source: Path
) -> None:
    def progress(seen: BatchProgress) -> None:
        if any(name.endswith("big") and each.stored >= PART for name, each in seen.active.items()):
            raise KeyboardInterrupt

    release = threading.Event()
    proxy.add(Rule(pattern=r"^PUT [^?]*/big\?.*partNumber=3", call=lambda _: release.wait(20) and None))
    with pytest.raises(KeyboardInterrupt):
        broken.upload_folder(source, progress=progress)
    release.set()

    assert broken.upload_folder(source).resumed_bytes >= PART


def test_a_deadline_holds_for_all(broken: Client, proxy: FaultProxy, source: Path) -> None:
    release = threading.Event()
    proxy.add(Rule(pattern=r"^PUT [^?]*/big", times=100, call=lambda _: release.wait(20) and None))

    with pytest.raises(DeadlineExceeded):
        broken.upload_folder(source, deadline=1.0)
    release.set()


def test_a_pause_holds_every_file(broken: Client, proxy: FaultProxy, source: Path) -> None:
    plan = broken.plan_upload_folder(source, jobs=2)
    paused = threading.Event()

    def pause(_: Any) -> None:
        plan.pause()
        paused.set()

    proxy.add(Rule(pattern=r"^PUT [^?]*/big\?.*partNumber=2", call=pause))
    results: list[Any] = []
    runner = threading.Thread(target=lambda: results.append(plan.run()))
    runner.start()
    assert paused.wait(20)
    runner.join(0.3)
    assert runner.is_alive()
    plan.resume()
    runner.join(20)

    assert results[0].moved == len(TREE)


def test_all_files_share_one_bandwidth(client: Client, source: Path) -> None:
    plan = client.plan_upload_folder(source, bandwidth=20_000)
    runner = threading.Thread(target=plan.run)
    runner.start()
    runner.join(0.5)
    held = plan.progress.sent
    plan.set_bandwidth(None)
    runner.join(20)

    assert held < 60_000
    assert sorted(keys(client)) == sorted(TREE)


# --- watched ------------------------------------------------------------------------------------------------------------


def test_progress_never_falls_and_ends_at_all(client: Client, source: Path) -> None:
    client.put("a", b"a")
    heard: list[BatchProgress] = []

    client.upload_folder(source, progress=heard.append)

    size = sum(map(len, TREE.values()))
    for name in ("sent", "done", "files"):
        values = [getattr(each, name) for each in heard]
        assert values == sorted(values)
    last = heard[-1]
    assert (last.sent, last.total, last.done, last.files, last.skipped) == (
        size,
        size,
        len(TREE),
        len(TREE),
        1,
    )
    assert (last.counted, last.fraction, dict(last.active)) == (True, 1.0, {})


def test_events_tell_of_every_file(client: Client, source: Path) -> None:
    client.put("a", b"a")
    client.put("old", b"")
    assert client.upload_folder(source, include="a").skipped == 1
    heard: list[FolderEvent] = []

    client.upload_folder(source, delete=True, on_event=heard.append)

    by_kind: dict[str, set[str]] = {}
    for each in heard:
        by_kind.setdefault(each.kind, set()).add(each.entry.key)
    assert by_kind == {
        "skipped": {"a"},
        "deleted": {"old"},
        "begun": TREE.keys() - {"a"},
        "done": TREE.keys() - {"a"},
    }
    assert all(each.result.name == each.entry.key for each in heard if each.kind == "done")


def test_memory_does_not_grow_with_the_number_of_files(client: Client, tmp_path: Path) -> None:
    def peak(count: int) -> int:
        make(tmp_path / "many", {f"{n % 50:02}/{n}": b"x" for n in range(count)})
        tracemalloc.start()
        assert client.upload_folder(tmp_path / "many", jobs=4, dry_run=True).moved == count
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    few = peak(300)
    assert peak(3000) < few + 200_000


def test_the_calls_are_those_of_folders() -> None:
    assert issubclass(Client, Folders)
