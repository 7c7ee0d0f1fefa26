"""One connection and the exchange that is on it: sends pieces, hears an early answer, reads the answer's head."""

from __future__ import annotations

import os
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import Cancelled, ConnectionTimeoutError, DeadlineExceeded, NetworkError
from mossaic.client.http.head import Malformed, parse_head
from mossaic.client.http.inbox import Inbox

if TYPE_CHECKING:
    from mossaic.client.http.head import Answer
    from mossaic.client.http.line import Chunk, Line
    from mossaic.client.http.message import Origin
    from mossaic.client.http.scope import Scope

_LOOK_S: Final = 0.005  # between two looks for an early answer: each is a system call and gives up the GIL
_LOOKS: Final = 4  # within the idle limit, for whether the kernel has got rid of more of the request
_SLICE_S: Final = 0.5  # a send that is stuck for so long looks whether the server has answered meanwhile


class Connection:
    """Belongs to one thread at a time; only `interrupt` may be called from others.

    `sent`: whether any byte of the request may have reached the server; `reused`: it had been idle in the pool;
    `complete`: the whole request was sent; `pid`: the process that made it; `idle_since` is its pool's.
    """

    __slots__ = (
        "_answer",
        "_deadline",
        "_idle_s",
        "_line",
        "_look_at",
        "_method",
        "_peer",
        "_scope",
        "_slice_s",
        "complete",
        "idle_since",
        "inbox",
        "joins",
        "origin",
        "pid",
        "reused",
        "sent",
    )

    def __init__(self, line: Line, *, origin: Origin, idle_s: float, peer: str = "") -> None:
        """`peer` is the name in messages if it is not the origin."""
        self._line = line
        self._peer = peer or origin.authority
        self.origin = origin
        self._idle_s = idle_s
        self._slice_s = min(_SLICE_S, idle_s)
        self.pid = os.getpid()
        self.joins = line.joins  # small pieces are better joined before they are pushed
        self.idle_since = 0.0
        self._scope: Scope | None = None
        self._deadline: float | None = None
        self._method = ""
        self._answer: Answer | None = None
        self._look_at = 0.0
        self.inbox = Inbox()
        self.sent = self.reused = self.complete = False

    # --- the exchange -------------------------------------------------------------------------------------------------

    def begin(self, method: str, *, scope: Scope | None, deadline: float | None) -> None:
        """Raises Cancelled: then the connection is as it was."""
        if scope is not None:
            scope.add(self)
        self._scope, self._deadline = scope, deadline
        self._method, self._answer = method, None
        self._look_at = 0.0
        self.sent = self.complete = False

    def end(self) -> None:
        """The exchange is over; nobody cancels this connection any more."""
        if self._scope is not None:
            self._scope.remove(self)
            self._scope = None

    def push(self, *parts: Chunk) -> bool:
        """Hand the parts to the kernel, all of them. False: an answer came that makes it pointless to go on."""
        left = sum(map(len, parts))
        moved_at: float | None = None
        unsent = 0
        while True:
            wait_s = self._patience(self._slice_s)
            try:
                sent = self._line.send(parts, wait_s)
            except OSError as error:
                self._rescue(error)
                return False
            if sent:
                self.sent = True
            left -= sent
            if not left:
                return True
            parts = _after(parts, sent)
            if self.answered():
                return False
            # The kernel asks for more only when much of its buffer is free: on a slow line it may move for long before that.
            before, unsent = unsent, self._line.unsent()
            if sent or unsent < before or moved_at is None:
                moved_at = monotonic()
            elif monotonic() - moved_at >= self._idle_s:
                raise self._timed_out("took no more of the request")

    def answered(self) -> bool:
        """Whether an answer is there that makes it pointless to send on: any but a success. Never blocks.

        To be asked between any two chunks: it looks into the socket only if it did not do so a moment ago.
        """
        if self._answer is None and (now := monotonic()) >= self._look_at:
            self._look_at = now + _LOOK_S
            if self._line.readable():
                self._listen()
        return self._answer is not None and self._answer.status >= 300

    def answer(self) -> Answer:
        """Wait for the head of the answer; interim ones (1xx) are skipped."""
        while self._answer is None:
            count = self.receive(self.inbox.room())
            if not count:
                raise self.failure("closed the connection without an answer")
            self._heard(count)
        return self._answer

    def receive(self, buffer: memoryview) -> int:
        """Wait for bytes; 0 at the end of the connection."""
        left = _LOOKS
        unsent: int | None = None
        while True:
            self._check_scope()
            wait_s = self._patience(self._idle_s / _LOOKS)
            try:
                count = self._line.receive(buffer, wait_s)
            except TimeoutError as error:
                self._check_scope()
                self._patience(self._idle_s)  # the deadline, if it was that
                # What the kernel still holds may take longer than the limit on a slow line: while that gets less, it is no silence.
                before, unsent = unsent, self._line.unsent()
                moved = unsent > 0 if before is None else unsent < before
                left = _LOOKS if moved else left - 1
                if not left:
                    raise self._timed_out("sent nothing") from error
                continue
            except OSError as error:
                raise self._broken(error, "while an answer was awaited") from error
            if not count:
                self._check_scope()
            return count

    def failure(self, what: str) -> NetworkError:
        """An error of this exchange: `what` the peer did."""
        return NetworkError(f"{self._peer} {what}", sent=self.sent, reused=self.reused)

    # --- the whole life -----------------------------------------------------------------------------------------------

    def usable(self) -> bool:
        """Whether an idle connection may be used again: not closed by the server, no bytes that nobody asked for."""
        try:
            return not self._line.readable() or self._line.receive_now(self.inbox.room()) is None
        except OSError:
            return False

    def interrupt(self) -> None:
        if self.pid == os.getpid():  # after a fork it is the parent's
            self._line.interrupt()

    def close(self) -> None:
        self.end()
        with suppress(OSError):
            self._line.close()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _listen(self) -> None:
        """Take in what is there already."""
        while self._answer is None:
            try:
                count = self._line.receive_now(self.inbox.room())
            except OSError as error:
                raise self._broken(error, "while the request was being sent") from error
            if count is None:
                return
            if not count:
                self._check_scope()
                raise self.failure("closed the connection while the request was being sent")
            self._heard(count)

    def _heard(self, count: int) -> None:
        self.inbox.grew(count)
        try:
            while self._answer is None and (head := self.inbox.take_head()) is not None:
                answer = parse_head(head, method=self._method)
                if answer.status >= 200:
                    self._answer = answer
        except Malformed as error:
            raise self.failure(f"gave an answer that is not understood: {error}") from error

    def _rescue(self, error: OSError) -> None:
        """Sending failed. A server that refuses early answers and closes: the answer is then here already."""
        with suppress(NetworkError):
            self._listen()
        if self._answer is None or self._answer.status < 300:
            raise self._broken(error, "while the request was being sent") from error

    def _patience(self, most_s: float) -> float:
        """How long the next call may block."""
        if self._deadline is None:
            return most_s
        left_s = self._deadline - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded("the time given for the call is over")
        return min(most_s, left_s)

    def _check_scope(self) -> None:
        if self._scope is not None:
            self._scope.check()

    def _timed_out(self, what: str) -> ConnectionTimeoutError:
        message = f"{self._peer} {what} for {self._idle_s:g} s"
        return ConnectionTimeoutError(message, sent=self.sent, reused=self.reused)

    def _broken(self, error: OSError, when: str) -> NetworkError | Cancelled:
        if self._scope is not None and self._scope.cancelled:
            return Cancelled("the work was cancelled")
        return self.failure(f"broke the connection {when}: {error.strerror or error}")


def _after(parts: tuple[Chunk, ...], sent: int) -> tuple[memoryview, ...]:
    """What is left of the parts."""
    rest: list[memoryview] = []
    for part in parts:
        view = memoryview(part)
        if sent < len(view):
            rest.append(view[sent:])
        sent = max(0, sent - len(view))
    return tuple(rest)
