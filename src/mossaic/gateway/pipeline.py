"""The one path of a request, read top to bottom: address → bucket → who → route → may they → decode → handle → encode.

Around it: a request id, CORS headers, errors as OSS words them, one record for log and metrics.
"""

from __future__ import annotations

import asyncio
import base64
import errno
import hashlib
import logging
import secrets
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mossaic.gateway import cors, form, sts
from mossaic.gateway.call import Call, handlers
from mossaic.gateway.message import Content, HttpRequest, HttpResponse
from mossaic.gateway.record import RequestRecord
from mossaic.gateway.refusal import refuse
from mossaic.gateway.route import Router
from mossaic.model.names import BucketName, bucket_name, object_key
from mossaic.ports import Busy
from mossaic.protocol.addressing import Address, Domains, host_name, parse_query, split
from mossaic.protocol.codec import needs_body, read_request, write_answer
from mossaic.protocol.errors import (
    ENTITY_TOO_LARGE,
    INTERNAL_ERROR,
    INVALID_DIGEST,
    MALFORMED_XML,
    NO_SUCH_BUCKET,
    SERVICE_UNAVAILABLE,
    OssError,
)
from mossaic.protocol.limits import KIB, MAX_XML_BODY
from mossaic.protocol.wire import Answer, Message

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.gateway.admit import Admission
    from mossaic.gateway.console import Console
    from mossaic.model.bucket import Bucket
    from mossaic.ports import Clock
    from mossaic.protocol.operation import AnyOperation
    from mossaic.service.services import Services

_log = logging.getLogger("mossaic.gateway")
_PARSE_IN_THREAD: Final = 64 * KIB  # bytes of XML above which the loop is spared the parsing


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything a request needs; `observe` gets one record a request, before the answer is sent."""

    services: Services
    admission: Admission
    sts: sts.StsEndpoint
    console: Console
    domains: Domains
    clock: Clock
    observe: Callable[[RequestRecord], None]
    router: Router

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Never raises but for cancellation."""
        started = time.perf_counter()
        record = _begin(request)
        seen = _Seen()
        try:
            response = await self._serve(request, record, seen)
        except OssError as error:
            response = self._refuse(request, record, error)
        except Busy:
            response = self._refuse(request, record, OssError(SERVICE_UNAVAILABLE))
        except Exception as error:  # noqa: BLE001  # the last line of defence: the client gets InternalError, the log the trace
            response = self._refuse(request, record, _unforeseen(error, record))
        response.headers.extend(cors.answer_headers(request, seen.bucket) if not seen.preflight else ())
        _finish(record, response, started)
        self.observe(record)
        return response

    async def _serve(self, request: HttpRequest, record: RequestRecord, seen: _Seen) -> HttpResponse:
        path, _, raw_query = request.target.partition("?")
        addresses = split(request.header("host"), path, self.domains)
        first = addresses[0]
        if not first.virtual and path.startswith("/-/"):
            record.operation = "Console"
            return await self.console.serve(request, path)
        if first.bucket in (None, "sts") and self.sts.matches(request):  # Host sts.DOMAIN reads as bucket sts
            record.operation = "Sts"
            return await self.sts.handle(request, record)
        record.bucket, record.key = first.bucket, first.key
        seen.bucket = await self._bucket(first.bucket)
        if request.method == "OPTIONS":
            seen.preflight = True
            record.operation = "OptionObject"
            return cors.preflight(request, seen.bucket, first.bucket)
        query = _first_wins(raw_query)
        record.upload_id, record.part_number = query.get("uploadId"), query.get("partNumber")
        if form.matches(request, first):
            record.operation = "PostObject"
            return await form.post_object(
                self._call(request, record, form.POST_OBJECT, seen.bucket, first, query), self.admission
            )
        principal, address = await self.admission.authenticate(request, addresses)
        record.principal, record.key = principal.arn, address.key
        operation = self.router.find(request.method, address, query, request.index)
        record.operation = operation.name
        call = self._call(request, record, operation, seen.bucket, address, query)
        call.principal = principal
        await self._admit(call, address)
        asked = await self._decode(call, address)
        return self._encode(operation, await handlers.find(operation)(call, asked), request)

    async def _bucket(self, name: str | None) -> Bucket | None:
        return None if name is None else await self.services.buckets.find(BucketName(name))

    def _call(
        self,
        request: HttpRequest,
        record: RequestRecord,
        operation: AnyOperation,
        bucket: Bucket | None,
        address: Address,
        query: dict[str, str],
    ) -> Call:
        scheme = "https" if request.secure else "http"
        port = request.header("host").removeprefix(host_name(request.header("host")))
        call = Call(
            request=request,
            operation=operation,
            request_id=record.request_id,
            now=self.clock.now(),
            services=self.services,
            query=query,
            endpoint=f"{scheme}://{address.base}{port}",
            bucket_or_none=bucket,
            admission=self.admission,
        )
        return call

    async def _admit(self, call: Call, address: Address) -> None:
        if address.key is not None:
            object_key(address.key)
        if address.bucket is not None and call.bucket_or_none is None and call.operation.name != "PutBucket":
            bucket_name(address.bucket)
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=address.bucket)
        await self.admission.authorize(call, address)

    async def _decode(self, call: Call, address: Address) -> Any:  # Any: the input of any operation
        shape = call.operation.takes
        body = await _document(call) if needs_body(shape) else b""
        message = Message(
            method=call.request.method,
            bucket=address.bucket,
            key=address.key,
            query=call.query,
            headers=call.request.index,
            body=body,
        )
        if len(body) > _PARSE_IN_THREAD:
            return await asyncio.to_thread(read_request, shape, message)
        return read_request(shape, message)

    def _encode(self, operation: AnyOperation, given: object, request: HttpRequest) -> HttpResponse:
        answer: Answer = write_answer(operation, given)
        headers = [(name, value) for name, value in answer.headers if name != "Content-Length"]
        length = next((int(value) for name, value in answer.headers if name == "Content-Length"), None)
        body: bytes | Content = answer.body
        if answer.stream is not None:
            assert isinstance(answer.stream, Content)
            body = answer.stream
        if request.method == "HEAD":
            return HttpResponse(status=answer.status, headers=headers, content_length=length or 0)
        return HttpResponse(status=answer.status, headers=headers, body=body)

    def _refuse(self, request: HttpRequest, record: RequestRecord, error: OssError) -> HttpResponse:
        record.code, record.ec = error.code, error.ec
        return refuse(error, method=request.method, request_id=record.request_id, host=record.host)


