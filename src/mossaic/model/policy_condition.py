"""Conditions of policy statements: an operator, a key of the request, and the values it is compared with.

OSS API: "RAM policy structure and syntax", Condition. Every operator and key must hold; of several values one is enough, and
for a negated operator none may match. A key that the request does not have fails a plain operator and satisfies a negated one.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TYPE_CHECKING, Final

from mossaic.model.glob import matches
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Keys are compared without regard to case up to the slash; what follows it is the name of a tag.
KNOWN_KEYS: Final = frozenset(
    {
        "acs:sourceip",
        "acs:sourcevpc",
        "acs:useragent",
        "acs:currenttime",
        "acs:securetransport",
        "acs:accessid",
        "acs:mfapresent",
        "sts:externalid",
        "oss:prefix",
        "oss:delimiter",
        "oss:buckettag/",
        "oss:existingobjecttag/",
        "oss:requestobjecttag/",
    }
)
_ISO: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """`operator` as the document spells it, checked; `key` normalized by `condition_key`."""

    operator: str
    key: str
    values: tuple[str, ...]

    def holds(self, context: Mapping[str, str]) -> bool:
        compare, negated = _OPERATORS[self.operator]
        actual = context.get(self.key)
        if actual is None:
            return negated
        return any(compare(actual, value) for value in self.values) is not negated


def condition_key(text: str) -> str | None:
    """The key in the form contexts use; None when the request has no such key."""
    name, slash, tag = text.partition("/")
    known = name.lower() + slash
    return known + tag if known in KNOWN_KEYS and bool(slash) == bool(tag) else None


def is_operator(text: str) -> bool:
    return text in _OPERATORS


def is_value(operator: str, value: str) -> bool:
    """Whether the value can be compared by the operator; a value that cannot would silently never match."""
    if operator in ("IpAddress", "NotIpAddress"):
        return _network(value) is not None
    if operator.startswith("Numeric"):
        return _number(value) is not None
    if operator.startswith("Date"):
        return _moment(value) is not None
    if operator == "Bool":
        return value.lower() in ("true", "false")
    return True


# --- comparisons: (what the request has, what the document says) -------------------------------------------------------


def _equals(actual: str, value: str) -> bool:
    return actual == value


def _equals_ignoring_case(actual: str, value: str) -> bool:
    return actual.casefold() == value.casefold()


def _like(actual: str, value: str) -> bool:
    return matches(value, actual)


def _numbers(test: Callable[[Decimal, Decimal], bool]) -> Callable[[str, str], bool]:
    def compare(actual: str, value: str) -> bool:
        left, right = _number(actual), _number(value)
        return left is not None and right is not None and test(left, right)

    return compare


def _moments(test: Callable[[datetime, datetime], bool]) -> Callable[[str, str], bool]:
    def compare(actual: str, value: str) -> bool:
        left, right = _moment(actual), _moment(value)
        return left is not None and right is not None and test(left, right)

    return compare


def _in_network(actual: str, value: str) -> bool:
    network, address = _network(value), _address(actual)
    return network is not None and address is not None and address in network


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _moment(text: str) -> datetime | None:
    if re.fullmatch(_ISO, text) is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A dual-stack socket reports IPv4 clients as ::ffff:a.b.c.d; rules are written for the IPv4 form.
    return getattr(address, "ipv4_mapped", None) or address


_OPERATORS: Final[dict[str, tuple[Callable[[str, str], bool], bool]]] = {
    "StringEquals": (_equals, False),
    "StringNotEquals": (_equals, True),
    "StringEqualsIgnoreCase": (_equals_ignoring_case, False),
    "StringNotEqualsIgnoreCase": (_equals_ignoring_case, True),
    "StringLike": (_like, False),
    "StringNotLike": (_like, True),
    "NumericEquals": (_numbers(lambda left, right: left == right), False),
    "NumericNotEquals": (_numbers(lambda left, right: left == right), True),
    "NumericLessThan": (_numbers(lambda left, right: left < right), False),
    "NumericLessThanEquals": (_numbers(lambda left, right: left <= right), False),
    "NumericGreaterThan": (_numbers(lambda left, right: left > right), False),
    "NumericGreaterThanEquals": (_numbers(lambda left, right: left >= right), False),
    "DateEquals": (_moments(lambda left, right: left == right), False),
    "DateNotEquals": (_moments(lambda left, right: left == right), True),
    "DateLessThan": (_moments(lambda left, right: left < right), False),
    "DateLessThanEquals": (_moments(lambda left, right: left <= right), False),
    "DateGreaterThan": (_moments(lambda left, right: left > right), False),
    "DateGreaterThanEquals": (_moments(lambda left, right: left >= right), False),
    "Bool": (_equals_ignoring_case, False),
    "IpAddress": (_in_network, False),
    "NotIpAddress": (_in_network, True),
}
