"""One operation from asking to answer: encode, sign, send, judge, and ask again where that can help.

Everything a client does goes through `Session.do` or `Session.open`; they are the only places that retry.
"""

from __future__ import annotations

import random
import sys
import time
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import quote

from mossaic import __version__
from mossaic.client.errors import (
    ConnectionTimeoutError,
    CredentialsError,
    DeadlineExceeded,
    MossaicError,
    NetworkError,
    ServerError,
)
from mossaic.client.http import Body, BytesBody, Request, Response, Scope
from mossaic.client.http.scope import current_scope
from mossaic.client.options import Retry, Retrying
from mossaic.client.refusal import read_refusal
from mossaic.client.signer import Signer, pairs_of
from mossaic.protocol.codec import read_answer, write_request
from mossaic.protocol.codec.values import read_iso_time
from mossaic.protocol.errors import OssError
from mossaic.protocol.operation import Level
from mossaic.protocol.wire import Answer, Message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.client.credentials import Credentials, Provider
    from mossaic.client.endpoint import Endpoint
    from mossaic.client.http import Pool
    from mossaic.protocol.operation import Operation

In = TypeVar("In")
Out = TypeVar("Out")

USER_AGENT: Final = (
    f"mossaic/{__version__} (python {sys.version_info[0]}.{sys.version_info[1]}; {sys.platform})"
)
MAX_ANSWER: Final = (
    64 * 1024 * 1024
)  # bytes of an answer that is read whole: a page of a listing, an error, a callback's JSON
_PAUSE_STEP_S: Final = 0.25
_STALE_TRIES: Final = 4  # connections that had died in the pool, before it counts as an attempt
# The server refuses these because of how the bytes arrived: sending them again may help.
_TRANSIT_CODES: Final = frozenset({"RequestTimeout", "IncompleteBody", "InvalidDigest", "InvalidCRC64"})
_CREDENTIAL_CODES: Final = frozenset(
    {
        "SecurityTokenExpired",
        "InvalidSecurityToken",
        "InvalidAccessKeyId",
        "AccessKeyIdAndSecurityTokenNotMatch",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply(Generic[Out]):
    """A successful answer. `attempts`: how many requests it took; more than one means an earlier one may have worked, too."""

    value: Out
    status: int
    headers: Mapping[str, str]
    request_id: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """How one call is made. `body` is made afresh for every attempt. `deadline`: seconds for the whole call, retries included.

    `headers` and `query` are added to those of the shape. `settled` is asked when an answer was lost: it looks whether the request
    had its effect and returns what the answer would have said, or None. `in_doubt`: an earlier call may have had it, so ask first.
    """

    body: Callable[[], Body] | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    deadline: float | None = None
    scope: Scope | None = None
    retry: Retry | None = None
    on_retry: Callable[[Retrying], None] | None = None
    settled: Callable[[], Any] | None = None  # Any: the operation's output shape
    in_doubt: bool = False


PLAIN: Final = Ask()


class Session:
    """What the calls of a client share: endpoint, credentials, connections, clock. Thread-safe."""

    def __init__(  # noqa: PLR0913  # the parts a client is made of
        self,
        *,
        endpoint: Endpoint,
        provider: Provider,
        pool: Pool,
        signer: Signer,
        retry: Retry,
        bucket: str | None = None,
        user_agent: str | None = None,
    ) -> None:
        self.endpoint = endpoint
        self.provider = provider
        self.pool = pool
        self.signer = signer
        self.retry = retry
        self.bucket = bucket
        self.user_agent = f"{user_agent} {USER_AGENT}" if user_agent else USER_AGENT

    def do(self, operation: Operation[In, Out], asked: In, ask: Ask = PLAIN) -> Reply[Out]:
        """Ask and read the answer whole.

        Raises ServerError (by OSS code), NetworkError, ConnectionTimeoutError, DeadlineExceeded, Cancelled, CredentialsError.
        """

        def read(response: Response) -> Answer:
            body = response.read(MAX_ANSWER)
            return Answer(status=response.status, headers=tuple(response.headers.items()), body=body)

        return _Exchange(self, operation, asked, ask).run(read)[0]

    def open(self, operation: Operation[In, Out], asked: In, ask: Ask = PLAIN) -> tuple[Reply[Out], Response]:
        """Ask, and leave the answer's body to the caller, who reads or closes it. Raises as `do`."""

        def leave(response: Response) -> Answer:
            return Answer(status=response.status, headers=tuple(response.headers.items()))

        reply, response = _Exchange(self, operation, asked, ask).run(leave)
        assert response is not None  # nothing settles what has an answer of its own to be read
        return reply, response

    def presign(
        self,
        operation: Operation[In, Any],  # Any: nobody reads the answer here
        asked: In,
        *,
        expires_s: int,
        headers: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> str:
        """A URL that does `operation` without credentials for `expires_s` seconds. Raises CredentialsError."""
        message = self.message(operation, asked, headers or {}, query or {})
        signed = self.signer.query(message, message.headers, self.provider.get(), expires_s=expires_s)
        place = self.endpoint.place(message.bucket, message.key)
        scheme = "https" if place.origin.secure else "http"
        return f"{scheme}://{place.host}{place.path}?{_encoded(signed)}"

    def message(
        self,
        operation: Operation[In, Any],  # Any: as above
        asked: In,
        headers: Mapping[str, str],
        query: Mapping[str, str],
    ) -> Message:
        """The request as the signature covers it: lower-case header names.

        Raises ValueError for an object without a name: its request would mean the bucket.
        """
        written = write_request(operation, asked)
        if operation.level is Level.OBJECT and not written.key:
            raise ValueError(f"{operation.name} needs the name of an object")
        every = {**written.headers, **headers}
        return Message(
            method=written.method,
            bucket=written.bucket,
            key=written.key,
            query={**written.query, **query},
            headers={name.lower(): value.strip() for name, value in every.items()},
            body=written.body,
        )


class _AskAgain(Exception):
    """Whether an earlier attempt had its effect could not be learnt yet."""

    def __init__(self, failure: ServerError) -> None:
        super().__init__(failure)
        self.failure = failure


class _Exchange(Generic[In, Out]):
    """The attempts of one call."""

    def __init__(self, session: Session, operation: Operation[In, Out], asked: In, ask: Ask) -> None:
        self.session = session
        self.operation = operation
        self.ask = ask
        self.message = session.message(operation, asked, ask.headers, ask.query)
        self.retry = ask.retry or session.retry
        self.scope = ask.scope or current_scope.get()
        self.deadline = None if ask.deadline is None else time.monotonic() + ask.deadline
        self.attempt = 0
        self.sends = 0  # requests that may have reached the server: those over a stale connection count here, not above
        self.stale = 0
        self.in_doubt = ask.in_doubt  # an earlier attempt may have had its effect
        self.clock_set = False
        self.refused: set[str] = set()  # key ids and tokens that the server does not take

    def run(self, receive: Callable[[Response], Answer]) -> tuple[Reply[Out], Response | None]:
        while True:
            self.attempt += 1
            who = self._credentials()
            failure: NetworkError | ServerError
            try:
                settled = self._settled()
                if settled is not None:
                    return settled, None
                self.sends += 1
                response = self._send(who)
                if response.status < 300 and response.status != 203:
                    return self._reply(response, receive(response)), response
                failure = self._refusal(response)
            except _AskAgain as again:
                failure = again.failure
            except NetworkError as error:
                failure = error
            self.in_doubt |= not isinstance(failure, NetworkError) or failure.sent
            wait = self._next_wait(failure, who)
            if wait is None:
                raise failure
            self._pause(wait, failure)

    def _settled(self) -> Reply[Out] | None:
        """What an earlier attempt did whose answer was lost; None: it did nothing, or that cannot be known, and it is sent (again).

        Raises NetworkError, _AskAgain: the question failed in a way that may pass.
        """
        if self.ask.settled is None or not self.in_doubt:
            return None
        try:
            value = self.ask.settled()
        except ServerError as error:
            if error.status in self.retry.statuses:
                raise _AskAgain(error) from error
            value = None
        self.in_doubt = False
        if value is None:
            return None
        return Reply(value=value, status=200, headers={}, request_id="", attempts=self.sends)

    def _reply(self, response: Response, answer: Answer) -> Reply[Out]:
        try:
            value = read_answer(self.operation, answer)
        except (OssError, ValueError, TypeError) as error:
            response.close()
            raise self._unreadable(response, error) from None
        return Reply(
            value=value,
            status=response.status,
            headers=response.headers,
            request_id=response.headers.get("x-oss-request-id", ""),
            attempts=self.sends,
        )

    def _unreadable(self, response: Response, error: Exception) -> ServerError:
        return ServerError(
            code="UnreadableAnswer",
            status=response.status,
            message=f"the answer to {self.operation.name} cannot be read: {error}",
            request_id=response.headers.get("x-oss-request-id", ""),
            operation=self.operation.name,
        )

    def _send(self, who: Credentials) -> Response:
        session, message = self.session, self.message
        place = session.endpoint.place(message.bucket, message.key)
        signed = session.signer.headers(message, message.headers, who)
        body = self.ask.body() if self.ask.body is not None else None
        if body is None and message.body:
            body = BytesBody(message.body)
        headers = [("host", place.host), ("user-agent", session.user_agent)]
        headers += [(name, _on_the_wire(value)) for name, value in signed.items()]
        query = _encoded(pairs_of(message.query))
        request = Request(
            method=message.method,
            origin=place.origin,
            target=f"{place.path}?{query}" if query else place.path,
            headers=headers,
            body=body,
        )
        return session.pool.send(request, scope=self.scope, deadline=self.deadline)

    def _refusal(self, response: Response) -> ServerError:
        body = response.read(MAX_ANSWER)
        error = read_refusal(self.operation.name, response.status, response.headers, body)
        error.attempts = self.sends
        error.retry_after_s = _seconds(response.headers.get("retry-after", ""))
        if error.code == "RequestTimeTooSkewed":
            self._learn_clock(error, response.headers.get("date", ""))
        return error

    def _learn_clock(self, error: ServerError, date: str) -> None:
        try:
            moment = (
                read_iso_time(error.extras["ServerTime"])
                if "ServerTime" in error.extras
                else parsedate_to_datetime(date)
            )
        except ValueError:
            return
        self.session.signer.clock.learn(moment.timestamp())

    # --- judging ------------------------------------------------------------------------------------------------------

    def _next_wait(self, failure: MossaicError, who: Credentials) -> float | None:
        """Seconds until the next attempt; None when there is none to make."""
        if isinstance(failure, NetworkError):
            died_idle = failure.reused and not isinstance(failure, ConnectionTimeoutError)
            if died_idle and self.stale < _STALE_TRIES:
                self.stale += 1
                self.attempt -= 1
                return 0.0
            return self._backoff(failure)
        assert isinstance(failure, ServerError)
        if failure.code == "RequestTimeTooSkewed" and not self.clock_set:
            self.clock_set = True
            return 0.0
        if failure.code in _CREDENTIAL_CODES:
            return self._renewed(who, failure)
        if failure.status in self.retry.statuses or failure.code in _TRANSIT_CODES:
            return self._backoff(failure)
        return None

    def _credentials(self) -> Credentials:
        """A provider that has to wait for new ones is cancelled with the call."""
        waiting = current_scope.set(self.scope)
        try:
            return self.session.provider.get()
        finally:
            current_scope.reset(waiting)

    def _renewed(self, who: Credentials, failure: ServerError) -> float | None:
        """Temporary credentials that the server refuses are replaced, once each; `failure` tells why they could not be."""
        sign = f"{who.access_key_id}\n{who.security_token}"
        if sign in self.refused:
            return None
        self.refused.add(sign)
        waiting = current_scope.set(self.scope)
        try:
            fresh = self.session.provider.renew(who)
        except CredentialsError as error:
            failure.__cause__ = error
            return None
        finally:
            current_scope.reset(waiting)
        return None if fresh == who else 0.0

    def _backoff(self, failure: MossaicError) -> float | None:
        if self.attempt >= self.retry.attempts:
            return None
        told = failure.retry_after_s if isinstance(failure, ServerError) else None
        if told is not None:
            return min(told, self.retry.cap)
        return random.uniform(0, min(self.retry.cap, self.retry.base * 2**self.attempt))  # noqa: S311  # jitter

    def _pause(self, wait: float, failure: MossaicError) -> None:
        if self.deadline is not None and time.monotonic() + wait >= self.deadline:
            raise DeadlineExceeded(
                f"{self.operation.name} did not succeed in {self.ask.deadline} s, {self.attempt} attempts"
            ) from failure
        if self.ask.on_retry is not None and (wait or self.attempt):
            self.ask.on_retry(
                Retrying(operation=self.operation.name, attempt=self.attempt, wait_s=wait, error=failure)
            )
        pause(wait, self.scope)


def pause(seconds: float, scope: Scope | None) -> None:
    """Sleep, but not beyond a cancel. Raises Cancelled."""
    if scope is None:
        time.sleep(seconds)
        return
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        scope.check()
        time.sleep(min(left, _PAUSE_STEP_S))
    scope.check()


def _encoded(query: tuple[tuple[str, str], ...]) -> str:
    """A flag without a value has no `=`."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" if value else _quoted(name) for name, value in query)


@lru_cache(maxsize=4096)
def _quoted(text: str) -> str:
    """Names and upload ids come again with every part."""
    return quote(text, safe="-_.~")


def _on_the_wire(value: str) -> str:
    """Header text whose Latin-1 bytes are the value's UTF-8, which is what the signature covers."""
    return value if value.isascii() else value.encode().decode("latin-1")


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() else None
