"""What Mossaic says of itself: one wide JSON line a request, and Prometheus counters and histograms.

No secret can be in a line: it holds names, numbers and codes, never a header, a query or a body.
"""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from dataclasses import fields
from typing import TYPE_CHECKING, Final

import msgspec
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import IO

    from mossaic.gateway.record import RequestRecord

_log = logging.getLogger(__name__)

SECONDS: Final = (
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
)


class AccessLog:
    """Appends a line a request, flushed at once so that a reader sees every answered request, even after kill -9.

    A log that cannot be written (a full disk, a pipe nobody reads) loses lines and says so once; it stops no request:
    what is to be logged has been done already.
    """

    def __init__(self, target: str, open_file: Callable[[str], IO[bytes]] | None = None) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._stream: IO[bytes] | None = None
        self._is_losing = False
        if target == "-":
            self._stream = sys.stdout.buffer
        elif target != "off":
            self._stream = (open_file or _open_append)(target)

    def write(self, record: RequestRecord) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(self._line(record) + b"\n")
            self._stream.flush()
        except OSError as error:
            if not self._is_losing:
                _log.error("the access log loses lines: %s", error)  # the trace would say nothing more
            self._is_losing = True
            return
        if self._is_losing:
            _log.info("the access log is written again")
            self._is_losing = False

    def _line(self, record: RequestRecord) -> bytes:
        try:
            return self._encode(record)
        except UnicodeEncodeError:  # names that are not UTF-8 are held as surrogate escapes
            said = {item.name: getattr(record, item.name) for item in fields(record)}
            return self._encode({name: _encodable(value) for name, value in said.items()})

    def close(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None and stream is not sys.stdout.buffer:
            with suppress(OSError):  # lines that found no room
                stream.close()


def _encodable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _open_append(path: str) -> IO[bytes]:
    return open(path, "ab")  # noqa: PTH123  # lives as long as the service


class Metrics:
    """The numbers under /-/metrics; names are documented in docs/operate.md."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "mossaic_requests", "Requests answered.", ("operation", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "mossaic_request_seconds",
            "Time to the end of the answer.",
            ("operation",),
            buckets=SECONDS,
            registry=self.registry,
        )
        self.bytes_in = Counter("mossaic_received_bytes", "Bytes of request bodies.", registry=self.registry)
        self.bytes_out = Counter("mossaic_sent_bytes", "Bytes of answers.", registry=self.registry)
        # Looking a series up by its labels costs more than counting.
        self._series: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A number that is read when the page is."""
        Gauge(name, help_text, registry=self.registry).set_function(read)

    def observe(self, record: RequestRecord) -> None:
        operation = record.operation or "none"
        place = (operation, record.status // 100)
        if place not in self._series:
            count = self.requests.labels(operation, f"{place[1]}xx")
            self._series[place] = (count, self.seconds.labels(operation))
        count, seconds = self._series[place]
        count.inc()
        seconds.observe(record.ms / 1000)
        if record.bytes_in:
            self.bytes_in.inc(record.bytes_in)
        if record.bytes_out:
            self.bytes_out.inc(record.bytes_out)

    def page(self) -> bytes:
        return generate_latest(self.registry)


def set_up_logging(level: str, file: Path | None = None) -> None:
    """Mossaic's own log: plain lines on standard error (or in a file); the access log is separate."""
    handler: logging.Handler = logging.FileHandler(file) if file else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("mossaic")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
