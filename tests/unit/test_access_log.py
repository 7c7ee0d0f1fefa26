"""The access log serves the service, not the other way round: a log that cannot be written costs lines, never answers."""

from __future__ import annotations

import errno
import io
import json
import logging
import select
from typing import TYPE_CHECKING

from mossaic.gateway.record import RequestRecord
from mossaic.telemetry import AccessLog

if TYPE_CHECKING:
    import pytest
    from _typeshed import ReadableBuffer


class Disk(io.RawIOBase):
    """A file that takes bytes while there is room."""

    def __init__(self) -> None:
        self.kept = b""
        self.writes: list[bytes] = []
        self.full = False

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        given = bytes(data)
        self.kept += given
        self.writes.append(given)
        return len(given)


def given_log(disk: Disk) -> AccessLog:
    return AccessLog("access.log", open_file=lambda _: io.BufferedWriter(disk))


def put(log: AccessLog, *records: RequestRecord) -> None:
    for record in records:
        log.add(record)
    log.flush()


def paths(disk: Disk) -> list[str]:
    return [json.loads(line)["path"] for line in disk.kept.splitlines()]


def test_a_log_that_cannot_be_written_stops_no_request(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    log = given_log(disk)
    put(log, RequestRecord(path="/before"))

    disk.full = True
    with caplog.at_level(logging.INFO, "mossaic"):
        for number in range(1_000):
            put(log, RequestRecord(path=f"/lost-{number}"))
        disk.full = False
        put(log, RequestRecord(path="/after"))

    assert paths(disk)[0] == "/before"
    assert paths(disk)[-1] == "/after"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, "once when it begins, once when it is over"
    assert "No space left on device" in said[0]


def test_what_finishes_after_the_log_was_closed_is_dropped() -> None:
    disk = Disk()
    log = given_log(disk)

    log.close()
    put(log, RequestRecord(path="/late"))

    assert paths(disk) == []


def test_closing_a_log_on_a_full_disk_is_quiet() -> None:
    disk = Disk()
    log = given_log(disk)
    disk.full = True
    put(log, RequestRecord(path="/lost"))

    log.close()


def test_lines_of_requests_in_step_are_one_write() -> None:
    disk = Disk()
    log = given_log(disk)
    log.add(RequestRecord(path="/one"))
    log.add(RequestRecord(path="/two"))
    assert not disk.writes

    log.flush()
    log.flush()

    assert paths(disk) == ["/one", "/two"]
    assert len(disk.writes) == 1


def test_no_write_is_so_long_that_a_pipe_could_mix_it_with_anothers() -> None:
    disk = Disk()
    log = given_log(disk)
    given = [f"/{'x' * (37 * number % 900)}" for number in range(100)]

    put(log, *(RequestRecord(path=path) for path in given))

    assert paths(disk) == given
    assert all(write.endswith(b"\n") for write in disk.writes), "whole lines"
    assert max(map(len, disk.writes)) <= select.PIPE_BUF
    assert len(disk.writes) < 30


def test_a_line_that_is_longer_goes_alone() -> None:
    disk = Disk()
    log = given_log(disk)

    put(log, RequestRecord(path="/a"), RequestRecord(path=f"/{'b' * 5_000}"), RequestRecord(path="/c"))

    assert [len(path) for path in paths(disk)] == [2, 5_001, 2]
    assert len(disk.writes) == 3


def test_closing_writes_what_is_left() -> None:
    disk = Disk()
    log = given_log(disk)
    log.add(RequestRecord(path="/last"))

    log.close()

    assert paths(disk) == ["/last"]
