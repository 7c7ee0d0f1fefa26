"""Host and path to bucket and key, in every style that official clients use."""

from __future__ import annotations

import pytest

from mossaic.config import Settings
from mossaic.protocol.addressing import Domains, parse_query, split

DOMAINS = Domains(
    bases=(*Settings().domains, "oss.example.test"), cnames={"files.example.test": "examplebucket"}
)


@pytest.mark.parametrize(
    ("host", "path", "bucket", "key"),
    [
        ("localhost:9280", "/", None, None),
        ("localhost", "/b-1/", "b-1", None),
        ("localhost", "/b-1", "b-1", None),
        ("localhost", "/b-1/dir/a.txt", "b-1", "dir/a.txt"),
        ("b-1.localhost:9280", "/", "b-1", None),
        ("B-1.LOCALHOST", "/k", "b-1", "k"),
        ("b-1.localhost", "//a/../b//", "b-1", "/a/../b//"),
        ("b-1.localhost", "/a+b%2Bc%20d", "b-1", "a+b+c d"),
        ("b-1.localhost", "/%E4%BD%A0", "b-1", "你"),
        ("b-1.x.localhost", "/k", "b-1", "k"),
        ("oss-cn-hangzhou.aliyuncs.com", "/", None, None),
        ("b-1.oss-cn-hangzhou.aliyuncs.com", "/k", "b-1", "k"),
        ("b-1.oss-cn-hangzhou-internal.aliyuncs.com", "/k", "b-1", "k"),
        ("b-1.oss-accelerate.aliyuncs.com", "/k", "b-1", "k"),
        ("b-1.cn-beijing.aliyuncs.com", "/k", "b-1", "k"),  # ali-oss, IP endpoint, region without "oss-"
        ("b-1.oss.example.test", "/k", "b-1", "k"),
        ("files.example.test", "/k", "examplebucket", "k"),
        ("127.0.0.1:9280", "/b-1/k", "b-1", "k"),
        ("[::1]:9280", "/b-1/k", "b-1", "k"),
        ("unknown.example", "/b-1/k", "b-1", "k"),
        ("", "/b-1/k", "b-1", "k"),
    ],
)
def test_the_first_reading(host: str, path: str, bucket: str | None, key: str | None) -> None:
    address = split(host, path, DOMAINS)[0]

    assert (address.bucket, address.key) == (bucket, key)


def test_a_bucket_in_host_and_path_has_two_readings() -> None:
    readings = split("b-1.oss-cn-hangzhou.aliyuncs.com", "/b-1/k", DOMAINS)

    assert [reading.key for reading in readings] == ["b-1/k", "k"]


def test_the_base_is_the_host_without_the_bucket() -> None:
    assert split("b-1.localhost:9280", "/k", DOMAINS)[0].base == "localhost"


def test_bytes_that_are_no_utf8_become_surrogates_and_not_something_else() -> None:
    assert split("b-1.localhost", "/%FF", DOMAINS)[0].key == "\udcff"


def test_query_decoding_keeps_order_and_the_equals_sign() -> None:
    assert parse_query("uploads&prefix=a+b%2B&delimiter=&prefix=2") == (
        ("uploads", "", False),
        ("prefix", "a b+", True),
        ("delimiter", "", True),
        ("prefix", "2", True),
    )
