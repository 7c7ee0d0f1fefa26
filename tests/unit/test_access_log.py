"""The access log serves the service, not the other way round: a log that cannot be written costs lines, never answers."""

from __future__ import annotations

import errno
import io
import json
import logging
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
        self.full = False

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")
        given = bytes(data)
        self.kept += given
        return len(given)


def given_log(disk: Disk) -> AccessLog:
    return AccessLog("access.log", open_file=lambda _: io.BufferedWriter(disk))


def paths(disk: Disk) -> list[str]:
    return [json.loads(line)["path"] for line in disk.kept.splitlines()]


def test_a_log_that_cannot_be_written_stops_no_request(caplog: pytest.LogCaptureFixture) -> None:
    disk = Disk()
    log = given_log(disk)
    log.write(RequestRecord(path="/before"))

    disk.full = True
    with caplog.at_level(logging.INFO, "mossaic"):
        for number in range(1_000):
            log.write(RequestRecord(path=f"/lost-{number}"))
        disk.full = False
        log.write(RequestRecord(path="/after"))

    assert paths(disk)[0] == "/before"
    assert paths(disk)[-1] == "/after"
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == 2, "once when it begins, once when it is over"
    assert "No space left on device" in said[0]


def test_what_finishes_after_the_log_was_closed_is_dropped() -> None:
    disk = Disk()
    log = given_log(disk)

    log.close()
    log.write(RequestRecord(path="/late"))

    assert paths(disk) == []


def test_closing_a_log_on_a_full_disk_is_quiet() -> None:
    disk = Disk()
    log = given_log(disk)
    disk.full = True
    log.write(RequestRecord(path="/lost"))

    log.close()
