"""Put of the SDK: any source is stored as it is, with what was said of it, also over a broken way."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mossaic.client.callback import Callback
from mossaic.client.client import Client
from mossaic.client.errors import (
    CallbackFailed,
    Cancelled,
    ChecksumMismatch,
    DeadlineExceeded,
    FileAlreadyExists,
    NetworkError,
    ServiceUnavailable,
)
from mossaic.client.http import Scope
from mossaic.client.options import Retry, Retrying
from mossaic.protocol.checksum import crc64, md5_hex
from tests.e2e.harness import CallbackReceiver, Server
from tests.e2e.sdk.conftest import BIG, SMALL, Scripted, answer, connect, pieces, refusing, storing
from tests.faults.proxy import FaultProxy, Rule, error


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
