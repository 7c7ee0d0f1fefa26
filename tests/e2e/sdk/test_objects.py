"""The other object calls of the SDK: copy, rename, append, delete, names, and what hangs on objects."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.errors import (
    AccessDenied,
    FileAlreadyExists,
    NoSuchBucket,
    NoSuchKey,
    NotModified,
    NotSymlink,
    ObjectNotAppendable,
    PositionNotEqualToLength,
    PreconditionFailed,
    SymlinkTargetNotExist,
)
from mossaic.protocol.checksum import crc64
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server
from tests.e2e.sdk.conftest import QUICK, SMALL, connect
from tests.faults.proxy import FaultProxy, Rule

# --- copy, rename, append ---------------------------------------------------------------------------------------------


def test_a_copy_takes_headers_and_tags_along(client: Client) -> None:
    put = client.put("a/ü ?&", SMALL, meta={"a": "1"}, tags={"t": "1"}, mime="text/x-a")

    copied = client.copy("a/ü ?&", "b")

    assert (copied.etag, copied.crc64, copied.name) == (put.etag, put.crc64, "b")
    assert copied.modified_at.tzinfo is not None
    head = client.head("b")
    assert (head.meta, head.content_type) == ({"a": "1"}, "text/x-a")
    assert client.get_tags("b") == {"t": "1"}


def test_a_copy_with_options_of_its_own_replaces_them(client: Client) -> None:
    client.put("a", b"x", meta={"a": "1"}, tags={"t": "1"}, mime="text/x-a")

    client.copy("a", "b.png", meta={"b": "2"})
    client.copy("a", "c", tags={"u": "2"}, acl="public-read", storage_class="IA")
    client.copy("a", "d", replace=True)

    assert (client.head("b.png").meta, client.head("b.png").content_type) == ({"b": "2"}, "image/png")
    assert client.get_tags("b.png") == {"t": "1"}
    assert (client.head("c").meta, client.get_tags("c")) == ({"a": "1"}, {"u": "2"})
    assert (client.get_acl("c").acl, client.head("c").storage_class) == ("public-read", "IA")
    assert client.head("d").meta == {}


def test_a_copy_from_another_bucket_and_version(client: Client, server: Server) -> None:
    other = new_bucket(server)
    client.put_versioning("Enabled", bucket=other)
    first = client.put("k", b"first", bucket=other).version_id
    client.put("k", b"second", bucket=other)

    copied = client.copy("k", "here", source_bucket=other, source_version_id=first)

    assert copied.source_version_id == first
    assert client.get_bytes("here") == b"first"


def test_a_copy_on_conditions(client: Client) -> None:
    etag = client.put("a", b"x").etag

    client.copy("a", "b", if_match=etag)
    with pytest.raises(PreconditionFailed):
        client.copy("a", "b", if_match="0" * 32)
    with pytest.raises(NotModified):
        client.copy("a", "b", if_none_match=etag)
    with pytest.raises(FileAlreadyExists):
        client.copy("a", "b", forbid_overwrite=True)
    with pytest.raises(NoSuchKey):
        client.copy("missing", "b")


def test_a_rename_leaves_only_the_new_name(client: Client) -> None:
    client.put("a", b"x", meta={"a": "1"})

    client.rename("a", "b")

    assert not client.exists("a")
    assert (client.get_bytes("b"), client.head("b").meta) == (b"x", {"a": "1"})
    with pytest.raises(ValueError, match="new name"):
        client.rename("b", "b")
    assert client.exists("b")


def test_what_is_appended_stands_at_the_end(client: Client) -> None:
    first = client.append("log", b"one\n", meta={"a": "1"})
    second = client.append("log", iter([b"two", b"\n"]))
    third = client.append("log", b"three\n", second.position)

    assert (first.position, second.position, third.position) == (4, 8, 14)
    assert third.crc64 == crc64(b"one\ntwo\nthree\n")
    head = client.head("log")
    assert (head.type, head.append_position, head.meta) == ("Appendable", 14, {"a": "1"})


def test_an_append_at_the_wrong_place_is_refused(client: Client) -> None:
    client.append("log", b"one\n")
    client.put("plain", b"x")

    with pytest.raises(PositionNotEqualToLength) as caught:
        client.append("log", b"two\n", 0)
    assert caught.value.extras["x-oss-next-append-position"] == "4"
    with pytest.raises(ObjectNotAppendable):
        client.append("plain", b"x")


def test_an_append_survives_a_lost_answer(shaky: Client, proxy: FaultProxy) -> None:
    shaky.append("log", b"one\n")
    proxy.add(Rule(pattern="POST", lose_answer=True))

    done = shaky.append("log", b"two\n", 4)

    assert (done.position, done.crc64) == (8, crc64(b"one\ntwo\n"))
    assert shaky.get_bytes("log") == b"one\ntwo\n"


def test_an_append_does_not_take_anothers_bytes_for_its_own(
    shaky: Client, proxy: FaultProxy, server: Server, bucket: str
) -> None:
    def another(_: object) -> None:
        with connect(server, bucket) as other:
            other.append("log", b"TWO\n", 4)

    shaky.append("log", b"one\n")
    proxy.add(Rule(pattern="POST", cut_request=2), Rule(pattern="POST", call=another))

    with pytest.raises(PositionNotEqualToLength):
        shaky.append("log", b"two\n", 4)


# --- delete -----------------------------------------------------------------------------------------------------------


def test_deleting_what_is_not_there_is_no_error(client: Client) -> None:
    client.put("k", b"x")

    assert client.delete("k").delete_marker is False
    client.delete("k")
    assert not client.exists("k")


def test_any_number_of_objects_is_deleted_in_pages(shaky: Client, proxy: FaultProxy) -> None:
    names = [f"n/{at:04}" for at in range(20)] + ["a & <b>", "tab\there", "ctl\x01", "ü漢🧩", "a+b%20"]
    for name in names:
        shaky.put(name, b"")
    absent = [f"absent/{at}" for at in range(2000)]

    done = shaky.delete_many(iter(names + absent))

    assert [each.key for each in done.deleted] == names + absent
    assert not done.failures
    assert list(shaky.list_objects()) == []
    assert sum(seen.method == "POST" for seen in proxy.seen) == 3


def test_versions_are_deleted_by_the_entries_of_their_listing(client: Client) -> None:
    client.put_versioning("Enabled")
    for at in range(3):
        client.put("k", bytes([at]))
    marker = client.delete("k")
    assert marker.delete_marker is True

    loud = client.delete_many(["other"], quiet=False)
    assert loud.deleted[0].delete_marker is True
    done = client.delete_many(client.list_versions())

    assert len(done.deleted) == 5
    assert {each.version_id for each in done.deleted if each.key == "k"} > {marker.version_id}
    assert list(client.list_versions()) == []


def test_names_that_are_refused_are_failures_and_the_rest_is_deleted(server: Server, client: Client) -> None:
    allowed, denied = [f"a/{at}" for at in range(1000)], ["b/1"]
    client.put("a/1", b"x")
    client.put("b/1", b"x")
    rules = {
        "Version": "1",
        "Statement": [{"Effect": "Allow", "Action": "oss:*", "Resource": f"acs:oss:*:*:{client.bucket}/a/*"}],
    }
    key_id, secret = server.make_user(f"u{client.bucket}"[:20], rules)

    with connect(server, client.bucket, credentials=Static(key_id, secret)) as user:
        done = user.delete_many(allowed + denied)

    assert len(done.deleted) == 1000
    assert [(each.name, type(each.error)) for each in done.failures] == [("b/1", AccessDenied)]
    assert (client.exists("a/1"), client.exists("b/1")) == (False, True)


def test_delete_many_refuses_what_is_no_list_of_names(client: Client) -> None:
    client.put("a/b", b"x")

    with pytest.raises(TypeError, match="several"):
        client.delete_many("a/b")
    with pytest.raises(ValueError, match="empty"):
        client.delete_many([""])
    with pytest.raises(ValueError, match="prefix"):
        client.delete_many(client.list_objects(delimiter="/"))
    with pytest.raises(NoSuchBucket):
        client.delete_many(["x"], bucket="no-bucket-of-that-name")
    assert client.exists("a/b")


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.put("", b"x"),
        lambda c: c.append("", b"x", 0),
        lambda c: c.get(""),
        lambda c: c.get_bytes(""),
        lambda c: c.head(""),
        lambda c: c.get_meta(""),
        lambda c: c.exists(""),
        lambda c: c.delete(""),
        lambda c: c.copy("a", ""),
        lambda c: c.copy("", "a"),
        lambda c: c.rename("", "a"),
        lambda c: c.rename("a", ""),
        lambda c: c.put_acl("", "private"),
        lambda c: c.get_acl(""),
        lambda c: c.put_tags("", {}),
        lambda c: c.get_tags(""),
        lambda c: c.delete_tags(""),
        lambda c: c.symlink("", "a"),
        lambda c: c.get_symlink(""),
        lambda c: c.restore(""),
        lambda c: c.sign_url(""),
    ],
)
def test_an_empty_name_never_becomes_a_request_to_the_bucket(
    server: Server, bucket: str, call: Callable[[Client], object]
) -> None:
    with connect(server, bucket) as client:
        with pytest.raises(ValueError, match="empty"):
            call(client)
        assert client.bucket_info().name == bucket
        assert list(client.list_objects()) == []


def test_a_call_without_a_bucket_says_so(server: Server, bucket: str) -> None:
    with connect(server, None) as client:
        with pytest.raises(ValueError, match="no bucket"):
            client.put("k", b"x")
        client.put("k", b"x", bucket=bucket)
        with client.with_bucket(bucket) as there:
            assert there.exists("k")
        assert client.with_bucket(bucket).exists("k"), "closing a derived client closed its origin"


@pytest.mark.parametrize(
    "name", ["a//b", "a/../b", "./a", "ü/漢/🧩", "a b+c%20d", "?x=1#y", "\x01", "a" * 1023]
)
def test_names_arrive_as_they_are(client: Client, name: str) -> None:
    client.put(name, b"x")

    assert client.get_bytes(name) == b"x"
    assert [entry.key for entry in client.list_objects() if hasattr(entry, "key")] == [name]


# --- what hangs on objects --------------------------------------------------------------------------------------------


def test_acl_and_tags_are_set_and_read(client: Client) -> None:
    client.put("k", b"x")

    client.put_acl("k", "public-read-write")
    client.put_tags("k", {"a": "1", "b": "zwei 2"})

    acl = client.get_acl("k")
    assert (acl.acl, acl.owner.id) == ("public-read-write", client.bucket_info().owner.id)
    assert client.get_tags("k") == {"a": "1", "b": "zwei 2"}
    client.delete_tags("k")
    assert client.get_tags("k") == {}


def test_settings_of_one_version(client: Client) -> None:
    client.put_versioning("Enabled")
    old = client.put("k", b"old").version_id
    client.put("k", b"new")

    assert client.put_tags("k", {"a": "1"}, version_id=old) == old
    assert client.put_acl("k", "public-read", version_id=old) == old

    assert (client.get_tags("k"), client.get_tags("k", version_id=old)) == ({}, {"a": "1"})
    assert client.get_acl("k").acl == "default"
    assert client.head("k", version_id=old).size == client.get_meta("k", version_id=old).size == 3
    assert client.get_bytes("k", version_id=old) == b"old"
    assert client.delete_tags("k", version_id=old) == old
    assert client.delete("k", version_id=old).version_id == old
    assert not client.exists("k", version_id=old)


def test_a_symbolic_link_points_to_its_target(client: Client) -> None:
    client.put("dir/tär get", b"x", meta={"of": "target"})

    link = client.symlink("link", "dir/tär get", meta={"of": "link"})

    assert link.etag
    assert client.get_bytes("link") == b"x"
    found = client.get_symlink("link")
    assert (found.target, found.meta, found.etag) == ("dir/tär get", {"of": "link"}, link.etag)
    assert client.head("link").type == "Symlink"
    with pytest.raises(NotSymlink):
        client.get_symlink("dir/tär get")
    client.delete("dir/tär get")
    with pytest.raises(SymlinkTargetNotExist):
        client.get("link")


def test_an_archived_object_is_restored(client: Client) -> None:
    client.put("k", b"x", storage_class="ColdArchive")

    assert client.restore("k", days=2, tier="Expedited").priority == "Expedited"
    assert client.restore("k").begun
    assert client.get_bytes("k") == b"x"


def test_a_client_shows_no_secrets(server: Server, bucket: str) -> None:
    with connect(server, bucket) as client:
        assert repr(client) == f"Client('{server.endpoint}', bucket='{bucket}')"
        assert server.access_key_secret not in repr(vars(client))


def test_the_environment_describes_a_client(
    server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in [name for name in os.environ if name.startswith(("OSS_", "MOSSAIC_", "ALIBABA"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("OSS_ENDPOINT", server.endpoint)
    monkeypatch.setenv("OSS_ACCESS_KEY_ID", server.access_key_id)
    monkeypatch.setenv("OSS_ACCESS_KEY_SECRET", server.access_key_secret)

    with Client.from_profile(bucket=bucket, retry=QUICK) as client:
        client.put("k", b"x")

    monkeypatch.delenv("OSS_ENDPOINT")
    with pytest.raises(Exception, match="endpoint"):
        Client.from_profile()
