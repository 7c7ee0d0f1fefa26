"""Requests: a message read into an operation's input shape, and an input shape written as a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mossaic.protocol.codec.document import read_document, write_document
from mossaic.protocol.codec.plan import Plan, Slot, plan_of
from mossaic.protocol.codec.values import Kind, read_value, write_value
from mossaic.protocol.errors import INVALID_ARGUMENT, MISSING_ARGUMENT, OssError
from mossaic.protocol.wire import Header, Message, Query, Target, UserMeta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.protocol.operation import Operation

In = TypeVar("In")


def needs_body(shape: type[object]) -> bool:
    """Whether the codec reads the body of this input (an XML document or a payload)."""
    plan = plan_of(shape)
    return plan.root is not None or plan.payload is not None


def _read_named(slot: Slot, name: str, values: Mapping[str, str], *, header: bool) -> dict[str, Any]:
    """The field as a keyword argument; nothing when it is absent and may be. Any: a field of any shape."""
    text = values.get(name)
    if text is None:
        if slot.required:
            raise OssError(MISSING_ARGUMENT, f"{name} is required.", ArgumentName=name)
        return {}
    if header and isinstance(slot.marker, Header) and slot.marker.quoted:
        text = text.strip('"')
    if slot.kind is Kind.TEXT:
        return {slot.name: text}
    try:
        return {slot.name: read_value(text, slot.kind, header=header)}
    except ValueError:
        raise OssError(INVALID_ARGUMENT, ArgumentName=name, ArgumentValue=text) from None


def read_request(shape: type[In], message: Message) -> In:
    """Raises OssError: MISSING_ARGUMENT, INVALID_ARGUMENT (with ArgumentName), MALFORMED_XML."""
    plan = plan_of(shape)
    read: dict[str, Any] = {}  # Any: fields of any shape
    for slot in plan.targets:
        assert isinstance(slot.marker, Target)
        read[slot.name] = (message.bucket if slot.marker.what == "bucket" else message.key) or ""
    for slot in plan.query:
        assert isinstance(slot.marker, Query)
        read |= _read_named(slot, slot.marker.name, message.query, header=False)
    for slot in plan.headers:
        assert isinstance(slot.marker, Header)
        read |= _read_named(slot, slot.marker.name.lower(), message.headers, header=True)
    if plan.meta is not None:
        read[plan.meta.name] = read_meta(plan.meta, message.headers)
    if plan.payload is not None:
        read[plan.payload.name] = message.body
    elif plan.root is not None and (message.body or not _may_be_empty(plan)):
        read |= read_document(message.body, plan)
    return shape(**read)


def _may_be_empty(plan: Plan) -> bool:
    """A shape may say that its document can be left out (PutBucket, Complete with x-oss-complete-all)."""
    return bool(getattr(plan.shape, "BODY_OPTIONAL", False))


def read_meta(slot: Slot, headers: Mapping[str, str]) -> dict[str, str]:
    assert isinstance(slot.marker, UserMeta)
    prefix = slot.marker.prefix
    return {name[len(prefix) :]: value for name, value in headers.items() if name.startswith(prefix)}


def write_request(
    operation: Operation[In, Any], shape: In
) -> Message:  # Any: the output does not matter here
    """The request that asks for `operation`; the stream field, if any, is not touched."""
    plan = plan_of(type(shape))
    query = dict.fromkeys(sorted(operation.marks), "") | dict(operation.values)
    headers: dict[str, str] = {}
    for slot in plan.query:
        assert isinstance(slot.marker, Query)
        value = getattr(shape, slot.name)
        if value is not None:
            query[slot.marker.name] = write_value(value, slot.kind)
    for slot in plan.headers:
        assert isinstance(slot.marker, Header)
        value = getattr(shape, slot.name)
        if value is not None:
            text = write_value(value, slot.kind, header=True)
            headers[slot.marker.name] = f'"{text}"' if slot.marker.quoted else text
    if plan.meta is not None:
        assert isinstance(plan.meta.marker, UserMeta)
        for name, text in getattr(shape, plan.meta.name).items():
            headers[f"{plan.meta.marker.prefix}{name}"] = text
    address: dict[str, str] = {
        slot.marker.what: getattr(shape, slot.name)
        for slot in plan.targets
        if isinstance(slot.marker, Target)
    }
    body = b""
    if plan.payload is not None:
        body = getattr(shape, plan.payload.name) or b""
    elif plan.root is not None and not getattr(shape, "leaves_body_out", False):
        body = write_document(shape, plan)
    return Message(
        method=operation.method,
        bucket=address.get("bucket"),
        key=address.get("key"),
        query=query,
        headers=headers,
        body=body,
    )
