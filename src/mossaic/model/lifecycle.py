"""Lifecycle rules: what may be configured, and what is due for an object version or an upload at a given moment.

OSS API: PutBucketLifecycle. Storage classes are labels here, so a transition relabels and moves no bytes.
"""

from __future__ import annotations

from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from mossaic.model import documents
from mossaic.model.lifecycle_check import check_rule, check_together, when_of, with_ids
from mossaic.model.object import StorageClass
from mossaic.protocol.errors import INVALID_ARGUMENT, MALFORMED_XML, OssError
from mossaic.protocol.limits import MAX_LIFECYCLE_RULES
from mossaic.protocol.operations.settings import LifecycleConfiguration, LifecycleRule
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mossaic.model.bucket import Bucket
    from mossaic.model.lifecycle_check import When
    from mossaic.model.object import ObjectVersion
    from mossaic.model.upload import Upload

Tags = frozenset[tuple[str, str]]
_COLDNESS: Final = {storage_class: rank for rank, storage_class in enumerate(StorageClass)}


class Action(Enum):
    """EXPIRE deletes the current version as a client would (a marker in versioned buckets); REMOVE takes this version away
    for good; RELABEL changes its storage class."""

    EXPIRE = "expire"
    REMOVE = "remove"
    RELABEL = "relabel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a rule wants done now."""

    action: Action
    rule_id: str
    storage_class: StorageClass | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A version as the rules see it. `superseded_at`: when a newer one took its place; None for the newest.
    `is_lone_marker`: a delete marker under which nothing is left."""

    version: ObjectVersion
    tags: Mapping[str, str]
    superseded_at: datetime | None = None
    is_lone_marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """What a rule is about: keys with the prefix, all of the tags, sizes between the bounds (bytes, exclusive), and none of
    the exceptions (a prefix and, where there are any, tags that must be there too)."""

    prefix: str = ""
    tags: Tags = frozenset()
    above: int | None = None
    below: int | None = None
    exceptions: tuple[tuple[str, Tags], ...] = ()

    @property
    def asks_tags(self) -> bool:
        return bool(self.tags) or any(tags for _, tags in self.exceptions)

    def covers(self, key: str, tags: Tags, size: int | None) -> bool:
        """`size` None: an upload, which has none yet."""
        if not key.startswith(self.prefix) or not self.tags <= tags:
            return False
        if size is not None and not self._fits(size):
            return False
        return not any(key.startswith(prefix) and out <= tags for prefix, out in self.exceptions)

    def _fits(self, size: int) -> bool:
        return (self.above is None or size > self.above) and (self.below is None or size < self.below)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An enabled rule, ready to be asked. Transitions go from the coldest class to the warmest; days count from
    Last-Modified, for noncurrent versions from the moment they were superseded, for uploads from their start."""

    rule_id: str
    scope: Scope
    expires: When | None = None
    removes_lone_markers: bool = False
    transitions: tuple[tuple[StorageClass, When], ...] = ()
    aborts: When | None = None
    noncurrent_days: int | None = None
    noncurrent_transitions: tuple[tuple[StorageClass, int], ...] = ()

    @property
    def is_for_objects(self) -> bool:
        return bool(
            self.expires
            or self.removes_lone_markers
            or self.transitions
            or self.noncurrent_days
            or self.noncurrent_transitions
        )


def checked(configuration: LifecycleConfiguration, *, allow_overlap: bool) -> str:
    """The text to store, every rule with an ID.

    Raises OssError: MALFORMED_XML, INVALID_ARGUMENT, INVALID_REQUEST (days and dates mixed), NOT_IMPLEMENTED (access time).
    """
    if not configuration.rules:
        raise OssError(MALFORMED_XML, ErrorDetail="Rule is missing")
    if len(configuration.rules) > MAX_LIFECYCLE_RULES:
        raise OssError(INVALID_ARGUMENT, f"A bucket has at most {MAX_LIFECYCLE_RULES} lifecycle rules.")
    for rule in configuration.rules:
        check_rule(rule)
    check_together(configuration.rules, allow_overlap=allow_overlap)
    named = LifecycleConfiguration(rules=with_ids(configuration.rules))
    return documents.dump(named, LifecycleConfiguration)


