"""`mossaic ls|rm|mv|cat|stat|du|meta` on a running service."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import NoSuchKey

if TYPE_CHECKING:
    from mossaic.client.client import Client
    from tests.e2e.cli.command import Command

TREE = ("logs", "logs/a", "logs/b/c", "logs2", "z")


@pytest.fixture
def tree(client: Client, place: str) -> str:
    """A bucket with TREE in it, ten bytes each."""
    for key in TREE:
        client.put(key, b"x" * 10, bucket=place)
    return place


def keys(client: Client, bucket: str) -> list[str]:
    return [entry.key for entry in client.list_objects(bucket=bucket)]  # type: ignore[union-attr]  # no delimiter, no prefixes


# --- ls ---------------------------------------------------------------------------------------------------------------


def test_ls_lists_buckets(mossaic: Command, place: str) -> None:
    assert f"oss://{place}" in [row[2] for row in mossaic.ok("ls", "--plain").rows()]


def test_ls_shows_one_level_with_folders_between_the_objects(mossaic: Command, tree: str) -> None:
    found = mossaic.ok("ls", "--json", f"oss://{tree}").records()

    assert [(each["kind"], each["key"]) for each in found] == [
        ("object", "logs"), ("folder", "logs/"), ("object", "logs2"), ("object", "z"),
    ]  # fmt: skip
    assert found[0]["size"] == 10
    assert found[0]["modified_at"].endswith("Z")


def test_ls_r_lists_everything_and_n_stops(mossaic: Command, tree: str) -> None:
    everything = [row[2] for row in mossaic.ok("ls", "-r", "--plain", f"oss://{tree}").rows()]
    assert everything == [f"oss://{tree}/{key}" for key in TREE]
    assert len(mossaic.ok("ls", "-r", "-n", "2", f"oss://{tree}").lines) == 2


def test_ls_l_tells_class_type_and_etag(mossaic: Command, tree: str) -> None:
    (row,) = mossaic.ok("ls", "-l", "--plain", f"oss://{tree}/z").rows()

    assert row[1:] == ["10", "Standard", "Normal", row[4], f"oss://{tree}/z"]
    assert len(row[4]) == 32


def test_ls_versions_tells_what_is_latest_older_and_deleted(
    mossaic: Command, client: Client, place: str
) -> None:
    client.put_versioning("Enabled", bucket=place)
    client.put("k", b"1", bucket=place)
    client.put("k", b"2", bucket=place)
    client.delete("k", bucket=place)

    found = mossaic.ok("ls", "--versions", "--json", f"oss://{place}").records()

    assert [each["state"] for each in found] == ["deleted", "older", "older"]
    assert [each["is_latest"] for each in found] == [True, False, False]
    assert len({each["version_id"] for each in found}) == 3


def test_ls_writes_out_what_a_terminal_would_obey(mossaic: Command, client: Client, place: str) -> None:
    client.put("a\tb\\\x1b[31m", b"", bucket=place)

    assert mossaic.ok("ls", f"oss://{place}").lines[0].endswith(r"/a\tb\\x1b[31m")
    assert mossaic.ok("ls", "--plain", f"oss://{place}").rows()[0][2].endswith(r"/a\tb\\\x1b[31m")
    assert mossaic.ok("ls", "--json", f"oss://{place}").records()[0]["key"] == "a\tb\\\x1b[31m"


# --- rm ---------------------------------------------------------------------------------------------------------------


def test_rm_deletes_an_object_and_fails_for_one_that_is_not_there(
    mossaic: Command, client: Client, tree: str
) -> None:
    assert mossaic.ok("rm", f"oss://{tree}/z").lines == [f"deleted oss://{tree}/z"]
    assert not client.exists("z", bucket=tree)
    assert "NoSuchKey" in mossaic.fails(1, "rm", f"oss://{tree}/z").err
    mossaic.ok("rm", "-f", f"oss://{tree}/z")


def test_rm_r_takes_a_folder_and_no_neighbours(mossaic: Command, client: Client, tree: str) -> None:
    done = mossaic.ok("rm", "-r", "--yes", "--json", f"oss://{tree}/logs")

    assert [each["url"] for each in done.records()] == [f"oss://{tree}/{key}" for key in TREE[:3]]
    assert {each["event"] for each in done.records()} == {"deleted"}
    assert keys(client, tree) == ["logs2", "z"]


def test_rm_r_prefix_takes_all_that_begins_so(mossaic: Command, client: Client, tree: str) -> None:
    mossaic.ok("rm", "-r", "--prefix", "-y", f"oss://{tree}/log")

    assert keys(client, tree) == ["z"]


def test_rm_r_refuses_without_a_terminal_and_does_nothing(
    mossaic: Command, client: Client, tree: str
) -> None:
    assert "say --yes" in mossaic.fails(2, "rm", "-r", f"oss://{tree}").err
    assert keys(client, tree) == sorted(TREE)


def test_rm_r_asks_on_a_terminal(mossaic: Command, client: Client, tree: str) -> None:
    code, screen = mossaic.on_terminal("rm", "-r", f"oss://{tree}/logs/", typed=b"n\n", when=b"[y/N]")
    assert "Delete 2 objects" in screen
    assert (code, len(keys(client, tree))) == (1, 5)

    code, _ = mossaic.on_terminal("rm", "-r", f"oss://{tree}/logs/", typed=b"y\n", when=b"[y/N]")
    assert (code, len(keys(client, tree))) == (0, 3)


def test_rm_dry_run_deletes_nothing(mossaic: Command, client: Client, tree: str) -> None:
    done = mossaic.ok("rm", "-r", "--dry-run", "--plain", f"oss://{tree}/logs/")

    assert [row[0] for row in done.rows()] == ["would-delete", "would-delete"]
    assert keys(client, tree) == sorted(TREE)


def test_rm_versions_deletes_for_good(mossaic: Command, client: Client, place: str) -> None:
    client.put_versioning("Enabled", bucket=place)
    client.put("k", b"1", bucket=place)
    client.put("k2", b"1", bucket=place)
    client.delete("k", bucket=place)

    mossaic.ok("rm", "--versions", "--yes", f"oss://{place}/k")

    assert [entry.key for entry in client.list_versions(bucket=place)] == ["k2"]  # type: ignore[union-attr]  # as above


def test_rm_of_a_folder_wants_r(mossaic: Command, tree: str) -> None:
    assert "say -r" in mossaic.fails(2, "rm", f"oss://{tree}/logs/").err


# --- mv ---------------------------------------------------------------------------------------------------------------


def test_mv_moves_an_object_with_its_metadata(mossaic: Command, client: Client, place: str) -> None:
    client.put(
        "a", b"abc", bucket=place, meta={"who": "me"}, tags={"t": "1"}, mime="text/x-odd", storage_class="IA"
    )

    (moved,) = mossaic.ok("mv", "--json", f"oss://{place}/a", f"oss://{place}/dir/").records()

    assert (moved["event"], moved["target"], moved["size"]) == ("moved", f"oss://{place}/dir/a", 3)
    info = client.head("dir/a", bucket=place)
    assert (dict(info.meta), info.content_type, info.storage_class) == ({"who": "me"}, "text/x-odd", "IA")
    assert client.get_tags("dir/a", bucket=place) == {"t": "1"}
    with pytest.raises(NoSuchKey):
        client.head("a", bucket=place)


def test_mv_r_moves_a_folder(mossaic: Command, client: Client, tree: str) -> None:
    mossaic.ok("mv", "-r", f"oss://{tree}/logs", f"oss://{tree}/old")

    assert keys(client, tree) == ["logs", "logs2", "old/a", "old/b/c", "z"]


def test_mv_no_clobber_leaves_both_alone(mossaic: Command, client: Client, tree: str) -> None:
    done = mossaic.fails(1, "mv", "--no-clobber", f"oss://{tree}/z", f"oss://{tree}/logs")

    assert "FileAlreadyExists" in done.err
    assert keys(client, tree) == sorted(TREE)


def test_mv_takes_a_file_there_and_removes_it_here(mossaic: Command, client: Client, place: str) -> None:
    file = mossaic.home / "note.txt"
    file.write_bytes(b"hello")

    mossaic.ok("mv", "note.txt", f"oss://{place}/in/")

    assert client.get_bytes("in/note.txt", bucket=place) == b"hello"
    assert not file.exists()


def test_mv_keeps_the_file_when_it_did_not_arrive(mossaic: Command) -> None:
    file = mossaic.home / "note.txt"
    file.write_bytes(b"hello")

    assert "NoSuchBucket" in mossaic.fails(1, "mv", "note.txt", "oss://no-such-bucket-here/in").err
    assert file.read_bytes() == b"hello"


@pytest.mark.parametrize("target", ["oss://{0}/z", "oss://{0}/logs/deep/"])
def test_mv_into_itself_is_refused(mossaic: Command, client: Client, tree: str, target: str) -> None:
    source = ["oss://{0}/z"] if target.endswith("z") else ["-r", "oss://{0}/logs"]

    mossaic.fails(2, "mv", *[each.format(tree) for each in (*source, target)])

    assert keys(client, tree) == sorted(TREE)


# --- cat, stat, du, meta ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "expected"), [("0-2", b"012"), ("7-", b"789"), ("-2", b"89"), ("bytes=3-3", b"3")]
)
def test_cat_writes_ranges(mossaic: Command, client: Client, place: str, span: str, expected: bytes) -> None:
    client.put("k", b"0123456789", bucket=place)

    assert mossaic.ok("cat", f"--range={span}", f"oss://{place}/k").out.encode() == expected


def test_cat_writes_objects_one_after_the_other(mossaic: Command, client: Client, place: str) -> None:
    client.put("a", b"a\r\n", bucket=place)
    client.put("b", "\u00fc".encode(), bucket=place)

    assert mossaic.ok("cat", f"oss://{place}/a", f"oss://{place}/b").out == "a\r\n\u00fc"


def test_cat_writes_a_version(mossaic: Command, client: Client, place: str) -> None:
    client.put_versioning("Enabled", bucket=place)
    first = client.put("k", b"one", bucket=place).version_id
    client.put("k", b"two", bucket=place)

    assert mossaic.ok("cat", "--version-id", str(first), f"oss://{place}/k").out == "one"


@pytest.mark.parametrize("span", ["x", "-", "5-2", "-0", "1-2-3"])
def test_cat_refuses_a_range_that_is_none(mossaic: Command, span: str) -> None:
    assert "--range" in mossaic.fails(2, "cat", f"--range={span}", "oss://bucket/k").err


def test_stat_of_an_object_in_three_faces(mossaic: Command, client: Client, place: str) -> None:
    put = client.put("k", b"abc", bucket=place, meta={"who": "m\u00fc"})

    (record,) = mossaic.ok("stat", "--json", f"oss://{place}/k").records()
    plain = dict(mossaic.ok("stat", "--plain", f"oss://{place}/k").rows())
    human = mossaic.ok("stat", f"oss://{place}/k").out

    assert (record["size"], record["etag"], record["meta"]) == (3, put.etag, {"who": "m\u00fc"})
    assert record["crc64"] == str(put.crc64) == plain["crc64"]
    assert plain["meta.who"] == "m\u00fc"
    assert "content type" in human
    assert "3 B" in human


def test_stat_of_a_bucket_counts(mossaic: Command, tree: str) -> None:
    (record,) = mossaic.ok("stat", "--json", f"oss://{tree}").records()

    assert (record["kind"], record["objects"], record["size"], record["acl"]) == ("bucket", 5, 50, "private")


def test_du_adds_up_folders(mossaic: Command, tree: str) -> None:
    assert mossaic.ok("du", "--plain", f"oss://{tree}").rows() == [["50", "5", f"oss://{tree}"]]
    assert mossaic.ok("du", "-r", "2", "--plain", f"oss://{tree}").rows() == [
        ["20", "2", f"oss://{tree}/logs/"],
        ["10", "1", f"oss://{tree}/logs/b/"],
        ["50", "5", f"oss://{tree}"],
    ]
    assert mossaic.ok("du", "--plain", f"oss://{tree}/none").rows() == [["0", "0", f"oss://{tree}/none"]]


def test_meta_set_changes_what_is_named_and_keeps_the_rest(
    mossaic: Command, client: Client, place: str
) -> None:
    client.put(
        "k",
        b"abc",
        bucket=place,
        meta={"a": "1", "b": "2"},
        tags={"t": "1"},
        headers={"Cache-Control": "no-cache"},
    )
    client.put_acl("k", "public-read", bucket=place)

    mossaic.ok("meta", "set", f"oss://{place}/k", "c=x=y", "--remove", "a", "--content-type", "text/x-odd")

    info = client.head("k", bucket=place)
    assert dict(info.meta) == {"b": "2", "c": "x=y"}
    assert (info.content_type, info.cache_control, info.size) == ("text/x-odd", "no-cache", 3)
    assert client.get_tags("k", bucket=place) == {"t": "1"}
    assert client.get_acl("k", bucket=place).acl == "public-read"
    assert ["meta.b", "2"] in mossaic.ok("meta", "get", "--plain", f"oss://{place}/k").rows()


def test_meta_set_replace_forgets_the_rest(mossaic: Command, client: Client, place: str) -> None:
    client.put("k", b"abc", bucket=place, meta={"a": "1"}, headers={"Cache-Control": "no-cache"})

    mossaic.ok("meta", "set", "--replace", f"oss://{place}/k", "c=3")

    info = client.head("k", bucket=place)
    assert (dict(info.meta), info.cache_control) == ({"c": "3"}, None)


def test_meta_set_of_nothing_is_wrong_usage(mossaic: Command) -> None:
    assert "nothing to set" in mossaic.fails(2, "meta", "set", "oss://bucket/k").err
