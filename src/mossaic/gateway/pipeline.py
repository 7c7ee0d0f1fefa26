"""The one path of a request, read top to bottom: address → bucket → who → route → may they → decode → handle → encode.

Around it: a request id, CORS headers, errors as OSS words them, one record for log and metrics.
"""

from __future__ import annotations

import time
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mossaic.gateway import browsers, cors, form, sts
from mossaic.gateway.call import Call, handlers
from mossaic.gateway.console.api import Visit as AtConsole
from mossaic.gateway.console.console import to_page
from mossaic.gateway.pages_again import OBJECT_LISTS
from mossaic.gateway.record import finish, put_on_record, record_of, record_of_unread
from mossaic.gateway.refusal import refusal_of
from mossaic.gateway.translate import decode, encode
from mossaic.model.names import BucketName, bucket_name, object_key
from mossaic.protocol.addressing import Address, Domains, first_wins, host_name, split
from mossaic.protocol.errors import (
    INVALID_ARGUMENT,
    NO_SUCH_BUCKET,
    OssError,
)
from mossaic.protocol.operations.form import POST_OBJECT
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from mossaic.gateway.admit import Admission
    from mossaic.gateway.console import Console
    from mossaic.gateway.message import HttpRequest, HttpResponse
    from mossaic.gateway.record import Recorder
    from mossaic.gateway.repeats import Repeats
    from mossaic.gateway.route import Router
    from mossaic.model.bucket import Bucket
    from mossaic.ports import Clock
    from mossaic.protocol.operation import AnyOperation
    from mossaic.service.services import Services

