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
    from mossaic.gateway.call import Call

OPERATIONS: Final = (ops.LIST_OBJECTS, ops.LIST_OBJECTS_V2)
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

    async def ask(self, call: Call) -> Asked | None:
        """Of an authorized call; None when it asks for no list of objects, or at such length that it is not remembered. Raises StoreError."""
        if call.operation not in OPERATIONS or len(call.request.target) > LONGEST:
            return None
        changes = await call.services.listing.changes()
        if changes != self._changes:
            self._forget()
            self._changes = changes
        bucket = call.bucket
        question = (call.operation.name, bucket.name, bucket.owner_id, tuple(call.query.items()))
        kept = self._kept.get(question)
        if kept is None:
            return Asked(question, changes, None)
        headers, body = kept
        known = HttpResponse(status=call.operation.status, headers=list(headers), body=body)
        return Asked(question, changes, known)

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
