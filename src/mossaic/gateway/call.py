"""What a handler gets besides its input shape, and how handlers are bound to the rows of the operation table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mossaic.model.identity import ANONYMOUS, PrincipalKind
from mossaic.protocol.errors import NO_SUCH_BUCKET, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from mossaic.gateway.admit import Admission
    from mossaic.gateway.message import HttpRequest
    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Principal
    from mossaic.ports import Body
    from mossaic.protocol.operation import AnyOperation, Operation
    from mossaic.service.services import Services

In = TypeVar("In")
Out = TypeVar("Out")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """`action` on an object; `write` tells which ACL may grant it. `version_id` None: the current version. `tagging`: the tags
    that the request gives the object, as `x-oss-tagging` has them."""

    action: str
    bucket: Bucket
    key: str
    write: bool = False
    version_id: str | None = None
    tagging: str = ""


@dataclass(slots=True, kw_only=True)
class Call:
    """One request on its way through a handler. Header and query names: headers lower case, query as written, first wins."""

    request: HttpRequest
    operation: AnyOperation
    request_id: str
    now: datetime
    principal: Principal = ANONYMOUS
    services: Services
    query: Mapping[str, str]
    endpoint: str  # scheme://host[:port] of the service, as the client addressed it, without the bucket
    admission: Admission
    bucket_or_none: Bucket | None = None

    @property
    def bucket(self) -> Bucket:
        """The addressed bucket. Raises OssError NO_SUCH_BUCKET; the pipeline has looked before any handler runs."""
        if self.bucket_or_none is None:
            raise OssError(NO_SUCH_BUCKET)
        return self.bucket_or_none

    @property
    def is_anonymous(self) -> bool:
        return self.principal.kind is PrincipalKind.ANONYMOUS

    @property
    def body(self) -> Body:
        return self.request.body

    async def authorize(self, wanted: Permission) -> None:
        """Ask again, for another object than the addressed one (copy source, keys of a batch).

        Raises OssError ACCESS_DENIED.
        """
        await self.admission.require(self, wanted)

    def header(self, name: str) -> str | None:
        """A request header by lower-case name."""
        return self.request.index.get(name)


Handler = "Callable[[Call, In], Awaitable[Out]]"


class Handlers:
    """Operation name → handler. A handler of the wrong shape is a type error."""

    def __init__(self) -> None:
        self._bound: dict[str, Callable[[Call, Any], Awaitable[Any]]] = {}  # Any: rows of different shapes

    def on(
        self, operation: Operation[In, Out]
    ) -> Callable[[Callable[[Call, In], Awaitable[Out]]], Callable[[Call, In], Awaitable[Out]]]:
        def bind(handler: Callable[[Call, In], Awaitable[Out]]) -> Callable[[Call, In], Awaitable[Out]]:
            assert operation.name not in self._bound, operation.name
            self._bound[operation.name] = handler
            return handler

        return bind

    def find(self, operation: AnyOperation) -> Callable[[Call, Any], Awaitable[Any]]:  # Any: as above
        return self._bound[operation.name]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(self._bound)


handlers = Handlers()
