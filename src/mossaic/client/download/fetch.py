"""Receiving ranges of one object that has to stay what it is, over connections that may break anywhere."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from mossaic.client.errors import (
    AccessDenied,
    InvalidRange,
    NetworkError,
    NoSuchKey,
    NoSuchVersion,
    ObjectChanged,
    PreconditionFailed,
    ServerError,
    SymlinkTargetNotExist,
)
from mossaic.client.exchange import pause
from mossaic.client.http import Scope
from mossaic.client.options import Retrying
from mossaic.client.read_options import condition_fields
from mossaic.client.results import object_info
from mossaic.client.upload.source import CHUNK
from mossaic.protocol.checksum import crc64
from mossaic.protocol.operations import object as ops

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.download.span import Span
    from mossaic.client.download.target import Sink
    from mossaic.client.download.task import DownloadTask
    from mossaic.client.exchange import Reply
    from mossaic.client.http import Response
    from mossaic.client.results import ObjectInfo

# What a request for a further range is answered when the object is not there any more as it was.
_GONE: Final = (PreconditionFailed, NoSuchKey, NoSuchVersion, InvalidRange, SymlinkTargetNotExist)
_threads: Final = threading.local()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """An object and the answer with its first bytes, which nobody has read yet. `scope` cuts the answer."""

    info: ObjectInfo
    response: Response
    scope: Scope


def look(task: DownloadTask, first: int) -> Opened | ObjectInfo:
    """Ask for the first `first` bytes: a small object comes whole with it, of a larger one all is told. Without the bytes when
    the service does not say how many there are.

    Raises PreconditionFailed (`if_match`), NoSuchKey and what `Session.open` raises.
    """
    options, scope = task.options, Scope(parent=task.scope)
    asked = ops.GetObject(
        bucket=task.bucket,
        key=task.name,
        version_id=options.version_id,
        # Without x-oss-range-behavior, so that an object without bytes is answered, and not refused.
        range=f"bytes=0-{first - 1}",
        **condition_fields({"if_match": options.if_match}),
    )
    reply, response = task.session.open(ops.GET_OBJECT, asked, task.ask(scope=scope))
    size = response.length if reply.status != 206 else _span_of(reply)[1]
    if size is None:
        response.close()
        return head(task)
    info = object_info(reply.value, bucket=task.bucket, name=task.name, size=size, headers=reply.headers)
    return Opened(info=info, response=response, scope=scope)


def head(task: DownloadTask) -> ObjectInfo:
    """Raises as `look`."""
    options = task.options
    asked = ops.HeadObject(
        bucket=task.bucket,
        key=task.name,
        version_id=options.version_id,
        **condition_fields({"if_match": options.if_match}),
    )
    reply = task.session.do(ops.HEAD_OBJECT, asked, task.ask())
    size = reply.value.content_length
    return object_info(reply.value, bucket=task.bucket, name=task.name, size=size, headers=reply.headers)


class Fetcher:
    """Receives spans of the object `info` into `sink`; any number of threads. `between` is called after every few bytes."""

    def __init__(
        self,
        task: DownloadTask,
        info: ObjectInfo,
        sink: Sink,
        *,
        opened: Opened | None = None,
        between: Callable[[], None] | None = None,
    ) -> None:
        self._task = task
        self._info = info
        self._sink = sink
        self._opened = opened
        self._between = between
        # So that a new version is not in the way; who may not name versions goes on with the ETag alone.
        self._version_id = info.version_id
        self._asked_version = task.options.version_id

    def receive(self, span: Span, scope: Scope) -> None:
        """What is missing of the span, over as many requests as it takes; what came stays when it fails.

        Raises ObjectChanged, OSError (the sink), NetworkError when no byte comes for all retries, and what `Session.open` raises.
        """
        failures = 0
        while not span.is_done:
            before = span.done
            response = self._open(span, scope)
            try:
                with response:
                    self._read(response, span, scope)
                if span.done == before:
                    raise NetworkError("the answer has none of the bytes that were asked for", sent=True)  # noqa: TRY301
            except NetworkError as error:
                failures = 1 if span.done > before else failures + 1
                self._wait(error, failures, span, scope)

    def _open(self, span: Span, scope: Scope) -> Response:
        opened = self._opened
        if opened is not None and span.offset == 0 and span.done == 0:
            self._opened = None
            if not opened.scope.cancelled:
                scope.adopt(opened.scope)
                scope.check()
                return opened.response
        while True:
            version = self._version_id
            try:
                return self._ask(span, scope, version)
            except AccessDenied:
                if version is None or version == self._asked_version:
                    raise
                self._version_id = self._asked_version
            except _GONE as error:
                raise self._changed(str(error)) from error

    def _ask(self, span: Span, scope: Scope, version_id: str | None) -> Response:
        task, start = self._task, span.offset + span.done
        asked = ops.GetObject(
            bucket=task.bucket,
            key=task.name,
            version_id=version_id,
            range=f"bytes={start}-{span.stop - 1}",
            range_behavior="standard",
            if_match=f'"{self._info.etag}"',
        )
        reply, response = task.session.open(
            ops.GET_OBJECT, asked, task.ask(scope=scope, part_number=span.number)
        )
        try:
            self._check(reply, start)
        except BaseException:
            response.close()
            raise
        return response

    def _check(self, reply: Reply[ops.GetObjectResult], start: int) -> None:
        """Raises ObjectChanged, ServerError for an answer with other bytes than those asked for."""
        found: tuple[int, int | None]
        if reply.status != 206:
            whole = start == 0 and reply.headers.get("content-length") == str(self._info.size)
            found = (0 if whole else -1, self._info.size)
        else:
            found = _span_of(reply)
        if reply.value.etag != self._info.etag or found[1] not in (self._info.size, None):
            raise self._changed("another ETag or size")
        if found[0] != start:
            raise _odd(reply, f"bytes from {found[0]}, not from {start}")

    def _changed(self, why: str) -> ObjectChanged:
        return ObjectChanged(f"{self._info.name} was replaced or deleted while it was read: {why}")

    def _read(self, response: Response, span: Span, scope: Scope) -> None:
        task, buffer, number = self._task, _buffer(), span.number
        throttle, meter = task.throttle, task.meter
        while left := span.size - span.done:
            count = response.readinto(buffer[: min(throttle.chunk(CHUNK), left)])
            if not count:
                return
            data = buffer[:count]
            self._sink.write(span.offset + span.done, data)
            if span.crc64 is not None:
                span.crc64 = crc64(data, span.crc64)
            span.done += count
            meter.moved(number, span.done, count)
            throttle.take(count, scope)
            if self._between is not None:
                self._between()

    def _wait(self, error: NetworkError, failures: int, span: Span, scope: Scope) -> None:
        """Before the next request. Raises `error` when there is none to make."""
        task, retry = self._task, self._task.session.retry
        if failures >= retry.attempts:
            error.part_number = span.number
            raise error
        # The first time the line is likely to be there again.
        wait = random.uniform(0, min(retry.cap, retry.base * 2**failures)) if failures > 1 else 0.0  # noqa: S311  # jitter
        task.retried(
            Retrying(operation=ops.GET_OBJECT.name, attempt=failures, wait_s=wait, error=error), span.number
        )
        task.time_left()
        pause(wait, scope)


def _span_of(reply: Reply[ops.GetObjectResult]) -> tuple[int, int | None]:
    """`bytes 5-9/100` → (5, 100). Raises ServerError."""
    text = reply.value.content_range or ""
    try:
        span, _, size = text.removeprefix("bytes ").partition("/")
        return int(span.partition("-")[0]), None if size == "*" else int(size)
    except ValueError:
        raise _odd(reply, f"the Content-Range {text!r}") from None


def _odd(reply: Reply[ops.GetObjectResult], what: str) -> ServerError:
    return ServerError(
        code="UnreadableAnswer",
        status=reply.status,
        message=f"the service answered with {what}",
        request_id=reply.request_id,
        operation=ops.GET_OBJECT.name,
    )


def _buffer() -> memoryview:
    """The thread's own buffer; a range is received in one thread."""
    view: memoryview | None = getattr(_threads, "view", None)
    if view is None:
        view = _threads.view = memoryview(bytearray(CHUNK))
    return view
