"""Upload callbacks over the wire: what is sent, what comes back, and receivers that misbehave."""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import oss2
import pytest

from tests.e2e.conftest import new_bucket
from tests.e2e.harness import CallbackReceiver, Server, b64_json


def client(server: Server, name: str) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, name, is_path_style=True)


def asking(url: str, body: str = "k=${object}", **more: str) -> dict[str, str]:
    fields = {"callbackUrl": url, "callbackBody": body, **more}
    return {"x-oss-callback": base64.b64encode(json.dumps(fields).encode()).decode()}


@contextmanager
def evil(answer: bytes, *, hang: bool = False) -> Iterator[str]:
    """A receiver that answers these bytes whatever it is asked, or nothing at all."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def run() -> None:
        listener.settimeout(20)
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(65536)
            if hang:
                done.wait(20)
            connection.sendall(answer)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
    finally:
        done.set()
        listener.close()
        thread.join(5)


def reply(body: bytes, status: str = "200 OK", length: int | None = None) -> bytes:
    announced = len(body) if length is None else length
    return (
        f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n".encode()
        + body
    )


def test_every_system_variable_and_the_signature(
    server: Server, bucket: str, receiver: CallbackReceiver
) -> None:
    template = (
        '{"bucket":${bucket},"object":${object},"etag":${etag},"size":${size},"mimeType":${mimeType},"crc64":${crc64},'
        '"contentMd5":${contentMd5},"clientIp":${clientIp},"reqId":${reqId},"operation":${operation},'
        '"h":${imageInfo.height},"mine":${x:mine}}'
    )
    headers = asking(receiver.url + "?a=%20b", template, callbackBodyType="application/json")
    headers["x-oss-callback-var"] = b64_json({"x:mine": 'quote " and ü'})
    headers["Content-Type"] = "text/x-probe"

    result = client(server, bucket).put_object("dir/ü.txt", b"hello", headers=headers)

    assert result.resp.read() == b'{"Status":"OK"}'
    assert result.headers["Content-Type"] == "application/json"
    assert result.etag == "5D41402ABC4B2A76B9719D911017C592"
    [call] = receiver.calls
    assert call.json() == {
        "bucket": bucket,
        "object": "dir/ü.txt",
        "etag": "5D41402ABC4B2A76B9719D911017C592",
        "size": 5,
        "mimeType": "text/x-probe",
        "crc64": "11177612005948864433",
        "contentMd5": "XUFAKrxLKna5cZ2REBfFkg==",
        "clientIp": "127.0.0.1",
        "reqId": result.request_id,
        "operation": "PutObject",
        "h": "",
        "mine": 'quote " and ü',
    }
    assert call.headers["content-type"] == "application/json"
    assert call.signature_holds()


def test_urls_are_tried_until_one_answers(server: Server, bucket: str, receiver: CallbackReceiver) -> None:
    with evil(reply(b"{}", "500 Oops")) as first:
        headers = asking(f"{first};http://127.0.0.1:1/refused;{receiver.url}")
        result = client(server, bucket).put_object("k", b"x", headers=headers)

    assert result.resp.read() == b'{"Status":"OK"}'
    assert len(receiver.calls) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(b"{}", "500 Oops"), "Error status : 500."),
        (reply(b"", "301 Moved"), "Error status : 301."),
        (reply(b"not json"), "not JSON"),
        (reply(b"\xef\xbb\xbf{}"), "not JSON"),
        (b"HTTP/1.1 200 OK\r\n\r\n{}", "Content-Length"),
        (reply(b"{}", length=4 * 1024 * 1024), "longer"),
        (reply(b"{}", length=100), "shorter"),
        (b"garbage\r\n\r\n", "no HTTP"),
        (b"", "no HTTP"),
    ],
)
def test_a_bad_receiver_gives_203_and_keeps_the_object(
    server: Server, bucket: str, answer: bytes, words: str
) -> None:
    bucket_client = client(server, bucket)

    with evil(answer) as url:
        result = bucket_client.put_object("kept", b"hello", headers=asking(url))

    document = result.resp.read()
    assert result.status == 203
    assert b"<Code>CallbackFailed</Code>" in document
    assert words.encode() in document
    assert result.etag == "5D41402ABC4B2A76B9719D911017C592"
    assert bucket_client.get_object("kept").read() == b"hello"


def test_a_receiver_that_hangs_costs_the_limit_and_not_more(make_server, receiver: CallbackReceiver) -> None:
    special = make_server(CALLBACK_TIMEOUT_S="0.5")
    name = new_bucket(special)

    with evil(b"", hang=True) as url:
        started = time.monotonic()
        result = client(special, name).put_object("kept", b"x", headers=asking(f"{url};{receiver.url}"))
        took = time.monotonic() - started

    assert result.status == 203
    assert took < 5
    assert receiver.calls == []


def test_redirects_are_not_followed(server: Server, bucket: str, receiver: CallbackReceiver) -> None:
    with evil(f"HTTP/1.1 302 Found\r\nLocation: {receiver.url}\r\nContent-Length: 0\r\n\r\n".encode()) as url:
        result = client(server, bucket).put_object("k", b"x", headers=asking(url))

    assert result.status == 203
    assert receiver.calls == []


def test_private_targets_are_refused_before_anything_is_stored(make_server) -> None:
    special = make_server(CALLBACK_ALLOW_LOOPBACK="false")
    bucket_client = client(special, new_bucket(special))

    for target in (
        "http://127.0.0.1:9/",
        "http://localhost:9/",
        "http://169.254.169.254/",
        "http://[::1]:9/",
    ):
        with pytest.raises(oss2.exceptions.InvalidArgument):
            bucket_client.put_object("k", b"x", headers=asking(target))

    assert not bucket_client.object_exists("k")


def test_header_and_query_together_are_refused(
    server: Server, bucket: str, receiver: CallbackReceiver
) -> None:
    headers = asking(receiver.url)

    with pytest.raises(oss2.exceptions.InvalidArgument):
        client(server, bucket).put_object_with_url(
            client(server, bucket).sign_url(
                "PUT", "k", 60, headers=headers, params={"callback": headers["x-oss-callback"]}
            ),
            b"x",
            headers=headers,
        )

    assert receiver.calls == []


def test_a_callback_in_a_presigned_url(server: Server, bucket: str, receiver: CallbackReceiver) -> None:
    parameter = asking(receiver.url)["x-oss-callback"]
    url = client(server, bucket).sign_url("PUT", "k", 60, params={"callback": parameter}, slash_safe=True)

    result = client(server, bucket).put_object_with_url(url, b"x")

    assert result.resp.read() == b'{"Status":"OK"}'
    assert receiver.calls[0].form() == {"k": "k"}
