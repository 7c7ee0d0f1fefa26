"""What a lifecycle configuration may say (OSS API: PutBucketLifecycle), and the times that its rules name."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from mossaic.model.tags import check_tags
from mossaic.protocol.codec.values import read_iso_time
from mossaic.protocol.errors import (
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    MALFORMED_XML,
    NOT_IMPLEMENTED,
    OssError,
)
from mossaic.protocol.operations.settings import LifecycleExpiration
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from mossaic.protocol.operations.settings import (
        LifecycleAbort,
        LifecycleRule,
        LifecycleTransition,
        NoncurrentTransition,
    )

MAX_ID_BYTES: Final = 255
MAX_DAYS: Final = 36_500  # a hundred years; larger numbers overflow dates
_COLD: Final = ("IA", "Archive", "ColdArchive", "DeepColdArchive")  # from the warmest to the coldest
_EC_MIXED: Final = "0014-00000080"


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """One of: so many days after; for what is from before a moment; from a moment on, for what is from before it."""

    days: int | None = None
    before: datetime | None = None
    start: datetime | None = None

    def has_come(self, since: datetime, now: datetime) -> bool:
        """`since` is when the thing was last modified, or begun."""
        if self.days is not None:
            return since + timedelta(days=self.days) <= now
        if self.before is not None:
            return since < self.before
        return self.start is not None and since < self.start <= now


def when_of(shape: LifecycleExpiration | LifecycleTransition | LifecycleAbort) -> When:
    """Raises OssError: MALFORMED_XML (not exactly one time), INVALID_ARGUMENT (a bad one)."""
    date = shape.date if isinstance(shape, LifecycleExpiration) else None
    given = [time for time in (shape.days, shape.created_before, date) if time is not None]
    if len(given) != 1:
        raise _malformed("exactly one of Days and CreatedBeforeDate is needed")
    if shape.days is not None:
        return When(days=_days("Days", shape.days))
    if shape.created_before is not None:
        return When(before=_midnight("CreatedBeforeDate", shape.created_before))
    return When(start=_midnight("Date", date or ""))


def _days(name: str, days: int) -> int:
    if not 1 <= days <= MAX_DAYS:
        raise _refused(name, str(days), f"{name} is a whole number of days, 1 … {MAX_DAYS}.")
    return days


def _midnight(name: str, text: str) -> datetime:
    try:
        moment = read_iso_time(text)
    except ValueError:
        raise _refused(name, text, f"{name} is not a time in ISO 8601 UTC.") from None
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        raise _refused(name, text, f"{name} is not a midnight in UTC.")
    return moment


def check_rule(rule: LifecycleRule) -> None:
    """One rule by itself. Raises OssError."""
    if rule.status not in {"Enabled", "Disabled"}:
        raise _malformed("Status is neither Enabled nor Disabled")
    if rule.rule_id is not None and len(rule.rule_id.encode()) > MAX_ID_BYTES:
        raise _refused("ID", rule.rule_id, f"A rule's ID has at most {MAX_ID_BYTES} bytes.")
    if not any(actions_of(rule)):
        raise _refused("Rule", rule.rule_id or "", "A rule needs an action.")
    check_tags((tag.key, tag.value) for tag in rule.tags)
    whens = list(_whens(rule))
    if len({when.days is None for when in whens}) > 1:
        raise OssError(INVALID_REQUEST, "Days and CreatedBeforeDate are mixed.", ec=_EC_MIXED)
    _check_expiration(rule)
    _check_transitions(rule)
    _check_filter(rule)


def _whens(rule: LifecycleRule) -> Iterator[When]:
    expiration = rule.expiration
    if expiration is not None and not expiration.expired_object_delete_marker:
        yield when_of(expiration)
    for transition in rule.transitions:
        yield when_of(transition)
    if rule.abort_upload is not None:
        yield when_of(rule.abort_upload)


def _check_expiration(rule: LifecycleRule) -> None:
    expiration = rule.expiration
    if expiration is not None and expiration.expired_object_delete_marker:
        times = (expiration.days, expiration.date, expiration.created_before)
        if any(time is not None for time in times):
            raise _malformed("ExpiredObjectDeleteMarker stands beside a time")
    if rule.noncurrent_expiration is not None:
        _days("NoncurrentDays", rule.noncurrent_expiration.noncurrent_days)


def _check_transitions(rule: LifecycleRule) -> None:
    every: tuple[LifecycleTransition | NoncurrentTransition, ...] = (
        *rule.transitions,
        *rule.noncurrent_transitions,
    )
    for transition in every:
        if transition.storage_class not in _COLD:
            raise _refused("StorageClass", transition.storage_class, "Objects cannot go to that class.")
        _refuse_access_time(transition)
    expiration = rule.expiration.days if rule.expiration else None
    _check_order([(one.storage_class, one.days) for one in rule.transitions], expiration)
    noncurrent = [
        (one.storage_class, _days("NoncurrentDays", one.noncurrent_days))
        for one in rule.noncurrent_transitions
    ]
    last = rule.noncurrent_expiration.noncurrent_days if rule.noncurrent_expiration else None
    _check_order(noncurrent, last)


def _refuse_access_time(transition: LifecycleTransition | NoncurrentTransition) -> None:
    if transition.is_access_time:
        raise OssError(NOT_IMPLEMENTED, "Times of last access are not kept: IsAccessTime is not implemented.")


def _check_order(transitions: Sequence[tuple[str, int | None]], expiration: int | None) -> None:
    """Colder classes come later, and the end comes last. Only days can be compared before an object is there."""
    by_coldness = sorted(transitions, key=lambda pair: _COLD.index(pair[0]))
    if len({storage_class for storage_class, _ in transitions}) < len(transitions):
        raise _refused("StorageClass", by_coldness[0][0], "Two transitions go to the same class.")
    days = [days for _, days in by_coldness if days is not None]
    if expiration is not None:
        days.append(expiration)
    if any(earlier >= later for earlier, later in pairwise(days)):
        raise _refused("Days", str(days[-1]), "A colder class, and expiration, must come later.")


def _check_filter(rule: LifecycleRule) -> None:
    found = rule.filter
    if found is None:
        return
    above, below = found.size_greater_than, found.size_less_than
    for name, size in (("ObjectSizeGreaterThan", above), ("ObjectSizeLessThan", below)):
        if size is not None and size < 0:
            raise _refused(name, str(size), f"{name} is a number of bytes.")
    if above is not None and below is not None and above >= below:
        raise _refused("ObjectSizeLessThan", str(below), "No size lies between the two.")
    for out in found.nots:
        if not out.prefix.startswith(rule.prefix):
            raise _refused("Prefix", out.prefix, "Not names a prefix outside of the rule's own.")
        check_tags([(out.tag.key, out.tag.value)] if out.tag else [])


def actions_of(rule: LifecycleRule) -> Iterator[str]:
    """The names of what a rule does; rules that share one may not overlap."""
    if rule.expiration is not None:
        lone = rule.expiration.expired_object_delete_marker
        yield "ExpiredObjectDeleteMarker" if lone else "Expiration"
    if rule.abort_upload is not None:
        yield "AbortMultipartUpload"
    if rule.noncurrent_expiration is not None:
        yield "NoncurrentVersionExpiration"
    for transition in rule.transitions:
        yield f"Transition {transition.storage_class}"
    for noncurrent in rule.noncurrent_transitions:
        yield f"NoncurrentVersionTransition {noncurrent.storage_class}"


def check_together(rules: Sequence[LifecycleRule], *, allow_overlap: bool) -> None:
    """Unique IDs; unless allowed, no two rules of one action for the same keys. Raises OssError INVALID_ARGUMENT.

    Rules with different tags or with a filter may well be for different objects: they are not compared.
    """
    ids = [rule.rule_id for rule in rules if rule.rule_id]
    if len(set(ids)) < len(ids):
        raise _refused("ID", next(one for one in ids if ids.count(one) > 1), "Rule IDs are not unique.")
    if allow_overlap:
        return
    prefixes: dict[tuple[str, frozenset[tuple[str, str]]], list[str]] = {}
    for rule in rules:
        if rule.filter is not None:
            continue
        tags = frozenset((tag.key, tag.value) for tag in rule.tags)
        for action in actions_of(rule):
            prefixes.setdefault((action, tags), []).append(rule.prefix)
    for (action, _), found in prefixes.items():
        clash = _first_overlap(found)
        if clash is not None:
            raise _refused("Prefix", clash, f"Two rules with {action} overlap.")


def _first_overlap(prefixes: Iterable[str]) -> str | None:
    # In order, what begins with a prefix follows it directly: neighbours are enough.
    ordered = sorted(prefixes)
    return next(
        (longer for short, longer in pairwise(ordered) if longer.startswith(short)),
        None,
    )


def with_ids(rules: Sequence[LifecycleRule]) -> tuple[LifecycleRule, ...]:
    """The rules, those without an ID with one made from their content and place."""
    return tuple(
        rule if rule.rule_id else replace(rule, rule_id=_made_id(rule, place))
        for place, rule in enumerate(rules)
    )


def _made_id(rule: LifecycleRule, place: int) -> str:
    return hashlib.sha256(f"{place} {rule!r}".encode()).hexdigest()[:32]


def _malformed(detail: str) -> OssError:
    return OssError(MALFORMED_XML, ErrorDetail=detail)


def _refused(name: str, value: str, message: str) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ArgumentName=name, ArgumentValue=value)