def load(bucket: Bucket) -> tuple[Rule, ...]:
    """The bucket's enabled rules."""
    configuration = documents.load(bucket, documents.LIFECYCLE, LifecycleConfiguration)
    return () if configuration is None else _enabled(configuration)


@lru_cache(maxsize=256)
def _enabled(configuration: LifecycleConfiguration) -> tuple[Rule, ...]:
    return tuple(_rule(shape) for shape in configuration.rules if shape.status == "Enabled")


def _rule(shape: LifecycleRule) -> Rule:
    expiration = shape.expiration
    coldest_first = sorted(
        ((StorageClass(one.storage_class), when_of(one)) for one in shape.transitions),
        key=lambda pair: -_COLDNESS[pair[0]],
    )
    noncurrent = sorted(
        ((StorageClass(one.storage_class), one.noncurrent_days) for one in shape.noncurrent_transitions),
        key=lambda pair: -_COLDNESS[pair[0]],
    )
    lone = expiration is not None and bool(expiration.expired_object_delete_marker)
    return Rule(
        rule_id=shape.rule_id or "",
        scope=_scope(shape),
        expires=None if expiration is None or lone else when_of(expiration),
        removes_lone_markers=lone,
        transitions=tuple(coldest_first),
        aborts=None if shape.abort_upload is None else when_of(shape.abort_upload),
        noncurrent_days=shape.noncurrent_expiration.noncurrent_days if shape.noncurrent_expiration else None,
        noncurrent_transitions=tuple(noncurrent),
    )


def _scope(shape: LifecycleRule) -> Scope:
    found = shape.filter
    return Scope(
        prefix=shape.prefix,
        tags=frozenset((tag.key, tag.value) for tag in shape.tags),
        above=found.size_greater_than if found else None,
        below=found.size_less_than if found else None,
        exceptions=tuple(
            (out.prefix, frozenset({(out.tag.key, out.tag.value)} if out.tag else ()))
            for out in (found.nots if found else ())
        ),
    )


def due(rules: Sequence[Rule], standing: Standing, now: datetime) -> Due | None:
    """What is to be done with a version now; taking it away goes before relabelling it."""
    version, tags = standing.version, frozenset(standing.tags.items())
    size = None if version.is_delete_marker else version.size
    covering = [rule for rule in rules if rule.scope.covers(version.key, tags, size)]
    for rule in covering:
        action = _removal(rule, standing, now)
        if action is not None:
            return Due(action=action, rule_id=rule.rule_id)
    if version.is_delete_marker:
        return None
    for rule in covering:
        colder = _colder(rule, standing, now)
        if colder is not None and _COLDNESS[colder] > _COLDNESS[version.storage_class]:
            return Due(action=Action.RELABEL, rule_id=rule.rule_id, storage_class=colder)
    return None


def _removal(rule: Rule, standing: Standing, now: datetime) -> Action | None:
    if standing.superseded_at is not None:
        days = rule.noncurrent_days
        is_over = days is not None and standing.superseded_at + timedelta(days=days) <= now
        return Action.REMOVE if is_over else None
    if standing.version.is_delete_marker:
        return Action.REMOVE if standing.is_lone_marker and rule.removes_lone_markers else None
    has_come = rule.expires is not None and rule.expires.has_come(standing.version.modified_at, now)
    return Action.EXPIRE if has_come else None


def _colder(rule: Rule, standing: Standing, now: datetime) -> StorageClass | None:
    """The coldest class whose time has come."""
    since = standing.superseded_at
    if since is None:
        modified_at = standing.version.modified_at
        return next((to for to, when in rule.transitions if when.has_come(modified_at, now)), None)
    return next((to for to, days in rule.noncurrent_transitions if since + timedelta(days=days) <= now), None)


def abort_due(rules: Sequence[Rule], upload: Upload, now: datetime) -> str | None:
    """The id of the rule by which an open upload is over."""
    tags = frozenset(upload.tags.items())
    for rule in rules:
        if rule.aborts is None or not rule.scope.covers(upload.key, tags, None):
            continue
        if rule.aborts.has_come(upload.initiated_at, now):
            return rule.rule_id
    return None