class _Seen:
    """What was found on the way and is needed for the answer's CORS headers, whatever happens after."""

    __slots__ = ("bucket", "preflight")

    def __init__(self) -> None:
        self.bucket: Bucket | None = None
        self.preflight = False


def new_request_id() -> str:
    """24 upper-case hex digits, as OSS's are."""
    return secrets.token_hex(12).upper()


def _begin(request: HttpRequest) -> RequestRecord:
    return RequestRecord(
        time=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        request_id=new_request_id(),
        remote=request.remote,
        method=request.method,
        host=request.header("host"),
        path=request.target.partition("?")[0],
        bytes_in=request.body.length,
        user_agent=request.index.get("user-agent"),
    )


def _finish(record: RequestRecord, response: HttpResponse, started: float) -> None:
    record.status = response.status
    record.ms = round((time.perf_counter() - started) * 1000, 3)
    body = response.body
    record.bytes_out = len(body) if isinstance(body, bytes) else body.length
    response.headers.append(("x-oss-request-id", record.request_id))
    response.headers.append(("x-oss-server-time", str(int(record.ms))))


def _first_wins(raw_query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value, _ in parse_query(raw_query):
        found.setdefault(name, value)
    return found


async def _document(call: Call) -> bytes:
    """A small body, whole. Raises OssError: MALFORMED_XML (over 2 MiB), INVALID_DIGEST."""
    try:
        body = await call.body.read(MAX_XML_BODY)
    except OssError as error:
        if error.row is ENTITY_TOO_LARGE:
            raise OssError(
                MALFORMED_XML, ErrorDetail=f"the body is larger than {MAX_XML_BODY} bytes"
            ) from None
        raise
    claimed = call.header("content-md5")
    if (
        claimed
        and base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != claimed.strip()
    ):
        raise OssError(INVALID_DIGEST)
    return body


def _unforeseen(error: Exception, record: RequestRecord) -> OssError:
    """A full disk can be waited for (503, clients try again); anything else is a fault of ours."""
    _log.error("request %s (%s) failed", record.request_id, record.operation, exc_info=error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return OssError(SERVICE_UNAVAILABLE, "There is no space left to store the request's data.")
    return OssError(INTERNAL_ERROR)
