"""Small promises of the SDK that no service is needed for."""

from __future__ import annotations

import copy
import io
import pickle

import pytest

import mossaic
from mossaic.client import errors, public
from mossaic.client.endpoint import parse_endpoint
from mossaic.client.upload.source import open_source
from mossaic.protocol.operations.listing import CommonPrefix, ObjectEntry

CLIENT = mossaic.Client(
    "http://127.0.0.1:1", bucket="abc", credentials=mossaic.credentials.Static("id", "secret")
)


@pytest.mark.parametrize("call", [CLIENT.head, CLIENT.delete, CLIENT.get_tags, CLIENT.init_multipart_upload])
def test_an_object_without_a_name_is_refused_before_it_becomes_its_bucket(call: object) -> None:
    assert callable(call)
    with pytest.raises(ValueError, match="name"):
        call("")


def test_text_is_no_source() -> None:
    with pytest.raises(TypeError, match="binary mode"):
        open_source(io.StringIO("text"))


def test_entries_of_listings_can_be_copied_and_pickled() -> None:
    entry = CommonPrefix(prefix="a/")

    assert pickle.loads(pickle.dumps(entry)) == copy.deepcopy(entry) == entry
    assert isinstance(mossaic.ObjectEntry, type)
    assert mossaic.ObjectEntry is ObjectEntry


def test_every_error_is_a_name_of_the_package() -> None:
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.MossaicError)
    }

    assert kinds <= set(public.__all__)
    assert all(getattr(mossaic, name) is getattr(public, name) for name in public.__all__)


@pytest.mark.parametrize(
    ("text", "host", "path", "region"),
    [
        ("oss-cn-beijing.aliyuncs.com", "b-1.oss-cn-beijing.aliyuncs.com", "/k", "cn-beijing"),
        (
            "https://oss-cn-beijing-internal.aliyuncs.com",
            "b-1.oss-cn-beijing-internal.aliyuncs.com",
            "/k",
            "cn-beijing",
        ),
        ("oss-accelerate.aliyuncs.com", "b-1.oss-accelerate.aliyuncs.com", "/k", "cn-hangzhou"),
        ("127.0.0.1:9280", "127.0.0.1:9280", "/b-1/k", "cn-hangzhou"),
        ("http://[::1]:9280", "[::1]:9280", "/b-1/k", "cn-hangzhou"),
        ("localhost:9280", "localhost:9280", "/b-1/k", "cn-hangzhou"),
        ("https://store.example.com:443", "b-1.store.example.com", "/k", "cn-hangzhou"),
    ],
)
def test_where_an_endpoint_finds_an_object(text: str, host: str, path: str, region: str) -> None:
    endpoint = parse_endpoint(text)
    place = endpoint.place("b-1", "k")

    assert (place.host, place.path, endpoint.region) == (host, path, region)
    assert place.origin.secure is (text.startswith("https") or text.endswith("aliyuncs.com"))


@pytest.mark.parametrize("name", ["a/../b", "evil.example.com", "UPPER", "a", "-abc", "a" * 64])
def test_a_bucket_cannot_name_another_host(name: str) -> None:
    with pytest.raises(ValueError, match="no bucket name"):
        parse_endpoint("oss-cn-beijing.aliyuncs.com").place(name, "k")


@pytest.mark.parametrize("text", ["", "http://", "ftp://x", "http://host/path", "http://user:pw@host"])
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="endpoint"):
        parse_endpoint(text)
