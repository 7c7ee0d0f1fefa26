"""Between HTTP and the shapes of the operations: a request read into one, one written as a response."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING, Any, Final, cast

from mossaic.gateway.message import HttpResponse
from mossaic.protocol.codec import needs_body, read_request, write_answer
from mossaic.protocol.errors import ENTITY_TOO_LARGE, INVALID_DIGEST, MALFORMED_XML, OssError
from mossaic.protocol.limits import KIB, MAX_XML_BODY
from mossaic.protocol.wire import Answer, Message

if TYPE_CHECKING:
    from mossaic.gateway.call import Call
    from mossaic.gateway.message import Content, HttpRequest
    from mossaic.ports import Body
    from mossaic.protocol.addressing import Address
    from mossaic.protocol.operation import AnyOperation

_PARSE_IN_THREAD: Final = 64 * KIB  # bytes of XML above which the loop is spared the parsing


async def decode(call: Call, address: Address) -> Any:  # Any: the input of any operation
    """Raises OssError as the codec does; MALFORMED_XML (a body over 2 MiB), INVALID_DIGEST."""
    shape = call.operation.takes
    body = await document_of(call.body, call.header("content-md5")) if needs_body(shape) else b""
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


def encode(operation: AnyOperation, given: object, request: HttpRequest) -> HttpResponse:
    """`given` is what the operation gives."""
    answer: Answer = write_answer(operation, given)
    headers = list(answer.headers)
    if request.method == "HEAD":
        length = next((int(value) for name, value in headers if name == "Content-Length"), None)
        headers = [(name, value) for name, value in headers if name != "Content-Length"]
        return HttpResponse(status=answer.status, headers=headers, content_length=length or 0)
    body: bytes | Content = answer.body
    if answer.stream is not None:
        content = cast("Content", answer.stream)  # a Stream field of an answer holds content to send
        whole: bytes | None = getattr(content, "in_memory", None)  # small objects need no worker thread
        body = content if whole is None else whole
    return HttpResponse(status=answer.status, headers=headers, body=body)


async def document_of(incoming: Body, claimed: str | None) -> bytes:
    """A small body, whole; `claimed` is its Content-MD5. Raises OssError: MALFORMED_XML (over 2 MiB), INVALID_DIGEST."""
    try:
        body = await incoming.read(MAX_XML_BODY)
    except OssError as error:
        if error.row is ENTITY_TOO_LARGE:
            raise OssError(
                MALFORMED_XML, ErrorDetail=f"the body is larger than {MAX_XML_BODY} bytes"
            ) from None
        raise
    if (
        claimed
        and base64.b64encode(hashlib.md5(body, usedforsecurity=False).digest()).decode() != claimed.strip()
    ):
        raise OssError(INVALID_DIGEST)
    return body
