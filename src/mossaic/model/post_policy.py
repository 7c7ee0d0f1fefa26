"""The policy of a form upload: until when it holds, and what the form's fields and the file's size have to be.

Source: OSS API "PostObject": a field without a condition is allowed, a condition on a missing field fails, names compare without
case and values with it; field values are compared before `${filename}` is expanded.
"""

from __future__ import annotations

import base64
import binascii
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

from mossaic.protocol.errors import ACCESS_DENIED, INVALID_POLICY_DOCUMENT, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

_MATCHES: Final = frozenset({"eq", "starts-with", "in", "not-in"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`operator` on the form field `name` (lower case); `values` has one entry but for in and not-in."""

    operator: str
    name: str
    values: tuple[str, ...]

    def holds(self, value: str) -> bool:
        match self.operator:
            case "eq":
                return value == self.values[0]
            case "starts-with":
                return value.startswith(self.values[0])
            case "in":
                return value in self.values
            case _:
                return value not in self.values

    def shown(self) -> str:
        wanted: str | list[str] = list(self.values) if self.operator in ("in", "not-in") else self.values[0]
        return json.dumps([self.operator, f"${self.name}", wanted], ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPolicy:
    """`size` is the inclusive range of the file's size in bytes."""

    expiration: datetime
    conditions: tuple[Condition, ...]
    size: tuple[int, int] | None = None

    def check(self, fields: Mapping[str, str], now: datetime) -> None:
        """`fields` by lower-case name, with `bucket` among them. Raises OssError ACCESS_DENIED naming what failed."""
        if now > self.expiration:
            raise OssError(ACCESS_DENIED, "Invalid according to Policy: Policy expired.")
        for condition in self.conditions:
            value = fields.get(condition.name)
            if value is None or not condition.holds(value):
                raise OssError(
                    ACCESS_DENIED,
                    f"Invalid according to Policy: Policy Condition failed: {condition.shown()}",
                )


def _bad(detail: str) -> OssError:
    return OssError(INVALID_POLICY_DOCUMENT, f"Invalid Policy: {detail}")


def parse(encoded: str) -> PostPolicy:
    r"""From the base64 text of the `policy` field. `\$`, which is no JSON, stands for a dollar sign.

    Raises OssError INVALID_POLICY_DOCUMENT.
    """
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        document = json.loads(text.replace("\\$", "$"))
    except (binascii.Error, ValueError, RecursionError):
        raise _bad("it is not base64 of JSON.") from None
    if not isinstance(document, dict):
        raise _bad("it is not a JSON object.")
    tree = cast("dict[str, object]", document)
    listed = tree.get("conditions")
    if not isinstance(listed, list) or not listed:
        raise _bad("conditions must be a list with something in it.")
    found: list[Condition] = []
    size: tuple[int, int] | None = None
    for item in cast("list[object]", listed):
        read = _condition(item)
        if isinstance(read, Condition):
            found.append(read)
        else:
            size = read if size is None else (max(size[0], read[0]), min(size[1], read[1]))
    return PostPolicy(expiration=_expiration(tree.get("expiration")), conditions=tuple(found), size=size)


def _expiration(value: object) -> datetime:
    if not isinstance(value, str) or not value.endswith("Z"):
        raise _bad("expiration must be a UTC time like 2030-01-01T00:00:00.000Z.")
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        raise _bad("expiration must be a UTC time like 2030-01-01T00:00:00.000Z.") from None


def _condition(item: object) -> Condition | tuple[int, int]:
    """A condition, or the bounds of a content-length-range."""
    if isinstance(item, dict):
        pairs = list(cast("dict[str, object]", item).items())
        if len(pairs) == 1:
            name, value = pairs[0]
            return Condition(operator="eq", name=name.removeprefix("$").lower(), values=(_text(value),))
    elif isinstance(item, list):
        triple = cast("list[object]", item)
        if len(triple) == 3 and isinstance(triple[0], str):
            return _operation(triple[0].lower(), triple[1], triple[2])
    raise _bad("a condition is not understood.")


def _operation(operator: str, first: object, second: object) -> Condition | tuple[int, int]:
    if operator == "content-length-range":
        return _bound(first), _bound(second)
    if operator not in _MATCHES or not isinstance(first, str) or not first.startswith("$"):
        raise _bad("a condition is not understood.")
    values: tuple[object, ...] = (second,)
    if operator in ("in", "not-in"):
        if not isinstance(second, list):
            raise _bad(f"{operator} needs a list.")
        values = tuple(cast("list[object]", second))
    return Condition(operator=operator, name=first[1:].lower(), values=tuple(map(_text, values)))


def _text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _bad("a condition's value must be text.")
    return str(value)


def _bound(value: object) -> int:
    """A number, which some clients write as text."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise _bad("content-length-range needs two numbers.")
    return value
