"""Lists of objects that are asked for again while no object has changed: the document of the last time is sent once more.

Programs that work on folders list the same ones over and over: mounts, readers of partitioned tables, pages that look for news.
Whoever walks a bucket asks for each page once; nothing of that is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.gateway.message import HttpResponse
from mossaic.protocol.limits import KIB, MIB
from mossaic.protocol.operations import listing as ops

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from mossaic.model.bucket import Bucket
    from mossaic.protocol.operation import AnyOperation
    from mossaic.service.listing import ListingService

OBJECT_LISTS: Final = (ops.LIST_OBJECTS, ops.LIST_OBJECTS_V2)
MOST_BYTES: Final = 8 * MIB  # of documents; with more all are forgotten
MOST_ASKED: Final = 256  # questions that are kept with their documents when they come again
LONGEST: Final = 2 * KIB  # characters of a question that is worth remembering

# Operation, bucket, its owner, and the query: whatever else a request says, the document is the same.
Question = tuple[str, str, str, tuple[tuple[str, str], ...]]


class Asked(NamedTuple):
    """A question while it is answered. `changes`: of objects, before. `known`: the answer, when it is."""

    question: Question
    changes: int
    known: HttpResponse | None


class PagesAgain:
    """The documents of this process. They are as old as the last change of an object, whichever process made it."""

    __slots__ = ("_asked", "_changes", "_kept", "_most_bytes", "size")

    def __init__(self, *, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._kept: dict[Question, tuple[tuple[tuple[str, str], ...], bytes]] = {}
        self._asked: set[Question] = set()
        self._changes = -1
        self.size = 0  # bytes of documents

    async def answer(
        self,
        listing: ListingService,
        operation: AnyOperation,
        bucket: Bucket,
        query: Mapping[str, str],
        make: Callable[[], Awaitable[HttpResponse]],
    ) -> HttpResponse:
        """The answer of the last time to whoever may list the bucket, else what `make` gives. `operation`: one of OBJECT_LISTS. Raises
        StoreError, and what `make` does."""
        if sum(len(name) + len(value) for name, value in query.items()) > LONGEST:
            return await make()
        asked = await self._ask(listing, operation, bucket, query)
        if asked.known is not None:
            return asked.known
        response = await make()
        self.learn(asked, response)
        return response

    async def _ask(
        self, listing: ListingService, operation: AnyOperation, bucket: Bucket, query: Mapping[str, str]
    ) -> Asked:
        changes = await listing.changes()
        if changes != self._changes:
            self._forget()
            self._changes = changes
        question = (operation.name, bucket.name, bucket.owner_id, tuple(query.items()))
        kept = self._kept.get(question)
        if kept is None:
            return Asked(question, changes, None)
        headers, body = kept
        return Asked(
            question, changes, HttpResponse(status=operation.status, headers=list(headers), body=body)
        )

    def learn(self, asked: Asked, response: HttpResponse) -> None:
        """How a question was answered that nobody knew the answer of."""
        question, changes, _ = asked
        if changes != self._changes:  # the page may be of before what others know of since
            return
        if question not in self._asked:
            if len(self._asked) >= MOST_ASKED:
                self._asked.clear()
            self._asked.add(question)
            return
        body = response.body
        if question in self._kept or not isinstance(body, bytes) or len(body) > self._most_bytes:
            return
        if self.size + len(body) > self._most_bytes:
            self._forget()
        self._kept[question] = (tuple(response.headers), body)
        self.size += len(body)

    def _forget(self) -> None:
        self._kept.clear()
        self._asked.clear()
        self.size = 0
