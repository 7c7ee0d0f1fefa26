"""Answers: an output shape written as status, headers and body, and read back from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mossaic.protocol.codec.document import read_document, write_document
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.codec.request import read_meta
from mossaic.protocol.codec.values import Kind, read_value
from mossaic.protocol.wire import Answer, Header, Payload, UserMeta

if TYPE_CHECKING:
    from mossaic.protocol.operation import Operation

Out = TypeVar("Out")


def write_answer(operation: Operation[Any, Out], shape: Out) -> Answer:  # Any: the input does not matter here
    plan = plan_of(type(shape))
    headers: list[tuple[str, str]] = []
    for (header, write), value in zip(plan.header_writers, plan.header_values(shape), strict=True):
        if value is not None:
            headers.append((header, write(value)))
    for slot in plan.metas:
        assert isinstance(slot.marker, UserMeta)
        prefix = slot.marker.prefix
        if pairs := getattr(shape, slot.name):
            headers.extend((f"{prefix}{name}", text) for name, text in pairs.items())
    status = (getattr(shape, plan.status.name) if plan.status else None) or operation.status
    payload = getattr(shape, plan.payload.name) if plan.payload else None
    body = b""
    if payload is not None:
        assert plan.payload is not None
        assert isinstance(plan.payload.marker, Payload)
        body = payload
        headers.append(("Content-Type", plan.payload.marker.content_type))
    elif plan.root is not None and not getattr(shape, "leaves_body_out", False):
        body = write_document(shape, plan)
        headers.append(("Content-Type", "application/xml"))
    stream = getattr(shape, plan.stream.name) if plan.stream else None
    return Answer(status=status, headers=tuple(headers), body=body, stream=stream)


def read_answer(operation: Operation[Any, Out], answer: Answer) -> Out:  # Any: as above
    """The output shape of a successful answer. Raises OssError MALFORMED_XML, ValueError for a header that is no number."""
    plan = plan_of(operation.gives)
    headers = {name.lower(): value for name, value in answer.headers}
    read: dict[str, Any] = {}  # Any: fields of any shape
    for name, slot in plan.header_names:
        text = headers.get(name)
        if text is None:
            continue
        if isinstance(slot.marker, Header) and slot.marker.quoted:
            text = text.strip('"')
        read[slot.name] = text if slot.kind is Kind.TEXT else read_value(text, slot.kind, header=True)
    if plan.meta is not None:
        read[plan.meta.name] = read_meta(plan.meta, headers)
    if plan.status is not None:
        read[plan.status.name] = answer.status
    is_xml = "xml" in headers.get("content-type", "application/xml")
    if plan.payload is not None and not (plan.root is not None and is_xml):
        read[plan.payload.name] = answer.body
    elif plan.root is not None and answer.body:
        read |= read_document(answer.body, plan)
    if plan.stream is not None:
        read[plan.stream.name] = answer.stream
    return operation.gives(**read)
