"""Get of the SDK: ranges, conditions, the ways to read, and reading on when the connection broke."""

from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime, timedelta

import pytest

from mossaic.client.client import Client
from mossaic.client.errors import (
    ChecksumMismatch,
    InvalidRange,
    NetworkError,
    NoSuchBucket,
    NoSuchKey,
    NotModified,
    ObjectChanged,
    PreconditionFailed,
)
from mossaic.protocol.checksum import crc64
from tests.e2e.harness import Server, noise
from tests.e2e.sdk.conftest import BIG, SMALL, connect
from tests.faults.proxy import FaultProxy, Rule

HOUR = timedelta(hours=1)


# --- get --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "start", "stop"),
    [((0, 1), 0, 1), ((10, 20), 10, 20), ((299_990, None), 299_990, 300_000), ((-5, None), 299_995, 300_000), ((0, 10**9), 0, 300_000)],
)  # fmt: skip
def test_a_range_is_half_open(client: Client, wanted: tuple[int, int | None], start: int, stop: int) -> None:
    client.put("k", SMALL)

    with client.get("k", range=wanted) as opened:
        assert opened.range == (start, stop)
        assert opened.length == stop - start
        assert opened.info.size == len(SMALL)
        assert opened.read() == SMALL[start:stop]
        assert opened.read() == b""


@pytest.mark.parametrize("wanted", [(5, 5), (7, 3), (-5, 10), (-1, -1)])
def test_a_range_without_bytes_is_refused(client: Client, wanted: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="range"):
        client.get("k", range=wanted)


def test_a_range_behind_the_end_is_an_error_and_never_the_whole(client: Client) -> None:
    client.put("k", b"12345")

    with pytest.raises(InvalidRange):
        client.get_bytes("k", range=(5, 10))


def test_the_ways_to_read(client: Client) -> None:
    client.put("k", BIG)

    with client.get("k") as opened:
        first, rest = opened.read(1000), b"".join(opened)
    assert first + rest == BIG
    buffer = bytearray(2_000_000)
    with client.get("k") as opened:
        count = opened.readinto(buffer)
        assert 0 < count <= len(buffer)
        assert bytes(buffer[:count]) + opened.read() == BIG
    with pytest.raises(ValueError, match="closed"):
        opened.read()


def test_an_object_is_a_file_for_the_standard_library(client: Client) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        entry = tarfile.TarInfo("inside")
        entry.size = len(SMALL)
        tar.addfile(entry, io.BytesIO(SMALL))
    client.put("k.tgz", packed.getvalue())

    with client.get("k.tgz").as_file() as file, tarfile.open(fileobj=file, mode="r|gz") as tar:
        member = tar.next()
        assert member is not None
        unpacked = tar.extractfile(member)
        assert unpacked is not None
        assert unpacked.read() == SMALL


def test_an_empty_object_is_read(client: Client) -> None:
    client.put("k", b"")

    with client.get("k") as opened:
        assert (opened.length, opened.read(), list(opened)) == (0, b"", [])


def test_conditions_decide(client: Client) -> None:
    etag = client.put("k", b"x").etag
    now = datetime.now(UTC)

    assert client.get_bytes("k", if_match=etag) == b"x"
    assert client.get_bytes("k", if_match=f'"{etag}"') == b"x"
    assert client.head("k", if_none_match="0" * 32).etag == etag
    assert client.head("k", if_modified_since=now - HOUR, if_unmodified_since=now + HOUR).size == 1
    with pytest.raises(NotModified):
        client.get("k", if_none_match=etag)
    with pytest.raises(NotModified):
        client.head("k", if_modified_since=now)
    with pytest.raises(PreconditionFailed):
        client.get("k", if_match="0" * 32)
    with pytest.raises(PreconditionFailed):
        client.get("k", if_unmodified_since=now - HOUR)
    with pytest.raises(ValueError, match="zone"):
        client.get("k", if_modified_since=datetime.now())  # noqa: DTZ005  # what is tested


