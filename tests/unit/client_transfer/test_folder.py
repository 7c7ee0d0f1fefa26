"""Folders by their pure parts: patterns, names, the walk in the order of keys, and the two sides brought together."""

from __future__ import annotations

import os
import random
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.errors import MossaicError, NoSuchKey
from mossaic.client.folder.compare import why_differs
from mossaic.client.folder.entry import Found, Skip, Stored
from mossaic.client.folder.merge import merged
from mossaic.client.folder.names import Inside, UnsafeName, is_unfinished, relative_path
from mossaic.client.folder.patterns import Filter
from mossaic.client.folder.service import Service
from mossaic.client.folder.walk import walk
from mossaic.client.results import ObjectInfo
from mossaic.protocol.checksum import crc64, md5_hex

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def a_file(relative: str, *, problem: Exception | None = None) -> Found:
    return Found(relative=relative, path="/x/" + relative, problem=problem)


def an_object(relative: str, **other: object) -> Stored:
    given: dict[str, object] = {"size": 1, "etag": "E", "modified_at": EPOCH} | other
    return Stored(relative=relative, key="p/" + relative, **given)


# --- patterns -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "matching", "other"),
    [
        ("*.jpg", "a.jpg b/c/d.jpg .jpg", "a.jpeg jpg a.jpg.txt"),
        ("build", "build build/x a/build/b/c", "builds abuild a/builds/x"),
        ("build/", "build/x a/build/", "build a/build"),
        ("docs/*.md", "docs/a.md", "docs/a/b.md x/docs/a.md"),
        ("docs/**/*.md", "docs/a.md docs/a/b.md", "x/docs/a.md docs/a.txt"),
        ("/top", "top top/x", "a/top"),
        ("**/x", "x a/x a/b/x/y", "ax"),
        ("a**z", "az a/b/z", "a/b"),
        ("?.txt", "a.txt b/c.txt", "ab.txt .txt"),
        ("[a-c]1", "a1 d/c1", "d1"),
        ("[!a-c]1", "d1", "a1"),
        ("a[/]b", "", "a/b"),
        ("[.+(", "[.+(", "a"),
        ("ä*", "äö", "aö"),
        ("a\nb", "a\nb", "a"),
    ],
)
def test_a_pattern_matches_what_it_says(pattern: str, matching: str, other: str) -> None:
    wanted = Filter(include=[pattern])
    split = (lambda text: text.split(" ")) if "\n" in pattern else str.split

    assert [path for path in split(matching) if not wanted.takes(path)] == []
    assert [path for path in split(other) if wanted.takes(path)] == []


def test_exclude_outweighs_include_and_closes_folders() -> None:
    wanted = Filter(include=["*.py"], exclude=["tests", "*_gen.py"])

    assert wanted.takes("src/a.py")
    assert not wanted.takes("src/a.txt")
    assert not wanted.takes("src/a_gen.py")
    assert not wanted.takes("tests/a.py")
    assert wanted.enters("src/")
    assert not wanted.enters("src/tests/")


def test_no_pattern_takes_everything_and_an_empty_one_is_refused() -> None:
    assert Filter().takes("any/thing")
    with pytest.raises(ValueError, match="empty"):
        Filter(exclude=["/"])


# --- names --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "relative",
    [
        "../x",
        "a/../../x",
        "a/..",
        "/etc/passwd",
        "a//b",
        "./a",
        "a/./b",
        "a\0b",
        "C:/x",
        "c:\\x",
        "C:",
        "..",
        "",
        "/",
        "\udcff",
    ],
)
def test_a_key_that_would_leave_the_folder_is_refused(relative: str) -> None:
    with pytest.raises(UnsafeName):
        relative_path(relative)


@pytest.mark.parametrize(
    "relative", ["a", "a/b", "...", "a..b", "..a/b", "dir/", "time 12:30", "back\\slash", "ä 漢"]
)
def test_any_other_key_is_a_path(relative: str) -> None:
    assert relative_path(relative) == relative


def test_a_symbolic_link_out_of_the_folder_is_no_way(tmp_path: Path) -> None:
    folder, outside = tmp_path / "in", tmp_path / "out"
    (folder / "real").mkdir(parents=True)
    outside.mkdir()
    (folder / "door").symlink_to(outside)
    (folder / "back").symlink_to("real")
    (folder / "file").symlink_to(outside / "secret")
    inside = Inside(folder)

    inside.check(str(folder / "real" / "x"))
    inside.check(str(folder / "back" / "x"))
    inside.check(str(folder / "not" / "there" / "x"))
    for path in (folder / "door" / "x", folder / "door" / "deep" / "x", folder / "file"):
        with pytest.raises(UnsafeName):
            inside.check(str(path))


