"""The web page's JSON API under `/-/api/`: which calls there are, who may make them, JSON in and out.

A call is signed like any request of OSS, as the object `api/NAME` of a bucket `-`, which no bucket can be called. There are no
cookies, so no other page can make a browser call in somebody's name. Errors are OSS's XML errors.
"""

from __future__ import annotations

import json
from importlib import import_module
from typing import TYPE_CHECKING, Final, cast

from mossaic.gateway.call import Call
from mossaic.gateway.message import HttpResponse
from mossaic.model.identity import PrincipalKind
from mossaic.model.names import bucket_name
from mossaic.model.upload_request import beyond
from mossaic.protocol.errors import (
    ACCESS_DENIED,
    ENTITY_TOO_LARGE,
    INVALID_ARGUMENT,
    METHOD_NOT_ALLOWED,
    MISSING_ARGUMENT,
    NO_SUCH_BUCKET,
    NO_SUCH_KEY,
    OssError,
)
from mossaic.protocol.limits import KIB
from mossaic.protocol.operation import Level, Operation
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from mossaic.gateway.admit import Admission
    from mossaic.gateway.message import HttpRequest
    from mossaic.gateway.record import RequestRecord
    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Principal
    from mossaic.ports import Clock
    from mossaic.protocol.addressing import Address
    from mossaic.service.services import Services
    from mossaic.service.sessions import KeySessions

PREFIX: Final = "/-/api/"
MAX_BODY: Final = 64 * KIB
_CALLS: Final = (
    "mossaic.gateway.console.callbacks",
    "mossaic.gateway.console.cors_test",
    "mossaic.gateway.console.facts",
    "mossaic.gateway.console.requests",
    "mossaic.gateway.console.sessions",
    "mossaic.gateway.console.uploads",
)
# No row of the table: policies name the action of each call, and only the log and the metrics see this name.
_OPERATION: Final[Operation[object, object]] = Operation(
    name="ConsoleApi", method="*", level=Level.SERVICE, takes=object, gives=object, action=""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleFacts:
    """What the page is told of the service. `public_endpoint` may be empty: the page's own address. Seconds."""

    region: str
    public_endpoint: str = ""
    session_s: float = 3600.0
    session_max_s: float = 43_200.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiCall:
    """One call of the page. `query`: the first of each name; `body`: the JSON object that was sent, empty without one."""

    call: Call
    query: Mapping[str, str]
    body: Mapping[str, object]
    facts: ConsoleFacts
    sessions: KeySessions

    @property
    def principal(self) -> Principal:
        return self.call.principal

    @property
    def now(self) -> datetime:
        return self.call.now

    @property
    def services(self) -> Services:
        return self.call.services

    @property
    def endpoint(self) -> str:
        """`scheme://host[:port]`: the public endpoint of the settings, else as the caller addressed the service."""
        return self.facts.public_endpoint or self.call.endpoint

    @property
    def token(self) -> str | None:
        """The security token that the call was signed with."""
        return self.call.header("x-oss-security-token") or self.query.get("x-oss-security-token") or None

    def parameter(self, name: str, default: str | None = None) -> str:
        """Of the query. Raises OssError MISSING_ARGUMENT where there is no default."""
        found = self.query.get(name, default)
        if found is None:
            raise OssError(MISSING_ARGUMENT, f"The parameter {name} is missing.", ArgumentName=name)
        return found

    def text(self, name: str, default: str | None = None, *, longest: int = 1024) -> str:
        """Of the body. Raises OssError MISSING_ARGUMENT, INVALID_ARGUMENT (no text, more than `longest` characters)."""
        found = self.body.get(name, default)
        if found is None:
            raise OssError(MISSING_ARGUMENT, f"The field {name} is missing.", ArgumentName=name)
        if not isinstance(found, str) or len(found) > longest:
            message = f"The field {name} must be a text of at most {longest} characters."
            raise OssError(INVALID_ARGUMENT, message, ArgumentName=name)
        return found

    def number(self, name: str, default: int | None = None, *, least: int = 0, most: int = 2**53) -> int:
        """A whole number of the body. Raises OssError MISSING_ARGUMENT, INVALID_ARGUMENT."""
        found = self.body.get(name, default)
        if found is None:
            raise OssError(MISSING_ARGUMENT, f"The field {name} is missing.", ArgumentName=name)
        if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
            message = f"The field {name} must be a whole number from {least} to {most}."
            raise OssError(INVALID_ARGUMENT, message, ArgumentName=name)
        return found

    async def bucket(self, name: str) -> Bucket:
        """Raises OssError INVALID_BUCKET_NAME, NO_SUCH_BUCKET."""
        found = await self.services.buckets.find(bucket_name(name))
        if found is None:
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=name)
        return found

    async def authorize(self, action: str, bucket: Bucket, key: str | None = None) -> None:
        """The owner may; others need a policy that allows `action` on the bucket, or on one of its keys.

        Raises OssError ACCESS_DENIED.
        """
        await self.call.admission.require_by_policy(self.call, action, bucket, key)