def test_an_answer_may_have_other_headers(client: Client) -> None:
    client.put("k", b"x", mime="text/plain")

    with client.get("k", response={"Content-Type": "image/png", "cache-control": "no-store"}) as opened:
        assert (opened.info.content_type, opened.info.cache_control) == ("image/png", "no-store")
    with pytest.raises(ValueError, match="etag"):
        client.get("k", response={"ETag": "x"})


def test_what_is_not_there_says_so(client: Client) -> None:
    with pytest.raises(NoSuchKey) as caught:
        client.get("missing")
    assert (caught.value.status, caught.value.operation, bool(caught.value.request_id)) == (
        404,
        "GetObject",
        True,
    )
    with pytest.raises(NoSuchKey):
        client.head("missing")
    with pytest.raises(NoSuchKey):
        client.get_meta("missing")
    assert not client.exists("missing")
    with pytest.raises(NoSuchBucket):
        client.exists("missing", bucket="no-bucket-of-that-name")


def test_processing_that_the_service_does_not_have_is_its_error(client: Client) -> None:
    client.put("k.png", b"x")

    with pytest.raises(Exception, match="NotImplemented"):
        client.get("k.png", process="image/resize,w_100")


# --- get over a broken way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", [None, (100_000, 2_900_000)])
def test_a_read_goes_on_where_the_connection_broke(
    shaky: Client, proxy: FaultProxy, wanted: tuple[int, int] | None
) -> None:
    etag = shaky.put("k", BIG).etag
    proxy.seen.clear()
    proxy.add(Rule(pattern="GET", cut_answer=1_000_000), Rule(pattern="GET", cut_answer=900_000))

    with shaky.get("k", range=wanted) as opened:
        found = opened.read()

    start, stop = wanted or (0, len(BIG))
    assert found == BIG[start:stop]
    assert len(proxy.seen) == 3
    for seen in proxy.seen[1:]:
        assert seen.headers["if-match"] == f'"{etag}"'
        assert seen.headers["range"].endswith(f"-{stop - 1}")
        assert int(seen.headers["range"].removeprefix("bytes=").split("-")[0]) > start


def test_a_read_that_makes_no_headway_gives_up(shaky: Client, proxy: FaultProxy) -> None:
    shaky.put("k", BIG)
    proxy.add(Rule(pattern="GET", cut_answer=1_000_000), Rule(pattern="GET", cut_answer=500, times=99))

    with shaky.get("k") as opened, pytest.raises(NetworkError):
        opened.read()


def test_a_read_never_goes_on_in_another_object(
    shaky: Client, proxy: FaultProxy, server: Server, bucket: str
) -> None:
    shaky.put("k", BIG)
    proxy.add(Rule(pattern="GET", cut_answer=1_000_000))

    with shaky.get("k") as opened:
        opened.read(1000)
        with connect(server, bucket) as other:
            other.put("k", noise(len(BIG), seed=9))
        with pytest.raises(ObjectChanged):
            opened.read()


def test_bytes_that_are_not_the_objects_are_a_checksum_mismatch(shaky: Client, proxy: FaultProxy) -> None:
    headers = {
        "ETag": '"00"',
        "Last-Modified": "Tue, 05 Mar 2024 06:07:08 GMT",
        "x-oss-hash-crc64ecma": str(crc64(b"12345")),
    }
    proxy.add(Rule(pattern="GET", answer=(200, headers, b"12X45"), times=2))

    with shaky.get("k") as opened:
        assert opened.read(4) == b"12X4"
        with pytest.raises(ChecksumMismatch):
            opened.read(1)
    with pytest.raises(ChecksumMismatch):
        shaky.get_bytes("k")


def test_a_service_that_ignores_ranges_is_an_error(shaky: Client, proxy: FaultProxy) -> None:
    headers = {"ETag": '"00"', "Last-Modified": "Tue, 05 Mar 2024 06:07:08 GMT"}
    proxy.add(Rule(pattern="GET", answer=(200, headers, b"12345")))

    with pytest.raises(Exception, match="instead of the range"):
        shaky.get("k", range=(1, 2))
