"""A list of objects that is asked for again is the one that would be made now, byte by byte."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mossaic.gateway.message import HttpRequest, HttpResponse
from mossaic.gateway.pages_again import LONGEST, MOST_ASKED, OBJECT_LISTS, Asked, PagesAgain
from mossaic.gateway.pipeline import Pipeline
from mossaic.protocol.addressing import parse_query
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.codec.values import http_text_at
from mossaic.protocol.signing import v1
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest
from mossaic.service.buckets import NewBucket
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from mossaic.telemetry import AccessLog, Metrics
from tests.contract.given import BUCKET, NOW, complete, given_upload, key, put_inline, put_part
from tests.in_process import ACCESS_KEY_ID, ACCESS_KEY_SECRET, OWNER, BytesBody, StandingClock, app_over

if TYPE_CHECKING:
    from mossaic.app import App

KEYS = ("a/1", "a/2", "a/3", "b/1", "c", "ü")
QUERIES = (
    "",
    "list-type=2",
    "list-type=2&fetch-owner=true",
    "list-type=2&prefix=a%2F&max-keys=2",
    "list-type=2&start-after=a%2F2",
    "delimiter=%2F",
    "delimiter=%2F&marker=a%2F&encoding-type=url",
    "prefix=%C3%BC",
)


@dataclass(kw_only=True)
class Place:
    """A service over two stores on one database, as two workers are: `asked` lists, `theirs` writes."""

    app: App
    asked: Pipeline
    theirs: SqliteMetadata
    log: AccessLog

    def new_pipeline(self) -> Pipeline:
        services = self.app._services(OWNER)
        return self.app._pipeline(services, OWNER, Metrics(), self.log)

    async def list(self, query: str) -> HttpResponse:
        return await answer_of(self.asked, query)

    async def list_often(self, query: str) -> bytes:
        """The document, which was asked for often enough to be known."""
        first = await self.list(query)
        for _ in range(2):
            again = await self.list(query)
            assert (again.status, again.body, plain(again)) == (200, first.body, plain(first))
        assert isinstance(first.body, bytes)
        return first.body

    async def made_now(self, query: str) -> HttpResponse:
        """By a service that remembers nothing."""
        return await answer_of(self.new_pipeline(), query)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    ours, theirs = (SqliteMetadata.open(tmp_path / "metadata.db", sync=False) for _ in range(2))
    app = app_over(tmp_path, ours, FileBlobs(tmp_path / "blobs", sync=False))
    log = AccessLog(str(tmp_path / "access.log"))
    services = app._services(OWNER)
    await services.buckets.create(NewBucket(name=BUCKET))
    for name in KEYS:
        await put_inline(theirs, name)
    pipeline = app._pipeline(services, OWNER, Metrics(), log)
    yield Place(app=app, asked=pipeline, theirs=theirs, log=log)
    log.close()
    await theirs.close()
    await app.close()


async def answer_of(pipeline: Pipeline, query: str) -> HttpResponse:
    """Signed by the account."""
    headers = {"host": "127.0.0.1:9280", "date": http_text_at(int(StandingClock().now().timestamp()))}
    pairs = tuple((name, value) for name, value, _ in parse_query(query))
    signed = SignedRequest(method="GET", query=pairs, headers=headers)
    pair = Pair(access_key_id=ACCESS_KEY_ID, secret=ACCESS_KEY_SECRET)
    headers["authorization"] = v1.authorization(pair, signed, Resource(bucket=BUCKET, key=""))
    target = f"/{BUCKET}/?{query}" if query else f"/{BUCKET}/"
    lines = [f"GET {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    request = HttpRequest(
        method="GET",
        target=target,
        raw="\r\n".join(lines).encode(),
        headers=tuple(headers.items()),
        index=headers,
        body=BytesBody(b""),
    )
    return await pipeline(request)


def plain(answer: HttpResponse) -> list[tuple[str, str]]:
    return [
        (name, value)
        for name, value in answer.headers
        if name not in {"x-oss-request-id", "Date", "x-oss-server-time"}
    ]


@pytest.mark.parametrize("query", QUERIES)
async def test_a_list_that_is_known_is_the_one_that_is_made(place: Place, query: str) -> None:
    known = await place.list_often(query)

    made = await place.made_now(query)

    assert place.asked.repeats.pages.size == len(known)
    assert made.body == known
    assert plain(made) == plain(await place.list(query))


@pytest.mark.parametrize("query", QUERIES[:3])
async def test_whatever_another_worker_changes_is_listed_at_once(place: Place, query: str) -> None:
    async def shows_now(what: str) -> None:
        body = (await place.list(query)).body
        assert body not in seen, what
        assert body == (await place.made_now(query)).body, what
        seen.append(await place.list_often(query))

    theirs = place.theirs
    seen: list[object] = [await place.list_often(query)]

    await put_inline(theirs, "new")
    await shows_now("an object is put")
    await put_inline(theirs, "new", b"longer")
    await shows_now("it is put again")
    upload = await given_upload(theirs)
    part = await put_part(theirs, upload, 1)
    await complete(theirs, upload, [part])
    await shows_now("an upload is completed")
    await theirs.delete_object(BUCKET, key("new"), None, NOW)
    await shows_now("one is deleted")
    await theirs.delete_objects(BUCKET, [(key("c"), None), (key("a/1"), None)], NOW)
    await shows_now("some are deleted")


async def test_parts_forget_nothing(place: Place) -> None:
    known = await place.list_often("")

    await put_part(place.theirs, await given_upload(place.theirs), 1)
    await place.list("")

    assert place.asked.repeats.pages.size == len(known)


@pytest.mark.parametrize("query", ["", "list-type=2"])
async def test_a_list_is_not_taken_for_a_read_of_an_object(place: Place, query: str) -> None:
    """Heads of reads are learnt, to be known again (ADR 22)."""
    for _ in range(3):
        await place.list_often(query)

    assert not place.asked.repeats._known


async def test_who_walks_a_bucket_leaves_nothing(place: Place) -> None:
    for marker in ("", "a/1", "a/2", "a/3"):
        await place.list(f"marker={marker}&max-keys=1")

    assert place.asked.repeats.pages.size == 0


async def test_errors_and_other_operations_are_not_kept(place: Place) -> None:
    for query in ("max-keys=x", "acl", "versions", "uploads", "list-type=2&continuation-token=%3F"):
        for _ in range(3):
            await answer_of(place.asked, query)

    assert place.asked.repeats.pages.size == 0


async def test_the_list_of_a_bucket_goes_with_it(place: Place) -> None:
    await place.theirs.delete_objects(BUCKET, [(key(name), None) for name in KEYS], NOW)
    await place.list_often("")

    await place.asked.services.buckets.delete(BUCKET)

    assert (await place.list("")).status == 404


def test_what_is_listed_depends_on_the_query_only() -> None:
    for operation in OBJECT_LISTS:
        assert not list(plan_of(operation.takes).header_names)


def asked_for(name: str, changes: int = -1) -> Asked:
    return Asked(("ListObjects", BUCKET, OWNER, (("prefix", name),)), changes, None)


def learn_twice(pages: PagesAgain, name: str, size: int) -> None:
    for _ in range(2):
        pages.learn(asked_for(name), HttpResponse(status=200, body=bytes(size)))


def test_documents_are_bounded() -> None:
    pages = PagesAgain(most_bytes=1000)

    for number in range(100):
        learn_twice(pages, f"{number}", 150)
        assert pages.size <= 1000
    learn_twice(pages, "too long", 1001)

    assert pages.size >= 150


def test_two_who_ask_at_the_same_time_leave_one_document() -> None:
    pages = PagesAgain()
    learn_twice(pages, "same", 150)

    learn_twice(pages, "same", 150)

    assert pages.size == 150


def test_questions_are_bounded() -> None:
    pages = PagesAgain()

    for number in range(3 * MOST_ASKED):
        pages.learn(asked_for(f"{number}"), HttpResponse(status=200, body=b"x"))
        assert len(pages._asked) <= MOST_ASKED


async def test_a_long_question_is_not_remembered(place: Place) -> None:
    for _ in range(3):
        assert (await place.list(f"prefix={'x' * 1000}&unknown={'y' * (LONGEST - 1000)}")).status == 200

    assert place.asked.repeats.pages.size == 0
    assert not place.asked.repeats.pages._asked


def test_a_page_of_before_a_change_that_is_known_of_is_not_kept() -> None:
    """Another question has heard of a commit while this one was answered."""
    pages = PagesAgain()

    for _ in range(3):
        pages.learn(asked_for("", changes=7), HttpResponse(status=200, body=b"old"))

    assert pages.size == 0