def test_what_an_interrupted_download_leaves_is_known() -> None:
    assert is_unfinished("a/b.txt.0123456789ab.part")
    assert not is_unfinished("a/b.part")
    assert not is_unfinished("a.0123456789ab.part/b")


# --- the walk -----------------------------------------------------------------------------------------------------------


def make(folder: Path, *relatives: str) -> None:
    for relative in relatives:
        path = folder / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir() if relative.endswith("/") else path.write_bytes(relative.encode())


def test_the_walk_is_in_the_order_of_keys(tmp_path: Path) -> None:
    names = [
        "a/b",
        "a/b/".replace("b/", "c/d"),
        "a-b",
        "a.txt",
        "a0",
        "A",
        "ä",
        "漢",
        "\U0001f600",
        "z/y/x/w",
    ]
    make(tmp_path, *names)

    found = [each.relative for each in walk(str(tmp_path), Filter(), symlinks="follow")]

    assert found == sorted(names, key=str.encode)


def test_the_walk_goes_as_deep_as_folders_do(tmp_path: Path) -> None:
    deep = "/".join(["d"] * 1200)
    before = Path.cwd()
    try:
        os.chdir(tmp_path)
        for _ in range(1200):
            Path("d").mkdir()
            os.chdir("d")
        Path("f").write_bytes(b"")
        os.chdir(tmp_path)
        found = [each.relative for each in walk(".", Filter(), symlinks="follow")]
        subprocess.run(["rm", "-rf", "d"], check=True)  # pytest cannot remove what is so deep
    finally:
        os.chdir(before)

    assert found == [deep + "/f"]


def test_links_are_followed_or_left_alone(tmp_path: Path) -> None:
    make(tmp_path, "real/x")
    (tmp_path / "file").symlink_to("real/x")
    (tmp_path / "folder").symlink_to("real")
    (tmp_path / "nowhere").symlink_to("none")

    followed = {each.relative: each for each in walk(str(tmp_path), Filter(), symlinks="follow")}
    skipped = {each.relative: each.reason for each in walk(str(tmp_path), Filter(), symlinks="skip")}

    assert [name for name, each in followed.items() if not each.problem] == ["file", "folder/x", "real/x"]
    assert isinstance(followed["nowhere"].problem, FileNotFoundError)
    assert skipped == dict.fromkeys(("file", "folder", "nowhere"), "a symbolic link") | {"real/x": ""}


def test_a_link_back_up_is_a_failure_and_no_loop(tmp_path: Path) -> None:
    make(tmp_path, "a/b/x")
    (tmp_path / "a" / "b" / "up").symlink_to(tmp_path / "a")

    found = list(walk(str(tmp_path), Filter(), symlinks="follow"))

    assert [each.relative for each in found] == ["a/b/up/", "a/b/x"]
    assert isinstance(found[0].problem, OSError)


def test_pipes_and_unfinished_downloads_are_left_alone(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    make(tmp_path, "x.0123456789ab.part")

    reasons = {each.relative: each.reason for each in walk(str(tmp_path), Filter(), symlinks="follow")}

    assert reasons == {"pipe": "not a regular file", "x.0123456789ab.part": "an unfinished download"}


def test_a_name_that_is_not_utf8_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"bad\xff")).write_bytes(b"")
    (tmp_path / os.fsdecode(b"folder\xff")).mkdir()

    found = list(walk(str(tmp_path), Filter(), symlinks="follow"))

    assert [type(each.problem) for each in found] == [UnsafeName, UnsafeName]


