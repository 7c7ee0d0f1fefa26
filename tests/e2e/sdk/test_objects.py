"""The object calls of the SDK: what is stored, what comes back, and what happens when the way between breaks."""

from __future__ import annotations

import io
import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.callback import Callback
from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.errors import (
    AccessDenied,
    CallbackFailed,
    Cancelled,
    ChecksumMismatch,
    DeadlineExceeded,
    FileAlreadyExists,
    InvalidRange,
    NetworkError,
    NoSuchBucket,
    NoSuchKey,
    NotModified,
    NotSymlink,
    ObjectChanged,
    ObjectNotAppendable,
    PositionNotEqualToLength,
    PreconditionFailed,
    ServiceUnavailable,
    SymlinkTargetNotExist,
)
from mossaic.client.http import Scope
from mossaic.client.options import Retry, Retrying
from mossaic.protocol.checksum import crc64, md5_hex
from tests.e2e.conftest import new_bucket
from tests.e2e.harness import CallbackReceiver, Server, noise
from tests.e2e.sdk.conftest import QUICK, Scripted, answer, connect, refusing, storing
from tests.faults.proxy import FaultProxy, Rule, error

SMALL = noise(300_000)
BIG = noise(3_000_000, seed=2)
HOUR = timedelta(hours=1)


