"""A copy reads its source with the reader's rights and writes its target with the writer's; an odd source is no source.

Class: SeaweedFS CVE-2026-55874, RustFS GHSA-mx42, -wfxj, -3ppv, Ceph tracker 72669.
"""

from __future__ import annotations

import secrets

import pytest

from mossaic.protocol.wire import Message
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import Server, statement
from tests.security.support import CONTENT, KEY, Asker, Reply, Stage, anonymous


@pytest.fixture(scope="module")
def rooms(server: Server) -> tuple[Stage, str, Asker, Asker]:
    """The victim's bucket, the thief's bucket, a user who may do all in his own, a user who may only read the victim's."""
    root = Asker.root(server)
    victim, own = Stage.build(root, new_bucket(server)), new_bucket(server)
    tag = secrets.token_hex(3)
    rights = statement("Allow", "oss:*", [f"acs:oss:*:*:{own}", f"acs:oss:*:*:{own}/*"])
    thief = Asker(server=server, **_pair(server.make_user(f"thief-{tag}", rights)))
    reads = statement("Allow", "oss:GetObject", f"acs:oss:*:*:{victim.bucket}/*")
    reader = Asker(server=server, **_pair(server.make_user(f"reader-{tag}", reads)))
    return victim, own, thief, reader


def _pair(made: tuple[str, str]) -> dict[str, str]:
    return {"access_key_id": made[0], "secret": made[1]}


def copy(asker: Asker, bucket: str, source: str, key: str = "loot", **query: str) -> Reply:
    return asker("PUT", bucket, key, query=query, headers={"x-oss-copy-source": source})


def test_who_may_not_read_the_source_may_not_copy_it(rooms: tuple[Stage, str, Asker, Asker]) -> None:
    victim, own, thief, _ = rooms
    for source in (
        f"/{victim.bucket}/{KEY}",
        f"{victim.bucket}/{KEY}",
        f"/{victim.bucket}/secret%2Fplan.txt",
    ):
        reply = copy(thief, own, source)
        assert (reply.status, reply.code) == (403, "AccessDenied"), source

    assert thief("GET", own, "loot").status == 404


def test_nor_copy_a_version_or_a_part_of_it(rooms: tuple[Stage, str, Asker, Asker]) -> None:
    victim, own, thief, _ = rooms
    opened = thief("POST", own, "loot", query={"uploads": ""})
    upload_id = opened.body.partition(b"<UploadId>")[2].partition(b"<")[0].decode()

    part = copy(thief, own, f"/{victim.bucket}/{KEY}", uploadId=upload_id, partNumber="1")
    version = copy(thief, own, f"/{victim.bucket}/{KEY}?versionId=null")

    assert (part.status, version.status) == (403, 403)
    assert b"<Part>" not in thief("GET", own, "loot", query={"uploadId": upload_id}).body


def test_whoever_may_only_read_may_not_write_by_copying(rooms: tuple[Stage, str, Asker, Asker]) -> None:
    victim, own, _, reader = rooms
    assert reader("GET", victim.bucket, KEY).body == CONTENT

    into_own = copy(reader, own, f"/{victim.bucket}/{KEY}")
    over = copy(reader, victim.bucket, f"/{victim.bucket}/{KEY}", key=KEY)

    assert (into_own.status, over.status) == (403, 403)


def test_a_right_for_versions_is_not_one_for_the_object(rooms: tuple[Stage, str, Asker, Asker]) -> None:
    victim, _, _, reader = rooms

    reply = reader("GET", victim.bucket, KEY, query={"versionId": "null"})

    assert (reply.status, reply.code) == (403, "AccessDenied")


def test_a_public_bucket_to_write_to_opens_no_private_source(rooms: tuple[Stage, str, Asker, Asker]) -> None:
    victim, _, _, _ = rooms
    server = victim.root.server
    public = new_bucket(server)
    assert (
        victim.root("PUT", public, query={"acl": ""}, headers={"x-oss-acl": "public-read-write"}).status
        == 200
    )

    stolen = Message(
        method="PUT", bucket=public, key="loot", headers={"x-oss-copy-source": f"/{victim.bucket}/{KEY}"}
    )

    assert anonymous(server, stolen).status == 403


@pytest.mark.parametrize(
    "source",
    ["", "/", "//", "x", "/x", "x/", "//x/y", "/../x", "%", "/%zz/k", "/a b/k", "?versionId=x", "/b/k?versionId=", "/b/k?versionId=%0d%0a", "/b/%ff", "/b/%00", "http://127.0.0.1/b/k", "/B_/k", "/b/" + "k" * 1024],
)  # fmt: skip
def test_an_odd_source_is_a_bad_request(stage: Stage, source: str) -> None:
    """Never an upload of an empty object: the header being there is what makes it a copy."""
    for key in ("loot", KEY):
        reply = copy(stage.root, stage.bucket, source, key=key)
        assert (reply.status, reply.code) == (400, "InvalidArgument"), (source, reply.status, reply.body)

    assert stage.root("GET", stage.bucket, KEY).body == CONTENT
    assert stage.root("HEAD", stage.bucket, "loot").status == 404


def test_two_sources_are_no_source(stage: Stage) -> None:
    """A repeated header is one joined with a comma, for the signature and for the copy alike."""
    both = f"/{stage.bucket}/{KEY},/{stage.bucket}/other"

    assert copy(stage.root, stage.bucket, both).status == 404
