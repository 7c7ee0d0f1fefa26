"""What is said of a request in the access log and in the metrics, before its answer leaves."""

from __future__ import annotations

import random
import time
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

import msgspec

from mossaic.gateway.lockstep import step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.gateway.message import HttpResponse


class RequestRecord(msgspec.Struct, kw_only=True):
    """One line of the access log. `ms` are milliseconds; `bytes_in` what was read of the request's body."""

    time: str = ""
    request_id: str = ""
    remote: str = ""
    method: str = ""
    host: str = ""
    path: str = ""
    bucket: str | None = None
    key: str | None = None
    operation: str | None = None
    status: int = 0
    code: str | None = None
    ec: str | None = None
    bytes_in: int = 0
    bytes_out: int = 0
    ms: float = 0.0
    principal: str = "anonymous"
    upload_id: str | None = None
    part_number: str | None = None
    user_agent: str | None = None


class Recorder(Protocol):
    """Where records go."""

    def add(self, record: RequestRecord) -> None: ...

    def flush(self) -> None:
        """What was added outlives this process, however it ends."""
        ...


async def put_on_record(records: Recorder, record: RequestRecord) -> None:
    """One write does it for all requests that are in step."""
    records.add(record)
    await step()
    records.flush()


def record_of(method: str, path: str, headers: Mapping[str, str], remote: str) -> RequestRecord:
    """What is known when a request comes in; header names are lower case."""
    return RequestRecord(
        time=_stamp(int(time.time())),
        request_id=_new_request_id(),
        remote=remote,
        method=method,
        host=headers.get("host", ""),
        path=path,
        user_agent=headers.get("user-agent"),
    )


def record_of_unread(remote: str, status: int) -> RequestRecord:
    """Of a request that could not be read; `code` is the status in words."""
    return RequestRecord(
        time=_stamp(int(time.time())),
        request_id=_new_request_id(),
        remote=remote,
        status=status,
        code=HTTPStatus(status).phrase.replace(" ", ""),
    )


def finish(record: RequestRecord, response: HttpResponse, started: float) -> None:
    """Both are told of each other; `started` is of `time.perf_counter`."""
    record.status = response.status
    record.ms = round((time.perf_counter() - started) * 1000, 3)
    body = response.body
    record.bytes_out = len(body) if isinstance(body, bytes) else body.length
    stamp = f"x-oss-request-id: {record.request_id}\r\nx-oss-server-time: {int(record.ms)}\r\n"
    response.stamp = stamp.encode("ascii")


def _new_request_id() -> str:
    """24 upper-case hex digits, as OSS's are. No secret: the system's own chance would cost a call that lets go of the interpreter's
    lock, for which threads with bodies wait. Worker processes are forked, and draw different ones all the same (`random` sees to it)."""
    return f"{random.getrandbits(96):024X}"


@lru_cache(maxsize=2)
def _stamp(second: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(second))