_KEPT: Final = 256  # characters of a Host that is worth remembering


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything a request needs; `records` gets one record a request, before the answer is sent."""

    services: Services
    admission: Admission
    sts: sts.StsEndpoint
    console: Console
    domains: Domains
    clock: Clock
    records: Recorder
    router: Router
    repeats: Repeats

    async def __call__(self, request: HttpRequest) -> HttpResponse:
        """Never raises but for cancellation."""
        started = time.perf_counter()
        visit = _Visit(request)
        try:
            response = await self._serve(visit)
        except Exception as error:  # noqa: BLE001  # the last line of defence: the client gets InternalError, the log the trace
            response = refusal_of(error, visit.record)
        if not visit.preflight:
            response.headers.extend(cors.answer_headers(request.method, request.index, visit.bucket))
        visit.record.bytes_in = request.body.received
        finish(visit.record, response, started)
        await put_on_record(self.records, visit.record)
        return response

    def refused(self, remote: str, status: int) -> str:
        """A request that could not be read, and got `status`, is on record, too: the id for its answer."""
        unread = record_of_unread(remote, status)
        self.records.add(unread)
        self.records.flush()
        return unread.request_id

    async def _serve(self, visit: _Visit) -> HttpResponse:
        request, record = visit.request, visit.record
        path, _, raw_query = request.target.partition("?")
        addresses = split(request.header("host"), path, self.domains)
        visit.go_to(addresses[0], first_wins(raw_query))
        if not addresses[0].virtual and path.startswith("/-/"):
            record.operation = "Console"
            return await self.console.serve(self._at_console(visit, addresses, path))
        if addresses[0].bucket is None and self.console.greets(request):
            record.operation = "Console"
            return to_page()
        # Host sts.DOMAIN reads as a bucket "sts"; only an RPC call there is STS.
        if addresses[0].bucket in (None, "sts") and self.sts.matches(request):
            record.operation = "Sts"
            return await self.sts.handle(request, record)
        visit.bucket = await self._bucket(addresses[0].bucket)
        if request.method == "OPTIONS":
            visit.preflight = True
            record.operation = "OptionObject"
            return cors.preflight(request, visit.bucket, addresses[0].bucket)
        if form.matches(request, addresses[0]):
            call = self._call(visit, POST_OBJECT)
            await self._admit(call, visit)
            return encode(call.operation, await form.post_object(call), request)
        beside_page = self.console.has_page and not addresses[0].virtual
        if beside_page:
            browsers.refuse_to_run(request)
        principal, address = await self.admission.authenticate(request, addresses)
        visit.go_to(address, visit.query)
        operation = self.router.find(request.method, address, visit.query, request.index)
        _refuse_other_than_text(visit.query)
        call = self._call(visit, operation)
        call.principal = principal
        record.principal = principal.arn
        await self._admit(call, visit)
        response = await self._answer(call, address)
        if beside_page:
            browsers.fence(request, response)
        return response

    async def _answer(self, call: Call, address: Address) -> HttpResponse:
        """To an authorized call: what is known to be the answer, else the usual way, of which something may be learnt."""
        asked: object = None
        response: HttpResponse | None
        if call.operation in OBJECT_LISTS:

            async def make() -> HttpResponse:
                return await _handled(call, await decode(call, address))

            listing = call.services.listing
            response = await self.repeats.pages.answer(listing, call.operation, call.bucket, call.query, make)
        else:
            response = await self.repeats.plain_gets.answer(call, address.key)
            if response is None:
                asked = await decode(call, address)
                response = await _handled(call, asked)
        response.after = self.repeats.lesson(call, address, asked)
        return response

    def _at_console(self, visit: _Visit, addresses: tuple[Address, ...], path: str) -> AtConsole:
        request, record = visit.request, visit.record
        endpoint = self._endpoint(visit)
        return AtConsole(
            request=request,
            record=record,
            addresses=addresses,
            query=visit.query,
            path=path,
            endpoint=endpoint,
        )

    def _endpoint(self, visit: _Visit) -> str:
        scheme = "https" if visit.request.secure else "http"
        host = visit.request.header("host")
        # Long ones are not kept: a stranger could send many.
        return (_kept_endpoint if len(host) <= _KEPT else _endpoint)(scheme, visit.address.base, host)

    async def _bucket(self, name: str | None) -> Bucket | None:
        """Never asked for a name that no bucket can have: bytes that are not UTF-8 have no place in a statement."""
        if name is None or not name.isascii():
            return None
        return await self.services.buckets.find(BucketName(name))

    def _call(self, visit: _Visit, operation: AnyOperation) -> Call:
        request = visit.request
        visit.record.operation = operation.name
        return Call(
            request=request,
            operation=operation,
            request_id=visit.record.request_id,
            now=self.clock.now(),
            services=self.services,
            query=visit.query,
            endpoint=self._endpoint(visit),
            bucket_or_none=visit.bucket,
            admission=self.admission,
        )

    async def _admit(self, call: Call, visit: _Visit) -> None:
        """Names first, then the bucket, then permission."""
        address = visit.address
        if address.key is not None:
            object_key(address.key)
        if address.bucket is not None and visit.bucket is None and call.operation.name != "PutBucket":
            bucket_name(address.bucket)
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=address.bucket)
        await self.admission.authorize(call, address)


async def _handled(call: Call, asked: object) -> HttpResponse:
    given = await handlers.find(call.operation)(call, asked)
    return encode(call.operation, given, call.request)


class _Visit:
    """One request on its way, and what was found of it so far: answers need it whatever happens later."""

    __slots__ = ("address", "bucket", "preflight", "query", "record", "request")

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        path = request.target.partition("?")[0]
        self.record = record_of(request.method, path, request.index, request.remote)
        self.address = Address()
        self.query: dict[str, str] = {}
        self.bucket: Bucket | None = None
        self.preflight = False

    def go_to(self, address: Address, query: dict[str, str]) -> None:
        self.address, self.query = address, query
        record = self.record
        record.bucket, record.key = address.bucket, address.key
        record.upload_id, record.part_number = query.get("uploadId"), query.get("partNumber")


def _endpoint(scheme: str, base: str, host: str) -> str:
    """The service as the client addressed it, port included, without the bucket."""
    return f"{scheme}://{base}{host.removeprefix(host_name(host))}"


_kept_endpoint: Final = lru_cache(maxsize=1024)(_endpoint)


def _refuse_other_than_text(query: dict[str, str]) -> None:
    """Bytes that are not UTF-8 are a signature's business only: nothing behind the door can store or compare them."""
    for name, value in query.items():
        if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
            raise OssError(INVALID_ARGUMENT, f"{name} is not UTF-8.", ArgumentName=name)
