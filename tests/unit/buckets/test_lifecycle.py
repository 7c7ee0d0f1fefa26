"""Lifecycle rules: what may be put, and what is due when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model import lifecycle
from mossaic.model.bucket import Bucket
from mossaic.model.lifecycle import Action, Due, Standing
from mossaic.model.lifecycle_check import check_together
from mossaic.model.names import BucketName, ObjectKey, UploadId, VersionId
from mossaic.model.object import ObjectType, ObjectVersion, StorageClass
from mossaic.model.upload import Upload
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations.settings import (
    LifecycleAbort,
    LifecycleConfiguration,
    LifecycleExpiration,
    LifecycleFilter,
    LifecycleNot,
    LifecycleRule,
    LifecycleTransition,
    NoncurrentExpiration,
    NoncurrentTransition,
    Tag,
)

NOW = datetime(2026, 3, 5, 12, 0, 0, tzinfo=UTC)
DAYS_3 = LifecycleRule(rule_id="r", prefix="log/", status="Enabled", expiration=LifecycleExpiration(days=3))


def a_bucket(*rules: LifecycleRule) -> Bucket:
    text = lifecycle.checked(LifecycleConfiguration(rules=rules), allow_overlap=True)
    return Bucket(
        name=BucketName("plain"),
        region="r",
        owner_id="1",
        created_at=NOW,
        documents={"lifecycle": text},
    )


def a_version(*, age: timedelta = timedelta(days=3), **changed: object) -> ObjectVersion:
    version = ObjectVersion(
        bucket=BucketName("plain"), key=ObjectKey("log/a"), modified_at=NOW - age, size=100, etag="E"
    )
    return replace(version, **changed)  # type: ignore[arg-type]


def due(rule: LifecycleRule, version: ObjectVersion, **standing: object) -> Due | None:
    stands = Standing(version=version, tags=version.tags, **standing)  # type: ignore[arg-type]
    return lifecycle.due(lifecycle.load(a_bucket(rule)), stands, NOW)


# --- what is due --------------------------------------------------------------------------------------------------------


def test_an_object_expires_when_its_days_are_over_and_not_before() -> None:
    assert due(DAYS_3, a_version(age=timedelta(days=3))) == Due(action=Action.EXPIRE, rule_id="r")
    assert due(DAYS_3, a_version(age=timedelta(days=3) - timedelta(seconds=1))) is None


def test_a_disabled_rule_does_nothing() -> None:
    assert due(replace(DAYS_3, status="Disabled"), a_version()) is None


def test_only_the_prefix_is_concerned() -> None:
    assert due(DAYS_3, a_version(key=ObjectKey("logs"))) is None


def test_created_before_date_takes_what_is_older_than_the_date() -> None:
    rule = replace(
        DAYS_3, expiration=LifecycleExpiration(created_before=f"{NOW - timedelta(days=5):%Y-%m-%dT00:00:00Z}")
    )

    assert due(rule, a_version(age=timedelta(days=6))) is not None
    assert due(rule, a_version(age=timedelta(days=5))) is None


def test_the_older_date_waits_for_its_day() -> None:
    tomorrow = f"{NOW + timedelta(days=1):%Y-%m-%dT00:00:00.000Z}"
    today = f"{NOW:%Y-%m-%dT00:00:00.000Z}"

    assert due(replace(DAYS_3, expiration=LifecycleExpiration(date=tomorrow)), a_version()) is None
    assert due(replace(DAYS_3, expiration=LifecycleExpiration(date=today)), a_version()) is not None


def test_all_tags_must_be_there() -> None:
    rule = replace(DAYS_3, tags=(Tag(key="a", value="1"), Tag(key="b", value="2")))

    assert due(rule, a_version(tags={"a": "1", "b": "2", "c": "3"})) is not None
    assert due(rule, a_version(tags={"a": "1", "b": "x"})) is None


def test_sizes_are_exclusive_bounds() -> None:
    rule = replace(DAYS_3, filter=LifecycleFilter(size_greater_than=99, size_less_than=101))

    assert due(rule, a_version(size=100)) is not None
    assert due(rule, a_version(size=99)) is None
    assert due(rule, a_version(size=101)) is None


def test_exceptions_are_left_out() -> None:
    out = LifecycleFilter(
        nots=(LifecycleNot(prefix="log/keep"), LifecycleNot(prefix="log/", tag=Tag(key="k", value="v")))
    )
    rule = replace(DAYS_3, filter=out)

    assert due(rule, a_version()) is not None
    assert due(rule, a_version(key=ObjectKey("log/keep/1"))) is None
    assert due(rule, a_version(tags={"k": "v"})) is None


def test_a_transition_goes_to_the_coldest_class_that_is_due_and_never_back() -> None:
    rule = replace(
        DAYS_3,
        expiration=None,
        transitions=(
            LifecycleTransition(days=10, storage_class="Archive"),
            LifecycleTransition(days=2, storage_class="IA"),
        ),
    )

    def to(age: int, storage_class: StorageClass = StorageClass.STANDARD) -> StorageClass | None:
        found = due(rule, a_version(age=timedelta(days=age), storage_class=storage_class))
        return None if found is None else found.storage_class

    assert to(1) is None
    assert to(3) is StorageClass.IA
    assert to(3, StorageClass.IA) is None
    assert to(10, StorageClass.IA) is StorageClass.ARCHIVE
    assert to(10, StorageClass.COLD_ARCHIVE) is None


def test_a_superseded_version_counts_from_when_it_was_superseded() -> None:
    rule = replace(DAYS_3, expiration=None, noncurrent_expiration=NoncurrentExpiration(noncurrent_days=3))
    old = a_version(age=timedelta(days=100), version_id=VersionId("v1"), is_latest=False)

    assert due(rule, old, superseded_at=NOW - timedelta(days=2)) is None
    assert due(rule, old, superseded_at=NOW - timedelta(days=3)) == Due(action=Action.REMOVE, rule_id="r")
    assert due(rule, a_version(age=timedelta(days=100))) is None
    assert due(DAYS_3, old, superseded_at=NOW - timedelta(days=50)) is None


def test_a_superseded_version_is_relabelled_by_its_own_transitions() -> None:
    rule = replace(
        DAYS_3, noncurrent_transitions=(NoncurrentTransition(noncurrent_days=1, storage_class="IA"),)
    )

    found = due(rule, a_version(is_latest=False), superseded_at=NOW - timedelta(days=1))

    assert found == Due(action=Action.RELABEL, rule_id="r", storage_class=StorageClass.IA)


def test_a_delete_marker_goes_only_when_nothing_is_left_under_it() -> None:
    rule = replace(DAYS_3, expiration=LifecycleExpiration(expired_object_delete_marker=True))
    marker = a_version(type=ObjectType.DELETE_MARKER, size=0, etag="")

    assert due(rule, marker) is None
    assert due(rule, marker, is_lone_marker=True) == Due(action=Action.REMOVE, rule_id="r")
    assert due(DAYS_3, marker, is_lone_marker=True) is None
    assert due(rule, a_version()) is None


def test_an_upload_is_over_by_its_start() -> None:
    rule = replace(DAYS_3, expiration=None, abort_upload=LifecycleAbort(days=1))
    upload = Upload(
        upload_id=UploadId("U"),
        bucket=BucketName("plain"),
        key=ObjectKey("log/big"),
        initiated_at=NOW - timedelta(days=1),
        initiator="1",
    )
    rules = lifecycle.load(a_bucket(rule))

    assert lifecycle.abort_due(rules, upload, NOW) == "r"
    assert lifecycle.abort_due(rules, upload, NOW - timedelta(seconds=1)) is None
    assert lifecycle.abort_due(rules, replace(upload, key=ObjectKey("other")), NOW) is None


# --- what may be put ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"status": "enabled"}, "MalformedXML"),
        ({"rule_id": "x" * 256}, "InvalidArgument"),
        ({"expiration": None}, "InvalidArgument"),
        ({"expiration": LifecycleExpiration()}, "MalformedXML"),
        ({"expiration": LifecycleExpiration(expired_object_delete_marker=False)}, "MalformedXML"),
        ({"expiration": LifecycleExpiration(days=1, date="2026-01-01T00:00:00.000Z")}, "MalformedXML"),
        ({"expiration": LifecycleExpiration(days=1, expired_object_delete_marker=True)}, "MalformedXML"),
        ({"expiration": LifecycleExpiration(days=0)}, "InvalidArgument"),
        ({"expiration": LifecycleExpiration(days=10**9)}, "InvalidArgument"),
        ({"expiration": LifecycleExpiration(date="2026-01-01T01:00:00.000Z")}, "InvalidArgument"),
        ({"expiration": LifecycleExpiration(created_before="yesterday")}, "InvalidArgument"),
        ({"tags": (Tag(key="a" * 129),)}, "InvalidArgument"),
        ({"transitions": (LifecycleTransition(days=1, storage_class="Standard"),)}, "InvalidArgument"),
        ({"transitions": (LifecycleTransition(days=3, storage_class="IA"),)}, "InvalidArgument"),
        (
            {"transitions": (LifecycleTransition(days=1, storage_class="IA", is_access_time=True),)},
            "NotImplemented",
        ),
        (
            {
                "expiration": None,
                "transitions": (
                    LifecycleTransition(days=30, storage_class="IA"),
                    LifecycleTransition(days=30, storage_class="Archive"),
                ),
            },
            "InvalidArgument",
        ),
        ({"noncurrent_expiration": NoncurrentExpiration(noncurrent_days=0)}, "InvalidArgument"),
        ({"filter": LifecycleFilter(size_greater_than=5, size_less_than=5)}, "InvalidArgument"),
        ({"filter": LifecycleFilter(nots=(LifecycleNot(prefix="other/"),))}, "InvalidArgument"),
    ],
)
def test_a_bad_rule_is_refused(changed: dict[str, object], code: str) -> None:
    rule = replace(DAYS_3, **changed)  # type: ignore[arg-type]

    with pytest.raises(OssError) as refused:
        lifecycle.checked(LifecycleConfiguration(rules=(rule,)), allow_overlap=False)

    assert refused.value.code == code


def test_days_and_dates_do_not_mix_in_a_rule() -> None:
    rule = replace(DAYS_3, abort_upload=LifecycleAbort(created_before="2026-01-01T00:00:00.000Z"))

    with pytest.raises(OssError) as refused:
        lifecycle.checked(LifecycleConfiguration(rules=(rule,)), allow_overlap=False)

    assert (refused.value.code, refused.value.ec) == ("InvalidRequest", "0014-00000080")


def test_there_are_1_to_1000_rules() -> None:
    for rules in ((), tuple(replace(DAYS_3, rule_id=str(n), prefix=f"p{n:04}/") for n in range(1001))):
        with pytest.raises(OssError):
            lifecycle.checked(LifecycleConfiguration(rules=rules), allow_overlap=False)


def test_rules_of_one_action_may_overlap_only_when_it_is_allowed() -> None:
    longer = replace(DAYS_3, rule_id="s", prefix="log/a/")
    other_action = replace(longer, expiration=None, abort_upload=LifecycleAbort(days=1))
    other_tags = replace(longer, tags=(Tag(key="a", value="1"),))

    with pytest.raises(OssError) as refused:
        check_together((DAYS_3, longer), allow_overlap=False)
    assert refused.value.code == "InvalidArgument"
    check_together((DAYS_3, longer), allow_overlap=True)
    check_together((DAYS_3, other_action), allow_overlap=False)
    check_together((DAYS_3, other_tags), allow_overlap=False)


def test_ids_are_unique_and_made_when_they_are_missing() -> None:
    nameless = replace(DAYS_3, rule_id=None, prefix="tmp/")

    rules = lifecycle.load(a_bucket(DAYS_3, nameless, replace(nameless, prefix="x/")))

    assert len({rule.rule_id for rule in rules}) == 3
    assert all(rule.rule_id for rule in rules)
    with pytest.raises(OssError):
        check_together((DAYS_3, replace(DAYS_3, prefix="b")), allow_overlap=True)


@given(prefixes=st.lists(st.text(alphabet="ab/", max_size=4), min_size=2, max_size=8))
def test_overlap_is_found_exactly_when_one_prefix_begins_with_another(prefixes: list[str]) -> None:
    rules = tuple(replace(DAYS_3, rule_id=str(n), prefix=prefix) for n, prefix in enumerate(prefixes))
    overlap = any(
        one.startswith(other)
        for at, one in enumerate(prefixes)
        for place, other in enumerate(prefixes)
        if at != place
    )

    if not overlap:
        check_together(rules, allow_overlap=False)
        return
    with pytest.raises(OssError):
        check_together(rules, allow_overlap=False)
