"""Jobs of the load generator: many requests for some seconds, parts of an upload, requests one after the other."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from html import unescape
from itertools import cycle
from typing import TYPE_CHECKING, Final

from bench.server.load.loop import ask, drive, each
from bench.server.load.message import Request, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bench.server.load.contents import Contents
    from bench.server.load.crew import Tally
    from bench.server.load.message import Answer
    from bench.server.load.signer import Signer, Unsigned

MAX_PARTS: Final = 10_000


@dataclass(kw_only=True)
class Requests:
    """The requests that `make` gives, over `connections`, for `seconds`: again and again when `again`, else until there are no
    more. `make` runs before the clock starts; `warm` of them are sent then, too."""

    port: int
    make: Callable[[], Sequence[Request]]
    connections: int
    seconds: float
    again: bool = False
    warm: int = 0
    _requests: Sequence[Request] = ()

    def prepare(self) -> None:
        self._requests = self.make()
        each(self.port, self._requests[: self.warm], connections=min(4, self.connections))
        if not self.again:
            self._requests = self._requests[self.warm :]

    def run(self, tally: Tally) -> None:
        requests = cycle(self._requests) if self.again else iter(self._requests)
        run_for(self.port, self.connections, requests, self.seconds, tally)

    def finish(self) -> None: ...


@dataclass(kw_only=True)
class Parts:
    """Parts of one size to one upload, which is aborted in the end: its bytes go at once."""

    signer: Signer
    contents: Contents
    key: str
    size: int
    seconds: float
    connections: int = 4
    most: int = 2_000
    _upload_id: str = ""
    _requests: list[Request] = field(default_factory=list[Request])

    def prepare(self) -> None:
        self._upload_id = begin_upload(self.signer, self.key)
        warm = 2 * self.connections
        made = [self._part(number) for number in range(1, min(self.most + warm, MAX_PARTS) + 1)]
        each(self.signer.port, made[:warm], connections=self.connections)
        self._requests = made[warm:]

    def run(self, tally: Tally) -> None:
        run_for(self.signer.port, self.connections, iter(self._requests), self.seconds, tally)

    def finish(self) -> None:
        ask(self.signer.port, self.signer.head("DELETE", self.key, f"uploadId={self._upload_id}"))

    def _part(self, number: int) -> Request:
        query = f"partNumber={number}&uploadId={self._upload_id}"
        return Request(
            self.signer.head("PUT", self.key, query, self.size),
            self.contents.of(number, self.size),
            marks=self.contents.marks(number, self.size),
        )


@dataclass(kw_only=True)
class Takes:
    """Bodies of one size to a sink that takes whatever comes."""

    signer: Unsigned
    contents: Contents
    size: int
    seconds: float
    connections: int = 4

    def prepare(self) -> None:
        self._head = self.signer.head("PUT", "sink", length=self.size)

    def run(self, tally: Tally) -> None:
        bodies = cycle([Request(self._head, self.contents.of(index, self.size)) for index in range(8)])
        run_for(self.signer.port, self.connections, bodies, self.seconds, tally)

    def finish(self) -> None: ...


def run_for(port: int, connections: int, requests: Iterator[Request], seconds: float, tally: Tally) -> None:
    """Until the time is over; a request that has begun is finished and counts. Every connection has one request at least."""
    until, begun, clock = time.perf_counter() + seconds, 0, time.perf_counter

    def following() -> Request | None:
        nonlocal begun
        if clock() >= until and begun >= connections:
            return None
        begun += 1
        return next(requests, None)

    def done(request: Request, answer: Answer) -> None:
        tally.took.append(answer.seconds)
        tally.count += 1
        tally.size += answer.size + len(request.body)
        tally.ended = clock()

    drive(port, connections, following, done)


def begin_upload(signer: Signer, key: str) -> str:
    answer = ask(signer.port, signer.head("POST", key, "uploads"))
    found = answer.body.decode().partition("<UploadId>")[2].partition("</UploadId>")[0]
    if not found:
        raise WrongAnswer(f"no upload id in {answer.body[:300]!r}")
    return unescape(found)
