"""The list of a DeleteMultipleObjects request, checked before anything is deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from mossaic.model.names import object_key, version_id
from mossaic.protocol.errors import INVALID_ARGUMENT, MALFORMED_XML, OssError
from mossaic.protocol.limits import MAX_DELETE_KEYS
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from mossaic.model.names import ObjectKey, VersionId
    from mossaic.protocol.operations.object import DeleteMultipleObjects


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteList:
    """Keys with the version to delete, None for the current one; `encoding_type` as the answer is to have it."""

    entries: tuple[tuple[ObjectKey, VersionId | None], ...]
    encoding_type: str | None = None

    @classmethod
    def of(cls, asked: DeleteMultipleObjects) -> Self:
        """1 … 1000 keys.

        Raises OssError: MALFORMED_XML, INVALID_ARGUMENT (empty key, version id, encoding type), INVALID_OBJECT_NAME.
        """
        if asked.encoding_type not in {None, "", "url"}:
            raise OssError(
                INVALID_ARGUMENT, ArgumentName="encoding-type", ArgumentValue=asked.encoding_type or ""
            )
        if not asked.objects:
            raise _malformed("there is no Object element", ec="0016-00000615")
        if len(asked.objects) > MAX_DELETE_KEYS:
            raise _malformed(f"there are more than {MAX_DELETE_KEYS} Object elements", ec="0016-00000608")
        entries = tuple((_key(each.key), version_id(each.version_id)) for each in asked.objects)
        return cls(entries=entries, encoding_type=asked.encoding_type or None)


def _key(text: str | None) -> ObjectKey:
    if text is None:
        raise _malformed("an Object element has no Key", ec="0016-00000613")
    if not text:
        raise OssError(
            INVALID_ARGUMENT,
            "A key of the list is empty.",
            ec="0016-00000611",
            ArgumentName="Key",
            ArgumentValue="",
        )
    return object_key(text)


def _malformed(detail: str, *, ec: str) -> OssError:
    return OssError(MALFORMED_XML, ec=ec, ErrorDetail=detail)
