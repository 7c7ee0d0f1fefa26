"""Requests that are ready to be sent, and what came back."""

from __future__ import annotations

from typing import NamedTuple


class WrongAnswer(Exception):
    """The server answered something else than it should, or not at all; the text says what."""


class Request(NamedTuple):
    """`marks`: bytes that the head of the answer, in lower case, must contain. `size`: bytes that its body must have; -1 takes
    any. `same`: what the body must be; `entries`: how often some bytes must occur in it. `keep`: hand the body on; without any of
    the three it is left unread."""

    head: bytes
    body: bytes | memoryview = b""
    marks: tuple[bytes, ...] = ()
    size: int = -1
    same: bytes | memoryview | None = None
    entries: tuple[bytes, int] | None = None
    keep: bool = False

    @property
    def keeps(self) -> bool:
        return self.keep or self.same is not None or self.entries is not None


class Answer(NamedTuple):
    """`head` in lower case; `body` is empty unless it was asked for; `size` in bytes, `seconds` since the request was begun."""

    status: int
    head: bytes
    size: int
    body: bytes
    seconds: float

    def header(self, name: str) -> str:
        """In lower case, "" when there is none."""
        found = self.head.partition(b"\r\n" + name.encode() + b":")[2]
        return found.partition(b"\r\n")[0].strip().decode("latin-1")


def check(request: Request, answer: Answer) -> None:
    """Raises WrongAnswer."""
    if answer.status // 100 != 2:
        raise WrongAnswer(f"{_name(request)}: {answer.status} {answer.body[:300]!r}")
    for mark in request.marks:
        if mark not in answer.head:
            raise WrongAnswer(f"{_name(request)}: no {mark!r} in {answer.head!r}")
    if request.size not in (-1, answer.size):
        raise WrongAnswer(f"{_name(request)}: {answer.size} bytes, not {request.size}")
    if request.same is not None and answer.body != request.same:
        raise WrongAnswer(f"{_name(request)}: other bytes than were stored")
    if request.entries is not None and answer.body.count(request.entries[0]) != request.entries[1]:
        raise WrongAnswer(f"{_name(request)}: not {request.entries[1]} times {request.entries[0]!r}")
    if b"<Error>" in answer.body[:200]:
        raise WrongAnswer(f"{_name(request)}: an error in a {answer.status}: {answer.body[:300]!r}")


def _name(request: Request) -> str:
    return request.head.partition(b" HTTP")[0].decode("latin-1")
