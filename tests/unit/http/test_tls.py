"""The same server behind TLS, where the loop moves the bytes of the worker threads."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import os
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mossaic.gateway.message import FilePiece, HttpResponse
from tests.unit.http.harness import GET, WAIT_S, House, Stored, file_of, request, until

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def contexts(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server with a fresh certificate, and for a client that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cafile=str(path))


async def test_bodies_go_in_and_contents_come_out(
    house: House, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    fileno, data = file_of(tmp_path / "blob", 3_000_000)
    house.app.answers["/file"] = lambda _: HttpResponse(
        status=200, body=Stored([b"start", FilePiece(fileno, 10, 2_000_000), data])
    )
    await house.serve(contexts[0])
    client = await house.connect(contexts[1])

    for size in (0, 100, 65_537, 2_000_000):
        sending = asyncio.ensure_future(
            client.send(request("PUT", "/digest", f"Content-Length: {size}") + data[:size] + GET)
        )
        assert (await client.answer()).body == f"{hashlib.md5(data[:size]).hexdigest()} {size}".encode()
        assert (await client.answer()).body == b"hello"
        await sending
    for _ in range(2):
        assert (await client.ask(request("GET", "/file"))).body == b"start" + data[10:2_000_010] + data

    assert all(asked.secure for asked in house.app.seen)
    os.close(fileno)


async def test_a_client_that_goes_away_in_the_body(
    house: House, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server = await house.serve(contexts[0])
    client = await house.connect(contexts[1])
    await client.send(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 200_000)
    await until(lambda: server.leases == 1)

    client.writer.transport.abort()

    await until(lambda: server.connections == server.requests == server.leases == 0)
    assert house.app.outcomes == ["IncompleteBody"]


async def test_a_body_that_stops_times_out(
    house: House, contexts: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    await house.serve(contexts[0], body_idle_s=0.1)
    client = await house.connect(contexts[1])

    answer = await client.ask(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 200_000)

    assert answer.headers["x-code"] == "requesttimeout"


async def test_a_reader_that_stops_is_cut_and_its_pieces_are_freed(
    house: House, contexts: tuple[ssl.SSLContext, ssl.SSLContext], tmp_path: Path
) -> None:
    fileno, data = file_of(tmp_path / "blob", 3_000_000)
    content = Stored([FilePiece(fileno, 0, len(data))] * 10)
    house.app.answers["/file"] = lambda _: HttpResponse(status=200, body=content)
    server = await house.serve(contexts[0], write_idle_s=0.2)
    client = await house.connect(contexts[1])
    client.writer.transport.pause_reading()

    await client.send(request("GET", "/file"))

    await asyncio.wait_for(content.closed.wait(), WAIT_S)
    await until(lambda: server.connections == 0)
    os.close(fileno)


async def test_closing_cuts_an_upload(house: House, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> None:
    server = await house.serve(contexts[0])
    client = await house.connect(contexts[1])
    await client.send(request("PUT", "/digest", "Content-Length: 1000000") + b"x" * 200_000)
    await until(lambda: server.leases == 1)

    await server.close(0.05)

    assert server.connections == server.requests == server.leases == 0
    house.servers.clear()
