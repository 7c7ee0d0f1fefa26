"""What repeats ask for: an object as it is, to store one, a part of one, or one of its parts, or a list of objects. Who asks was
admitted before."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.gateway.handlers.listing import objects_listed
from mossaic.gateway.handlers.multipart import complete_result, part_result
from mossaic.gateway.handlers.object import put_result
from mossaic.gateway.message import HttpResponse
from mossaic.gateway.pages_again import OBJECT_LISTS
from mossaic.gateway.repeats.first_line import PART_NUMBER, QUERY, UPLOAD_ID
from mossaic.gateway.translate import document_of
from mossaic.model import traffic
from mossaic.model.headers import attributes
from mossaic.model.names import object_key
from mossaic.protocol.addressing import first_wins
from mossaic.protocol.codec import read_request, write_answer
from mossaic.protocol.mime import content_type_of
from mossaic.protocol.operations import multipart
from mossaic.protocol.operations import object as ops
from mossaic.protocol.wire import Message
from mossaic.service.intake import Expected

if TYPE_CHECKING:
    from mossaic.gateway.call import Call
    from mossaic.gateway.message import IncomingBody
    from mossaic.gateway.pages_again import PagesAgain
    from mossaic.gateway.plain_get import PlainGets
    from mossaic.gateway.repeats.template import Said
    from mossaic.model.bucket import Bucket
    from mossaic.model.headers import Attributes
    from mossaic.model.names import ObjectKey
    from mossaic.model.object import StorageClass
    from mossaic.protocol.operation import AnyOperation
    from mossaic.protocol.wire import Answer
    from mossaic.service.services import Services


class PlainRead:
    """GetObject that asks for nothing but the object. `answer` gives None, before anything was done, when it is not as simple as that."""

    __slots__ = ("_plain_gets",)
    operation: Final = ops.GET_OBJECT

    def __init__(self, plain_gets: PlainGets) -> None:
        self._plain_gets = plain_gets

    async def answer(
        self,
        services: Services,
        bucket: Bucket,
        body: IncomingBody,  # noqa: ARG002  # as of every kind
        said: Said,
    ) -> HttpResponse | None:
        """Raises OssError NO_SUCH_KEY."""
        return await self._plain_gets.read(services.objects, bucket, object_key(said.key), is_anonymous=False)


class PlainWrite:
    """PutObject without a callback: `asked` but for the key, and for what is said of the body."""

    __slots__ = ("_asked", "_attributes")
    operation: Final = ops.PUT_OBJECT

    def __init__(self, asked: ops.PutObject) -> None:
        self._asked = asked
        self._attributes: dict[tuple[str, StorageClass], Attributes] = {}

    async def answer(
        self, services: Services, bucket: Bucket, body: IncomingBody, said: Said
    ) -> HttpResponse | None:
        """Raises what the handler of PutObject does."""
        key = object_key(said.key)
        expected = Expected(content_md5=said.content_md5, crc64=self._asked.crc64)
        attributes_ = self._of(key, bucket.storage_class)
        stored = await services.objects.put(bucket, key, body, said=attributes_, expected=expected)
        return _response(write_answer(ops.PUT_OBJECT, put_result(stored)))

    def _of(self, key: ObjectKey, storage_class: StorageClass) -> Attributes:
        """Of the key they take the Content-Type alone, where none was said."""
        content_type = self._asked.content_type or content_type_of(key)
        made = self._attributes.get((content_type, storage_class))
        if made is None:
            asked = replace(self._asked, content_type=content_type)
            made = self._attributes[content_type, storage_class] = attributes(asked, key, storage_class)
        return made


class PartWrite:
    """UploadPart, with the CRC-64 that `asked` says of the body, if any."""

    __slots__ = ("_crc64",)
    operation: Final = multipart.UPLOAD_PART

    def __init__(self, asked: multipart.UploadPart) -> None:
        self._crc64 = asked.crc64

    async def answer(
        self, services: Services, bucket: Bucket, body: IncomingBody, said: Said
    ) -> HttpResponse | None:
        """Raises what the handler of UploadPart does."""
        asked = multipart.UploadPart(
            bucket=bucket.name,
            key=object_key(said.key),
            upload_id=said.values[UPLOAD_ID],
            part_number=said.values[PART_NUMBER],
            content_length=str(said.length),
            content_md5=said.content_md5,
            crc64=self._crc64,
        )
        upload, part, md5 = await services.multipart.put_part(bucket, asked, body)
        return _response(write_answer(multipart.UPLOAD_PART, part_result(upload, part, md5)))


class CompleteWrite:
    """CompleteMultipartUpload without a callback: `asked` but for the upload, and for the list of parts."""

    __slots__ = ("_asked", "_endpoint")
    operation: Final = multipart.COMPLETE_MULTIPART_UPLOAD

    def __init__(self, asked: multipart.CompleteMultipartUpload, endpoint: str) -> None:
        self._asked = asked
        self._endpoint = endpoint

    async def answer(
        self, services: Services, bucket: Bucket, body: IncomingBody, said: Said
    ) -> HttpResponse | None:
        """Raises what the handler of CompleteMultipartUpload does."""
        asked = replace(
            self._asked,
            bucket=bucket.name,
            key=object_key(said.key),
            upload_id=said.values[UPLOAD_ID],
            document=await document_of(body, said.content_md5),
            content_md5=said.content_md5,
        )
        stored = await services.multipart.complete(bucket, asked)
        result = complete_result(stored, endpoint=self._endpoint)
        return _response(write_answer(multipart.COMPLETE_MULTIPART_UPLOAD, result))


class ObjectList:
    """ListObjects V1 and V2, whatever part of the bucket is asked for."""

    __slots__ = ("_pages", "operation")

    def __init__(self, operation: AnyOperation, pages: PagesAgain) -> None:
        self.operation = operation
        self._pages = pages

    async def answer(
        self,
        services: Services,
        bucket: Bucket,
        body: IncomingBody,  # noqa: ARG002  # as of every kind
        said: Said,
    ) -> HttpResponse | None:
        """Raises what the handlers of both do."""
        query = first_wins(said.values[QUERY])

        async def make() -> HttpResponse:
            message = Message(method="GET", bucket=bucket.name, query=query)
            asked = read_request(self.operation.takes, message)
            given = await objects_listed(services.listing, bucket, asked)
            return _response(write_answer(self.operation, given))

        return await self._pages.answer(services.listing, self.operation, bucket, query, make)


def _response(answer: Answer) -> HttpResponse:
    return HttpResponse(status=answer.status, headers=list(answer.headers), body=answer.body)


Kind = PlainRead | PlainWrite | PartWrite | CompleteWrite | ObjectList


def kind_of(call: Call, asked: object, plain_gets: PlainGets, pages: PagesAgain) -> Kind | None:
    """Of a call that was answered; `asked` is what it was decoded to, None for a plain read or a list of objects. None: repeats of it
    go the usual way."""
    if call.operation in OBJECT_LISTS:
        return ObjectList(call.operation, pages)
    if asked is None:
        return PlainRead(plain_gets)
    if isinstance(asked, ops.PutObject) and call.operation is ops.PUT_OBJECT:
        is_plain = asked.callback is None and call.header(traffic.NAME) is None
        return PlainWrite(asked) if is_plain else None
    if isinstance(asked, multipart.UploadPart):
        return PartWrite(asked) if call.header(traffic.NAME) is None else None
    if isinstance(asked, multipart.CompleteMultipartUpload):
        return CompleteWrite(asked, call.endpoint) if asked.callback is None else None
    return None
