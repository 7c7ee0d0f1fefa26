"""GetObject that asks for nothing but the object: no query, no range, no condition. Most reads are of this kind.

The head of such an answer depends on the version alone. It is made the usual way once and kept for as long as the store hands
out the very same version.
"""

from __future__ import annotations

import weakref
from functools import cache
from typing import TYPE_CHECKING, Final

from mossaic.gateway.handlers.object_facts import facts
from mossaic.gateway.header_lines import lines_of
from mossaic.gateway.message import HttpResponse
from mossaic.model import traffic
from mossaic.model.names import object_key
from mossaic.model.object import ObjectType
from mossaic.protocol.codec import write_answer
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.operations import object as ops
from mossaic.quick import dataclass
from mossaic.service.objects import Found

if TYPE_CHECKING:
    from mossaic.gateway.call import Call
    from mossaic.gateway.header_lines import Lines
    from mossaic.model.bucket import Bucket, Versioning
    from mossaic.model.names import ObjectKey
    from mossaic.model.object import ObjectVersion
    from mossaic.service.objects import ObjectService

_MOST: Final = 4096  # heads
_LONGEST: Final = 2048  # bytes of a head that is kept; user metadata may be 8 KiB


@dataclass(frozen=True, slots=True)
class _Head:
    version: weakref.ref[ObjectVersion]
    versioning: Versioning  # all that the head takes from the bucket
    is_anonymous: bool
    headers: tuple[tuple[str, str], ...]
    lines: Lines  # of them


@cache
def _asking() -> frozenset[str]:
    """The headers that ask for more."""
    return frozenset(name for name, _ in plan_of(ops.GetObject).header_names) | {traffic.NAME}


class PlainGets:
    """The heads of objects that were read of late."""

    __slots__ = ("_heads",)

    def __init__(self) -> None:
        self._heads: dict[tuple[str, str], _Head] = {}

    async def answer(self, call: Call, key: str | None) -> HttpResponse | None:
        """The answer to an authorized call; None when it asks for more, and the usual way has to be taken.

        Raises OssError: NO_SUCH_KEY, INVALID_OBJECT_NAME.
        """
        if call.operation is not ops.GET_OBJECT or call.query or key is None:
            return None
        if not _asking().isdisjoint(call.request.index):
            return None
        return await self.read(
            call.services.objects, call.bucket, object_key(key), is_anonymous=call.is_anonymous
        )

    async def read(
        self, objects: ObjectService, bucket: Bucket, key: ObjectKey, *, is_anonymous: bool
    ) -> HttpResponse | None:
        """The answer to whoever may read it; None for a symbolic link. Raises OssError NO_SUCH_KEY."""
        version = await objects.find(bucket, key)
        if version.type is ObjectType.SYMLINK:
            return None
        head, body = self._head(bucket, version, is_anonymous=is_anonymous), version.inline
        return HttpResponse(
            status=ops.GET_OBJECT.status,
            headers=list(head.headers),
            body=objects.reading(Found(version=version, content=version)) if body is None else body,
            lines=head.lines,
        )

    def _head(self, bucket: Bucket, version: ObjectVersion, *, is_anonymous: bool) -> _Head:
        place = (bucket.name, version.key)
        kept = self._heads.get(place)
        if (
            kept is not None
            and kept.version() is version
            and kept.versioning is bucket.versioning
            and kept.is_anonymous == is_anonymous
        ):
            return kept
        said = facts(bucket, Found(version=version, content=version), is_anonymous=is_anonymous)
        headers = write_answer(ops.GET_OBJECT, ops.GetObjectResult(**said)).headers
        made = _Head(weakref.ref(version), bucket.versioning, is_anonymous, headers, lines_of(headers))
        if len(made.lines.data) <= _LONGEST:
            if len(self._heads) >= _MOST:
                self._heads.clear()
            self._heads[place] = made
        return made