def pieces(data: bytes, size: int = 100_000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


class Pipe(io.RawIOBase):
    """A file that can only be read forwards."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._data.read(size)


# --- put --------------------------------------------------------------------------------------------------------------


SOURCES: dict[str, Callable[[Path], Any]] = {
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview of other items": lambda path: memoryview(path.read_bytes()).cast("H"),
    "path": lambda path: path,
    "text of a path": str,
    "open file": lambda path: path.open("rb"),
    "BytesIO": lambda path: io.BytesIO(path.read_bytes()),
    "pipe": lambda path: Pipe(path.read_bytes()),
    "generator": lambda path: pieces(path.read_bytes()),
}


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("size", [0, 300_000])
def test_any_source_is_stored_as_it_is(client: Client, tmp_path: Path, kind: str, size: int) -> None:
    path = tmp_path / "source"
    path.write_bytes(SMALL[:size])

    put = client.put("a key/ü", SOURCES[kind](path))

    assert (put.bucket, put.name, put.size) == (client.bucket, "a key/ü", size)
    assert (put.etag, put.crc64) == (md5_hex(SMALL[:size]), crc64(SMALL[:size]))
    assert put.request_id
    assert client.get_bytes("a key/ü") == SMALL[:size]


def test_an_open_file_is_sent_from_where_it_stands(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(SMALL)

    with path.open("rb") as file:
        file.seek(1000)
        client.put("k", file)

    assert client.get_bytes("k") == SMALL[1000:]


@pytest.mark.parametrize("checksum", ["crc64", "crc64+md5", "none"])
@pytest.mark.parametrize("kind", ["bytes", "path", "generator"])
def test_checks_are_made_as_asked(
    server: Server, bucket: str, proxy: FaultProxy, tmp_path: Path, checksum: Any, kind: str
) -> None:
    path = tmp_path / "source"
    path.write_bytes(SMALL)
    with connect(server, bucket, checksum=checksum) as client:
        assert client.put("k", SOURCES[kind](path)).etag == md5_hex(SMALL)
    with connect(server, bucket, checksum=checksum, endpoint=proxy.endpoint) as client:
        client.put("k", SMALL)

    sent = proxy.seen[-1].headers
    assert ("x-oss-hash-crc64ecma" in sent) == (checksum != "none")
    assert ("content-md5" in sent) == (checksum == "crc64+md5")


def test_what_is_no_source_says_so(client: Client, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        client.put("k", tmp_path / "missing")
    with pytest.raises(TypeError):
        client.put("k", 5)  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        client.put("k", io.StringIO("text"))  # type: ignore[arg-type]
    assert not client.exists("k")


def test_every_option_of_a_write_arrives(client: Client) -> None:
    client.put(
        "k",
        b"x",
        headers={"cache-control": "no-cache", "Content-Disposition": "attachment; ü 漢", "Expires": "never", "x-oss-meta-Other": "2"},
        meta={"Name": "wärme 漢字", "empty": ""},
        mime="text/x-thing",
        tags={"a b": "c+d/=:", "e": ""},
        storage_class="IA",
        acl="public-read",
        server_side_encryption="AES256",
        persistent={"X-Thing": "kept"},
    )  # fmt: skip

    head = client.head("k")
    assert (head.cache_control, head.content_disposition, head.expires) == (
        "no-cache",
        "attachment; ü 漢",
        "never",
    )
    assert head.meta == {"name": "wärme 漢字", "empty": "", "other": "2"}
    assert (head.content_type, head.storage_class, head.tag_count) == ("text/x-thing", "IA", 2)
    assert (head.type, head.server_side_encryption) == ("Normal", "AES256")
    assert head.headers["x-thing"] == "kept"
    assert client.get_tags("k") == {"a b": "c+d/=:", "e": ""}
    assert client.get_acl("k").acl == "public-read"


def test_the_content_type_is_guessed_from_the_name(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "source.png"
    path.write_bytes(b"x")

    client.put("a/picture.WEBP", path)
    client.put("a/unknown", path)

    assert client.head("a/picture.WEBP").content_type == "image/webp"
    assert client.head("a/unknown").content_type == "application/octet-stream"


@pytest.mark.parametrize("name", ["Content-Length", "host", "Transfer-Encoding", "Authorization"])
def test_headers_of_the_exchange_are_not_the_callers(client: Client, name: str) -> None:
    with pytest.raises(ValueError, match=name.lower()):
        client.put("k", b"x", headers={name: "1"})


def test_an_option_that_is_not_known_is_an_error(client: Client) -> None:
    with pytest.raises(TypeError, match="mimetype"):
        client.put("k", b"x", mimetype="text/plain")  # type: ignore[call-arg]


def test_an_object_may_be_protected_from_being_overwritten(client: Client) -> None:
    client.put("k", b"first", forbid_overwrite=True)

    with pytest.raises(FileAlreadyExists) as caught:
        client.put("k", b"second", forbid_overwrite=True)

    assert caught.value.operation == "PutObject"
    assert client.get_bytes("k") == b"first"
    client.put("k", b"third", forbid_overwrite=False)
    assert client.get_bytes("k") == b"third"


def test_the_traffic_limit_is_sent_in_bits_a_second(shaky: Client, proxy: FaultProxy) -> None:
    shaky.put("k", b"x", traffic_limit=819_200)
    shaky.get_bytes("k", traffic_limit=838_860_800)

    assert [seen.headers["x-oss-traffic-limit"] for seen in proxy.seen] == ["819200", "838860800"]
    with pytest.raises(ValueError, match="traffic limit"):
        shaky.put("k", b"x", traffic_limit=100)


def test_a_user_agent_is_put_before_ours(server: Server, bucket: str, proxy: FaultProxy) -> None:
    with connect(server, bucket, endpoint=proxy.endpoint, user_agent="backup/3") as client:
        client.exists("k")

    assert proxy.seen[0].headers["user-agent"].startswith("backup/3 mossaic/")


# --- put over a broken way --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bytes", "path", "open file", "BytesIO"])
def test_a_put_is_repeated_after_503_and_after_a_cut(
    shaky: Client, proxy: FaultProxy, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / "source"
    path.write_bytes(SMALL)
    proxy.add(
        Rule(pattern="PUT", answer=error(503, "ServiceUnavailable")),
        Rule(pattern="PUT", cut_request=150_000),
    )
    heard: list[Retrying] = []

    put = shaky.with_options(on_retry=heard.append).put("k", SOURCES[kind](path))

    assert put.crc64 == crc64(SMALL)
    assert len(heard) == 2
    assert isinstance(heard[0].error, ServiceUnavailable)
    assert isinstance(heard[1].error, NetworkError)
    assert shaky.get_bytes("k") == SMALL


@pytest.mark.parametrize("size", [0, 300_000, 1_000_000])
def test_a_small_stream_is_sent_again(server: Server, bucket: str, size: int) -> None:
    scripted = Scripted(refusing, refusing, storing)

    with connect(server, bucket, endpoint=scripted.endpoint) as client:
        put = client.put("k", pieces(BIG[:size]))

    assert put.crc64 == crc64(BIG[:size])
    assert scripted.bodies == [BIG[:size]] * 3
    scripted.close()


def test_a_stream_is_not_sent_again_once_too_much_of_it_is_gone(server: Server, bucket: str) -> None:
    taken: list[int] = []

    def endless() -> Iterator[bytes]:
        for at in range(1000):
            taken.append(at)
            yield SMALL

    scripted = Scripted(refusing, limits=[1_500_000])
    with connect(server, bucket, endpoint=scripted.endpoint) as client, pytest.raises(ServiceUnavailable):
        client.put("k", endless())

    assert len(scripted.bodies) == 1
    assert len(taken) < 1000
    scripted.close()


def test_a_stream_that_fails_with_a_network_error_is_not_taken_for_one_that_ended(client: Client) -> None:
    def failing() -> Iterator[bytes]:
        yield SMALL
        raise NetworkError("the stream's own", sent=True)

    with pytest.raises(NetworkError, match="own"):
        client.put("k", failing())

    assert not client.exists("k")


def test_bytes_damaged_on_the_way_are_refused_and_sent_again(shaky: Client, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern="PUT", damage=200_000))

    put = shaky.put("k", SMALL)

    assert put.crc64 == crc64(SMALL)
    assert len(proxy.seen) == 2
    assert shaky.get_bytes("k") == SMALL


def test_bytes_damaged_every_time_are_a_checksum_mismatch_and_make_no_object(
    shaky: Client, proxy: FaultProxy
) -> None:
    proxy.add(Rule(pattern="PUT", damage=200_000, times=10))

    with pytest.raises(ChecksumMismatch):
        shaky.put("k", SMALL)

    assert not shaky.exists("k")


@pytest.mark.parametrize("checksum", ["crc64", "crc64+md5"])
def test_a_file_damaged_on_the_way_is_a_checksum_mismatch(
    server: Server, bucket: str, proxy: FaultProxy, tmp_path: Path, checksum: Any
) -> None:
    path = tmp_path / "source"
    path.write_bytes(SMALL)
    proxy.add(Rule(pattern="PUT", damage=200_000))

    with (
        connect(server, bucket, endpoint=proxy.endpoint, checksum=checksum) as client,
        pytest.raises(ChecksumMismatch, match="CRC-64"),
    ):
        client.put("k", path)


def test_a_put_that_forbids_overwriting_survives_a_lost_answer(shaky: Client, proxy: FaultProxy) -> None:
    proxy.add(Rule(pattern="PUT", lose_answer=True))

    put = shaky.put("k", SMALL, forbid_overwrite=True)

    assert (put.etag, put.crc64, put.size) == (md5_hex(SMALL), crc64(SMALL), len(SMALL))
    assert [seen.method for seen in proxy.seen] == ["PUT", "PUT", "HEAD"]


def test_a_lost_answer_is_found_though_the_next_attempt_is_refused_at_its_beginning(
    server: Server, bucket: str, tmp_path: Path
) -> None:
    path, data = tmp_path / "source", bytes(32 << 20)  # more than the sockets on the way can hold
    path.write_bytes(data)

    def there(_: bytes) -> bytes:
        """As HeadObject answers."""
        head = {"ETag": '"00"', "Last-Modified": "Tue, 05 Mar 2024 06:07:08 GMT", "x-oss-hash-crc64ecma": str(crc64(data))}  # fmt: skip
        return answer(200, head).replace(b"Content-Length: 0", b"Content-Length: %d" % len(data))

    scripted = Scripted(
        lambda _: b"",
        lambda _: answer(*error(409, "FileAlreadyExists")),
        there,
        limits=[None, 1000],
    )
    with connect(server, bucket, endpoint=scripted.endpoint) as client:
        put = client.put("k", path, forbid_overwrite=True)

    assert (put.size, put.crc64) == (len(data), crc64(data))
    assert [len(body) for body in scripted.bodies] == [len(data), 1000, 0]
    scripted.close()


def test_a_put_whose_first_attempt_was_cut_does_not_take_anothers_object_for_its_own(
    shaky: Client, proxy: FaultProxy, server: Server, bucket: str
) -> None:
    def another(_: object) -> None:
        with connect(server, bucket) as other:
            other.put("k", BIG[: len(SMALL)])

    proxy.add(Rule(pattern="PUT", cut_request=1000), Rule(pattern="PUT", call=another))

    with pytest.raises(FileAlreadyExists):
        shaky.put("k", SMALL, forbid_overwrite=True)


def test_a_deadline_is_for_the_whole_call(shaky: Client, proxy: FaultProxy) -> None:
    proxy.add(
        Rule(pattern="PUT", answer=error(503, "ServiceUnavailable", headers={"Retry-After": "1"}), times=99)
    )

    with pytest.raises(DeadlineExceeded) as caught:
        shaky.with_options(deadline=0.2, retry=Retry()).put("k", b"x")

    assert isinstance(caught.value.__cause__, ServiceUnavailable)


def test_a_scope_cancels_a_call_that_is_blocked(shaky: Client, proxy: FaultProxy) -> None:
    scope, arrived = Scope(), threading.Event()
    proxy.add(Rule(pattern="HEAD", call=lambda _: (arrived.set(), scope.cancel()), delay_s=5))

    with pytest.raises(Cancelled):
        shaky.with_options(scope=scope).head("k")

    assert arrived.is_set()


# --- callbacks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["ours", "ali-oss"])
def test_a_callback_is_called_and_its_answer_comes_back(
    client: Client, receiver: CallbackReceiver, form: str
) -> None:
    body = "key=${object}&size=${size}&order=${x:order}"
    asked: Any = Callback(receiver.url, body, vars={"order": "a&b ü"})
    if form == "ali-oss":
        asked = {"url": receiver.url, "body": body, "contentType": "application/x-www-form-urlencoded", "customValue": {"order": "a&b ü"}}  # fmt: skip

    put = client.put("k", b"12345", callback=asked)

    assert put.callback == receiver.answer
    assert put.data == {"Status": "OK"}
    assert receiver.calls[0].form() == {"key": "k", "size": "5", "order": "a&b ü"}


def test_without_a_callback_there_is_no_data(client: Client) -> None:
    put = client.put("k", b"x")

    assert put.callback is None
    assert put.data is None


def test_callback_urls_are_tried_in_order(client: Client, receiver: CallbackReceiver) -> None:
    client.put("k", b"x", callback=Callback([f"{receiver.url}/fail", f"{receiver.url}/ü"], "{}", content_type="application/json"))  # fmt: skip

    assert [called.target for called in receiver.calls] == ["/hook/fail", "/hook/%C3%BC"]
    assert receiver.calls[1].headers["content-type"] == "application/json"


def test_a_failed_callback_is_an_error_and_the_object_is_stored(
    client: Client, receiver: CallbackReceiver
) -> None:
    with pytest.raises(CallbackFailed):
        client.put("k", b"x", callback=Callback(f"{receiver.url}/fail", "a=b"))

    assert client.exists("k")


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "", "body": "b"},
        {"url": [], "body": "b"},
        {"url": ["http://a"] * 6, "body": "b"},
        {"url": "http://a", "body": ""},
        {"url": "http://a", "body": "b", "content_type": "text/plain"},
        {"url": "http://a", "body": "b" * 6000},
    ],
)
def test_a_callback_that_cannot_be_is_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"callback|bytes"):
        Callback(**wrong)


def test_a_dictionary_that_is_no_callback_says_why(client: Client) -> None:
    with pytest.raises(ValueError, match="unknown: boddy"):
        client.put("k", b"x", callback={"url": "http://a", "boddy": "b"})
    with pytest.raises(ValueError, match="needed"):
        client.put("k", b"x", callback={"url": "http://a"})


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
