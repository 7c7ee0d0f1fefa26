"""From method, address and query to a row of the operation table: the most specific row that fits.

A sub-resource that no row knows is refused, never served as the plain operation: `GET /key?torrent` must not hand out the
object. Parameters with a value that are no sub-resources (cache busters) are ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.errors import METHOD_NOT_ALLOWED, OPERATION_NOT_IMPLEMENTED, OssError
from mossaic.protocol.operation import AnyOperation, Level, NotProvided
from mossaic.protocol.operations import NOT_PROVIDED, TABLE
from mossaic.protocol.signing.subresources import SUB_RESOURCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.protocol.addressing import Address

Row = AnyOperation | NotProvided

# Sub-resources that any operation may carry: they belong to signing, callbacks and pacing.
_PLAIN = frozenset(
    ("callback", "callback-var", "security-token", "x-oss-traffic-limit", "x-oss-request-payer")
)


class Router:
    """Rows by method and level, the most specific first."""

    def __init__(self, rows: tuple[Row, ...] = (*TABLE, *NOT_PROVIDED)) -> None:
        self._rows: dict[tuple[str, Level], list[Row]] = {}
        # Those that a request without a query may mean, by method and whether bucket and key are missing.
        self._plain: dict[tuple[str, bool, bool], list[Row]] = {}
        self._taken: dict[str, frozenset[str]] = {}  # operation → names of its query, once it was asked for
        for row in sorted(rows, key=lambda row: -row.specificity):
            place = (row.method, row.level)
            self._rows.setdefault(place, []).append(row)
            if not row.marks and not row.values:
                at = (row.method, row.level is Level.SERVICE, row.level is not Level.OBJECT)
                self._plain.setdefault(at, []).append(row)

    def find(
        self, method: str, address: Address, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> AnyOperation:
        """Raises OssError: OPERATION_NOT_IMPLEMENTED (naming the operation), METHOD_NOT_ALLOWED."""
        if not query:
            for row in self._plain.get((method, address.bucket is None, address.key is None), ()):
                if row.header is None or row.header in headers:
                    return _provided(row)
        level = level_of(address)
        for row in self._rows.get((method, level), ()):
            if row.marks <= query.keys() and _has(row, query, headers):
                provided = _provided(row)
                self._refuse_unknown(provided, query)
                return provided
        raise OssError(
            METHOD_NOT_ALLOWED,
            headers={"Allow": ", ".join(self._allowed(level))},
            Method=method,
            ResourceType=level.value.capitalize(),
        )

    def _refuse_unknown(self, row: AnyOperation, query: Mapping[str, str]) -> None:
        taken = self._taken.get(row.name)
        if taken is None:
            taken = self._taken[row.name] = row.marks | row.values.keys() | _PLAIN | _parameters(row.takes)
        for name in query.keys() - taken:
            stray = name in SUB_RESOURCES and not name.startswith("response-")
            if stray or not query[name]:
                raise OssError(
                    OPERATION_NOT_IMPLEMENTED,
                    f"The sub-resource {name} is not implemented for {row.name}.",
                    Operation=name,
                )

    def _allowed(self, level: Level) -> list[str]:
        return sorted({method for method, row_level in self._rows if row_level is level})


def _provided(row: Row) -> AnyOperation:
    if isinstance(row, NotProvided):
        raise OssError(
            OPERATION_NOT_IMPLEMENTED, f"The operation {row.name} is not implemented.", Operation=row.name
        )
    return row


def _has(row: Row, query: Mapping[str, str], headers: Mapping[str, str]) -> bool:
    if any(query.get(name) != value for name, value in row.values.items()):
        return False
    return row.header is None or row.header in headers


def _parameters(shape: type[object]) -> frozenset[str]:
    """The query parameters of an operation (`sequential`); SDKs send them empty, too (`prefix=`)."""
    return frozenset(name for name, _ in plan_of(shape).query_names)


def level_of(address: Address) -> Level:
    if address.bucket is None:
        return Level.SERVICE
    return Level.BUCKET if address.key is None else Level.OBJECT