def test_empty_folders_appear_when_asked_for(tmp_path: Path) -> None:
    make(tmp_path, "empty/", "full/x", "full/hollow/")

    assert [each.relative for each in walk(str(tmp_path), Filter(), symlinks="follow")] == ["full/x"]
    found = walk(str(tmp_path), Filter(), symlinks="follow", empty_folders=True)
    assert [each.relative for each in found] == ["empty/", "full/hollow/", "full/x"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(walk(str(tmp_path / "none"), Filter(), symlinks="follow"))


# --- merging ------------------------------------------------------------------------------------------------------------


def pairs(local: list[Found], remote: list[Stored]) -> list[tuple[str | None, str | None]]:
    return [(mine and mine.relative, theirs and theirs.relative) for mine, theirs in merged(local, remote)]


def test_both_sides_come_together_by_key() -> None:
    rng = random.Random(7)
    for _ in range(50):
        mine = sorted(rng.sample("abcdefgh", rng.randint(0, 8)))
        theirs = sorted(rng.sample("abcdefgh", rng.randint(0, 8)))

        got = pairs([a_file(name) for name in mine], [an_object(name) for name in theirs])

        every = sorted({*mine, *theirs})
        assert got == [(n if n in mine else None, n if n in theirs else None) for n in every]


def test_nothing_is_said_of_objects_below_a_folder_that_cannot_be_read() -> None:
    local = [a_file("a"), a_file("d/", problem=PermissionError()), a_file("e")]
    remote = [an_object(name) for name in ("a", "d.txt", "d/x", "d/y/z", "d0", "e")]

    assert pairs(local, remote) == [("a", "a"), (None, "d.txt"), ("d/", None), (None, "d0"), ("e", "e")]


def test_a_listing_in_disorder_is_not_believed() -> None:
    with pytest.raises(MossaicError, match="order"):
        pairs([], [an_object("b"), an_object("a")])


# --- comparing ----------------------------------------------------------------------------------------------------------


def nobody(_: str) -> ObjectInfo:
    raise AssertionError("the service was asked")


def asked(head: Callable[[str], ObjectInfo]) -> Service:
    def never(*_: object) -> Any:
        raise AssertionError("the service was asked")

    return Service(
        prefix="p/",
        objects=never,
        head=head,
        delete=never,
        put_folder=never,
        check=lambda: None,
        transfer=never,
    )


def on_disk(path: Path, data: bytes) -> Found:
    path.write_bytes(data)
    found = path.stat()
    return Found(relative="x", path=str(path), size=found.st_size, mtime_ns=found.st_mtime_ns)


def told(data: bytes | None, *, crc: bool = True) -> Callable[[str], ObjectInfo]:
    info = ObjectInfo(
        bucket="b",
        name="x",
        size=len(data or b""),
        etag="E",
        modified_at=EPOCH,
        crc64=crc64(data or b"") if crc else None,
    )

    def head(_: str) -> ObjectInfo:
        if data is None:
            raise NoSuchKey(code="NoSuchKey", status=404, message="gone")
        return info

    return head


def test_sizes_are_compared_first_and_an_md5_needs_no_request(tmp_path: Path) -> None:
    mine = on_disk(tmp_path / "x", b"hello")

    same = an_object("x", size=5, etag=md5_hex(b"hello"))
    assert why_differs(mine, same, "same", upload=True, service=asked(nobody)) == ""
    assert (
        why_differs(mine, an_object("x", size=6), "same", upload=True, service=asked(nobody))
        == "another size"
    )
    assert why_differs(mine, None, "same", upload=True, service=asked(nobody)) == "new"
    empty = on_disk(tmp_path / "y", b"")
    assert why_differs(empty, an_object("y", size=0), "same", upload=True, service=asked(nobody)) == ""


@pytest.mark.parametrize(
    ("stored", "crc", "why"),
    [
        (b"hello", True, ""),
        (b"hallo", True, "other bytes"),
        (b"hello", False, "other bytes"),
        (None, True, "other bytes"),
    ],
)
def test_otherwise_the_crc_decides(tmp_path: Path, stored: bytes | None, crc: bool, why: str) -> None:
    mine = on_disk(tmp_path / "x", b"hello")

    for etag in (md5_hex(b"other"), "0" * 32 + "-2"):
        theirs = an_object("x", size=5, etag=etag)
        assert why_differs(mine, theirs, "same", upload=True, service=asked(told(stored, crc=crc))) == why


def test_a_symbolic_link_there_is_followed_before_its_size_counts(tmp_path: Path) -> None:
    mine = on_disk(tmp_path / "x", b"hello")
    theirs = an_object("x", size=0, etag="", is_symlink=True)

    assert why_differs(mine, theirs, "same", upload=True, service=asked(told(b"hello"))) == ""


@pytest.mark.parametrize(
    ("skip", "upload", "offset_s", "why"),
    [
        ("newer", True, 0.0, ""),
        ("newer", True, 0.5, "newer"),
        ("newer", True, -1.0, ""),
        ("newer", False, 0.5, "newer"),
        ("newer", False, 1.0, ""),
        ("newer", False, -1.0, "newer"),
        ("never", True, -5.0, "asked for"),
    ],
)
def test_times_of_whole_seconds_are_newer_in_doubt(
    skip: Skip, upload: bool, offset_s: float, why: str
) -> None:
    mine = Found(
        relative="x", path="x", size=1, mtime_ns=int((EPOCH + timedelta(seconds=offset_s)).timestamp() * 1e9)
    )

    assert why_differs(mine, an_object("x"), skip, upload=upload, service=asked(nobody)) == why
