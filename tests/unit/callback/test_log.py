"""What the callback log keeps: the last ones, and never more bytes than it may."""

from __future__ import annotations

from datetime import UTC, datetime

from mossaic.model.callback import CallbackSpec
from mossaic.service.callback_log import MAX_KEPT, CallbackLog, CallbackRecord


def a_record(key: str, *, bucket: str = "b", body: bytes = b"") -> CallbackRecord:
    return CallbackRecord(
        at=datetime(2026, 1, 1, tzinfo=UTC),
        bucket=bucket,
        key=key,
        upload_id=None,
        operation="PutObject",
        spec=CallbackSpec(targets=(), body=""),
        body=body,
        public_key_url="http://oss.example/-/callback-key.pem",
        tries=(),
        ok=True,
    )


def test_it_keeps_the_last_of_all_buckets_together() -> None:
    log = CallbackLog(2)
    for key, bucket in (("1", "a"), ("2", "b"), ("3", "a")):
        log.add(a_record(key, bucket=bucket))

    assert [record.key for record in log.of("a")] == ["3"]
    assert [record.key for record in log.of("b")] == ["2"]


def test_it_is_bounded_in_bytes() -> None:
    log = CallbackLog(1000)
    large = bytes(MAX_KEPT // 4)
    for number in range(10):
        log.add(a_record(str(number), body=large))

    assert [record.key for record in log.of("b")] == ["9", "8", "7"]


def test_one_that_is_too_large_alone_is_not_kept() -> None:
    log = CallbackLog(10)
    log.add(a_record("huge", body=bytes(MAX_KEPT)))
    log.add(a_record("next"))

    assert [record.key for record in log.of("b")] == ["next"]


def test_one_that_keeps_nothing() -> None:
    log = CallbackLog(0)
    record = a_record("k")
    log.add(record)

    assert (list(log.of("b")), log.find(record.id)) == ([], None)
