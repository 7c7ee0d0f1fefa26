"""A service that knows repeats, the same service without, and requests to ask both of them."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from mossaic.gateway.http import Hooks, Listener, serve
from mossaic.gateway.message import HttpResponse, IncomingBody
from mossaic.gateway.repeats.repeats import Repeat, Repeats
from mossaic.gateway.repeats.template import Template
from mossaic.protocol.addressing import parse_query
from mossaic.protocol.codec.values import http_text_at
from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.service.buckets import NewBucket
from mossaic.service.services import Services
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from mossaic.telemetry import AccessLog, Metrics
from tests.in_process import ACCESS_KEY_ID, ACCESS_KEY_SECRET, NOW, OWNER, StandingClock, app_over
from tests.unit.http.harness import Answer, Client

ROOT = Pair(access_key_id=ACCESS_KEY_ID, secret=ACCESS_KEY_SECRET)
OF_THE_REQUEST = {"date", "x-oss-request-id", "x-oss-server-time"}


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One request. `signs`: the scheme; `domain`: virtual-hosted at this one; `additional`: headers that V4 signs on demand."""

    method: str = "GET"
    bucket: str = "bucket"
    key: str = "key"
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    signs: str = "v4"
    domain: str = ""
    at: datetime = NOW
    pair: Pair = ROOT
    additional: tuple[str, ...] = ()

    def head(self) -> bytes:
        host = f"{self.bucket}.{self.domain}" if self.domain else "127.0.0.1:9280"
        headers = {"Host": host, "User-Agent": "test", "Accept": "*/*"}
        if self.signs == "v1":
            headers["Date"] = http_text_at(int(self.at.timestamp()))
        else:
            headers |= {
                "x-oss-date": self.at.strftime("%Y%m%dT%H%M%SZ"),
                "x-oss-content-sha256": "UNSIGNED-PAYLOAD",
            }
        if self.method in ("PUT", "POST"):
            headers["Content-Length"] = str(len(self.body))
        headers |= self.headers
        query = pairs_of(self.query)
        lower = {name.lower(): value for name, value in headers.items()}
        signed = SignedRequest(method=self.method, query=query, headers=lower)
        resource = Resource(bucket=self.bucket, key=self.key)
        if self.signs == "v1":
            headers["Authorization"] = v1.authorization(self.pair, signed, resource)
        elif self.signs == "v4":
            scope = v4.Scope(day=self.at.strftime("%Y%m%d"), region="cn-hangzhou")
            headers["Authorization"] = v4.authorization(self.pair, signed, resource, scope, self.additional)
        path = quote(self.key if self.domain else f"{self.bucket}/{self.key}")
        target = f"/{path}?{self.query}" if self.query else f"/{path}"
        lines = [f"{self.method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode("latin-1")


def pairs_of(query: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value, _ in parse_query(query))


class Seen:
    """`Repeats.recognize`, and what became of each head that it recognized."""

    def __init__(self, repeats: Repeats) -> None:
        self._repeats = repeats
        self.answered = 0
        self.handed_back = 0  # to the usual way

    def recognize(self, head: bytes) -> Watched | None:
        found = self._repeats.recognize(head)
        return None if found is None else Watched(found, self)


@dataclass
class Watched:
    repeat: Repeat
    seen: Seen

    @property
    def length(self) -> int:
        return self.repeat.length

    async def answer(self, body: IncomingBody, remote: str) -> HttpResponse | None:
        answer = await self.repeat.answer(body, remote)
        self.seen.answered += answer is not None
        self.seen.handed_back += answer is None
        return answer


@dataclass(kw_only=True)
class Place:
    """A service in the test's own loop. `ask` reaches a server that knows repeats, `ask_usually` one that does not."""

    seen: Seen
    metadata: SqliteMetadata
    services: Services
    clock: StandingClock
    log: Path
    quick: tuple[str, int]
    usual: tuple[str, int]

    async def ask(self, asked: Ask) -> Answer:
        return await answer_of(self.quick, asked.head(), asked.body)

    async def ask_usually(self, asked: Ask) -> Answer:
        return await answer_of(self.usual, asked.head(), asked.body)

    async def learn(self, asked: Ask) -> None:
        """Ask until its like is a repeat."""
        for _ in range(2):
            answer = await self.ask(asked)
            assert answer.status == 200, answer
        assert await self.repeats(asked)

    async def open_upload(self, key: str, signs: str = "v4") -> str:
        """Its id."""
        begun = Ask(method="POST", key=key, query="uploads", signs=signs)
        found = re.search(rb"<UploadId>([0-9A-F]{32})<", (await self.ask(begun)).body)
        assert found is not None
        return found[1].decode()

    async def repeats(self, asked: Ask) -> bool:
        """Whether a repeat answered."""
        before = self.seen.answered
        await self.ask(asked)
        return self.seen.answered > before

    async def same_refusal(self, asked: Ask, status: int, code: str) -> None:
        """Both ways refuse it, and in the same words."""
        quick, usual = await self.ask(asked), await self.ask_usually(asked)
        assert (quick.status, usual.status) == (status, status)
        assert f"<Code>{code}</Code>".encode() in quick.body
        assert shown(quick) == shown(usual)


@contextlib.asynccontextmanager
async def open_place(tmp_path: Path) -> AsyncIterator[Place]:
    clock = StandingClock()
    metadata = SqliteMetadata.open(tmp_path / "metadata.db", sync=False)
    app = app_over(tmp_path, metadata, FileBlobs(tmp_path / "blobs", sync=False), clock)
    services = app._services(OWNER)
    log = AccessLog(str(tmp_path / "access.log"))
    pipeline = app._pipeline(services, OWNER, Metrics(), log)
    seen = Seen(pipeline.repeats)
    servers = [
        await serve(Listener(), pipeline, hooks=Hooks(recognize=seen.recognize)),
        await serve(Listener(), pipeline),
    ]
    await services.buckets.create(NewBucket(name="bucket"))
    try:
        yield Place(
            seen=seen,
            metadata=metadata,
            services=services,
            clock=clock,
            log=tmp_path / "access.log",
            quick=servers[0].addresses[0],
            usual=servers[1].addresses[0],
        )
    finally:
        for server in servers:
            await server.close(2.0)
        log.close()
        await app.close()


def count_tries(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Has one entry more each time that somebody tries to make a template."""
    tries: list[object] = []

    def counted(*given: object) -> Template:
        tries.append(given)
        return Template(*given)  # type: ignore[arg-type]  # whatever it is called with

    monkeypatch.setattr("mossaic.gateway.repeats.repeats.Template", counted)
    return tries


async def answer_of(address: tuple[str, int], head: bytes, body: bytes = b"") -> Answer:
    client = Client(*await asyncio.open_connection(*address))
    try:
        await client.send(head + b"\r\n\r\n" + body)
        return await client.answer(head_only=head.startswith(b"HEAD"))
    finally:
        client.close()


def shown(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    """Without what is of the request and not of the answer."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_REQUEST}
    body = re.sub(rb"<(RequestId|HostId|ServerTime)>[^<]*", b"", answer.body)
    return answer.status, headers, body