Handler = "Callable[[ApiCall], Awaitable[Mapping[str, object]]]"


@dataclass(frozen=True, slots=True)
class _Bound:
    handler: Callable[[ApiCall], Awaitable[Mapping[str, object]]]
    unsigned: bool


class Api:
    """(method, name) → handler, bound by `_CALLS` when they are imported: for the first call of a page."""

    def __init__(self) -> None:
        self._bound: dict[str, dict[str, _Bound]] = {}

    def _all(self) -> Mapping[str, dict[str, _Bound]]:
        for module in _CALLS:
            import_module(module)
        return self._bound

    def on(
        self, method: str, name: str, *, unsigned: bool = False
    ) -> Callable[
        [Callable[[ApiCall], Awaitable[Mapping[str, object]]]],
        Callable[[ApiCall], Awaitable[Mapping[str, object]]],
    ]:
        """`unsigned`: anybody may call; the handler looks for itself. Else the handler runs for known principals only."""

        def bind(
            handler: Callable[[ApiCall], Awaitable[Mapping[str, object]]],
        ) -> Callable[[ApiCall], Awaitable[Mapping[str, object]]]:
            methods = self._bound.setdefault(name, {})
            assert method not in methods, (method, name)
            methods[method] = _Bound(handler, unsigned)
            return handler

        return bind

    def find(self, method: str, name: str) -> _Bound:
        """Raises OssError: NO_SUCH_KEY, METHOD_NOT_ALLOWED."""
        methods = self._all().get(name)
        if methods is None:
            raise OssError(NO_SUCH_KEY, "There is no such call.", Key=f"api/{name}")
        if method not in methods:
            raise OssError(METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(sorted(methods))}, Method=method)
        return methods[method]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._all())


api = Api()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request under `/-/`, and what the pipeline knows of it."""

    request: HttpRequest
    record: RequestRecord
    addresses: Sequence[Address]
    query: Mapping[str, str]
    path: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiEndpoint:
    """Who calls, what is called, JSON both ways."""

    services: Services
    admission: Admission
    clock: Clock
    facts: ConsoleFacts
    sessions: KeySessions

    async def serve(self, visit: Visit) -> HttpResponse:
        """Raises OssError, also those of the handler."""
        request, record = visit.request, visit.record
        record.operation = _OPERATION.name
        bound = api.find(request.method, visit.path.removeprefix(PREFIX))
        call = Call(
            request=request,
            operation=_OPERATION,
            request_id=record.request_id,
            now=self.clock.now(),
            services=self.services,
            query=visit.query,
            endpoint=visit.endpoint,
            admission=self.admission,
        )
        if not bound.unsigned:
            call.principal, _ = await self.admission.authenticate(request, visit.addresses)
            record.principal = call.principal.arn
            if call.principal.kind is PrincipalKind.ANONYMOUS:
                raise OssError(ACCESS_DENIED, "The call must be signed.", ec="0003-00000001")
            if call.principal.grant is not None:
                raise beyond("calls of the page")
        asked = ApiCall(
            call=call,
            query=visit.query,
            body=await _object(request),
            facts=self.facts,
            sessions=self.sessions,
        )
        return _answer(await bound.handler(asked))


async def _object(request: HttpRequest) -> dict[str, object]:
    """The JSON object of the body. Raises OssError: ENTITY_TOO_LARGE, INVALID_ARGUMENT."""
    try:
        body = await request.body.read(MAX_BODY)
    except OssError as error:
        if error.row is ENTITY_TOO_LARGE:
            raise OssError(ENTITY_TOO_LARGE, f"A call's body has at most {MAX_BODY} bytes.") from None
        raise
    if not body:
        return {}
    try:
        found: object = json.loads(body.decode())
    except (ValueError, RecursionError):
        raise OssError(INVALID_ARGUMENT, "The body is not JSON.") from None
    if not isinstance(found, dict):
        raise OssError(INVALID_ARGUMENT, "The body is not a JSON object.")
    return cast("dict[str, object]", found)


def _answer(given: Mapping[str, object]) -> HttpResponse:
    headers = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ]
    body = json.dumps(given, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return HttpResponse(status=200, headers=headers, body=body)
