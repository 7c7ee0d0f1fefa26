"""Requests: a message read into an operation's input shape, and an input shape written as a message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from mossaic.protocol.codec.document import read_document, write_document
from mossaic.protocol.codec.plan import Plan, Slot, plan_of
from mossaic.protocol.codec.values import Kind, read_value, write_value
from mossaic.protocol.errors import INVALID_ARGUMENT, MISSING_ARGUMENT, OssError
from mossaic.protocol.wire import Header, Message, Target, UserMeta

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mossaic.protocol.operation import Operation

In = TypeVar("In")


def needs_body(shape: type[object]) -> bool:
    """Whether the codec reads the body of this input (an XML document or a payload)."""
    plan = plan_of(shape)
    return plan.root is not None or plan.payload is not None


def _read_named(
    read: dict[str, Any],  # Any: fields of any shape
    slots: tuple[tuple[str, Slot], ...],
    values: Mapping[str, str],
    *,
    header: bool,
) -> None:
    """Add the fields that are there. Raises OssError: MISSING_ARGUMENT, INVALID_ARGUMENT."""
    for name, slot in slots:
        text = values.get(name)
        if text is not None:
            read[slot.name] = _read_text(slot, name, text, header=header)
        elif slot.required:
            raise OssError(MISSING_ARGUMENT, f"{name} is required.", ArgumentName=name)


def _read_text(slot: Slot, name: str, text: str, *, header: bool) -> str | int | bool | datetime:
    if isinstance(slot.marker, Header) and slot.marker.quoted:
        text = text.strip('"')
    if slot.kind is Kind.TEXT:
        return text
    try:
        return read_value(text, slot.kind, header=header)
    except ValueError:
        raise OssError(INVALID_ARGUMENT, ArgumentName=name, ArgumentValue=text) from None


def read_request(shape: type[In], message: Message) -> In:
    """Raises OssError: MISSING_ARGUMENT, INVALID_ARGUMENT (with ArgumentName), MALFORMED_XML."""
    plan = plan_of(shape)
    read: dict[str, Any] = {}  # Any: fields of any shape
    for slot in plan.targets:
        assert isinstance(slot.marker, Target)
        read[slot.name] = (message.bucket if slot.marker.what == "bucket" else message.key) or ""
    _read_named(read, plan.query_names, message.query, header=False)
    _read_named(read, plan.header_names, message.headers, header=True)
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
    for name, slot in plan.query_names:
        value = getattr(shape, slot.name)
        if value is not None:
            query[name] = write_value(value, slot.kind)
    for (header, write), value in zip(plan.header_writers, plan.header_values(shape), strict=True):
        if value is not None:
            headers[header] = write(value)
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
