"""PostObject: an upload by an HTML form (OSS API: PostObject)."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnBucket
from mossaic.protocol.wire import Element, Header, Payload, Status


@shape
class PostObject(OnBucket):
    """The fields and the file are in the body, which `gateway.form` reads as it comes."""


@shape
class PostObjectResult:
    """`status` is what `success_action_status` asked for; only 201 has a document. A redirect is 303 with `Location`."""

    XML_ROOT: ClassVar[str] = "PostResponse"

    status: Annotated[int, Status()]
    bucket: Annotated[str, Element("Bucket")]
    location: Annotated[str, Element("Location")]
    key: Annotated[str, Element("Key")]
    etag: Annotated[str, Element("ETag", quoted=True)]
    etag_header: Annotated[str, Header("ETag", quoted=True)]
    content_md5: Annotated[str | None, Header("Content-MD5")]
    crc64: Annotated[int, Header("x-oss-hash-crc64ecma")]
    version_id: Annotated[str | None, Header("x-oss-version-id")] = None
    redirect: Annotated[str | None, Header("Location")] = None
    callback_answer: Annotated[bytes | None, Payload("application/json")] = None

    @property
    def leaves_body_out(self) -> bool:
        return self.status != 201


POST_OBJECT: Final = Operation(
    name="PostObject",
    method="POST",
    level=Level.BUCKET,
    takes=PostObject,
    gives=PostObjectResult,
    action="oss:PutObject",
    access=Access.WRITE,
)

ROWS: Final[tuple[AnyOperation, ...]] = (POST_OBJECT,)
