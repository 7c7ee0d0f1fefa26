"""What the page is told of unfinished uploads beyond OSS's own listing."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import oss2
import pytest

from tests.e2e.console.caller import Caller
from tests.e2e.harness import ACCOUNT_ID, statement

if TYPE_CHECKING:
    from tests.e2e.harness import Server


@pytest.fixture
def root(server: Server) -> Caller:
    return Caller.root(server)


def client_of(server: Server, key: tuple[str, str], bucket: str) -> oss2.Bucket:
    return oss2.Bucket(oss2.Auth(*key), server.endpoint, bucket)


def test_each_upload_tells_who_began_it(server: Server, root: Caller, bucket: str) -> None:
    name = f"anna{secrets.token_hex(4)}"
    user = server.make_user(name, statement("Allow", "oss:*", "*"))
    own = (server.access_key_id, server.access_key_secret)
    of_account = client_of(server, own, bucket).init_multipart_upload("a/1").upload_id
    of_user = client_of(server, user, bucket).init_multipart_upload("a/2").upload_id
    client_of(server, own, bucket).init_multipart_upload("b/1")

    answer = root.api("GET", "uploads", bucket=bucket, prefix="a/")

    assert answer.status == 200, answer.body
    assert answer.json == {
        "uploads": [
            {"upload_id": of_account, "initiator": f"acs:ram::{ACCOUNT_ID}:root"},
            {"upload_id": of_user, "initiator": f"acs:ram::{ACCOUNT_ID}:user/{name}"},
        ],
        "next": None,
    }


def test_pages_follow_each_other(server: Server, root: Caller, bucket: str) -> None:
    client = client_of(server, (server.access_key_id, server.access_key_secret), bucket)
    begun = [client.init_multipart_upload(key).upload_id for key in ("k1", "k2", "k3")]

    first = root.api("GET", "uploads", None, bucket=bucket, **{"max-uploads": "2"}).json
    marker = {"key-marker": first["next"]["key"], "upload-id-marker": first["next"]["upload_id"]}
    second = root.api("GET", "uploads", None, bucket=bucket, **marker).json

    assert [each["upload_id"] for each in [*first["uploads"], *second["uploads"]]] == begun
    assert second["next"] is None


def test_who_may_not_list_is_told_nothing(server: Server, bucket: str) -> None:
    key_id, secret = server.make_user(f"ben{secrets.token_hex(4)}", statement("Allow", "oss:GetObject", "*"))

    answer = Caller(server=server, access_key_id=key_id, secret=secret).api("GET", "uploads", bucket=bucket)

    assert (answer.status, answer.code) == (403, "AccessDenied")
