"""Settings documents of a bucket: kept as the XML that OSS gives them, read back as the shapes they are.

One mechanism for all: a document is stored under a name in `Bucket.documents` as text, validated before, and replaced as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from mossaic.protocol.codec.document import read_document, write_document
from mossaic.protocol.codec.plan import plan_of

if TYPE_CHECKING:
    from collections.abc import Hashable

    from mossaic.model.bucket import Bucket

CORS: Final = "cors"
LIFECYCLE: Final = "lifecycle"
TAGGING: Final = "tagging"
POLICY: Final = "policy"  # JSON text, as it was put

Shape = TypeVar("Shape")


def dump(shape: object, kind: type[Any]) -> str:  # Any: the shape of any document
    """The text of a document. Only the fields of `kind` are written: a request's shape has the bucket beside them."""
    return write_document(shape, plan_of(kind)).decode()


def load(bucket: Bucket, name: str, kind: type[Shape]) -> Shape | None:
    """The document of that name; None when it was never put."""
    text = bucket.documents.get(name)
    if text is None:
        return None
    shape = _parsed(cast("Hashable", kind), text)
    assert isinstance(shape, kind)
    return shape


@lru_cache(maxsize=1024)
def _parsed(kind: Hashable, text: str) -> object:
    # Asked for on every request with an Origin; shapes are frozen, so one may be shared.
    assert isinstance(kind, type)
    return kind(**read_document(text.encode(), plan_of(kind)))
