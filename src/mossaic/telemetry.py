"""What Mossaic says of itself: one wide JSON line a request, and Prometheus counters and histograms.

No secret can be in a line: it holds names, numbers and codes, never a header, a query or a body.
"""

from __future__ import annotations

import logging
import sys
from bisect import bisect_left
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import IO

    from prometheus_client import Metric

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


_ATOMIC: Final = 4096  # bytes that are written to a pipe in one piece; longer ones of several workers could be mixed (PIPE_BUF, pipe(7))


class AccessLog:
    """Appends a line a request. It is in the file when `flush` returns, which is before its answer leaves: a reader sees every
    answered request, even after kill -9.

    A log that cannot be written (a full disk, a pipe nobody reads) loses lines and says so once; it stops no request:
    what is to be logged has been done already.
    """

    def __init__(self, target: str, open_file: Callable[[str], IO[bytes]] | None = None) -> None:
        self._encode = msgspec.json.Encoder().encode
        self._stream: IO[bytes] | None = None
        self._lines: list[bytes] = []  # that are not in the file yet
        self._is_losing = False
        if target == "-":
            self._stream = sys.stdout.buffer
        elif target != "off":
            self._stream = (open_file or _open_append)(target)

    def add(self, record: RequestRecord) -> None:
        if self._stream is not None:
            self._lines.append(self._line(record))

    def flush(self) -> None:
        if not self._lines or self._stream is None:
            return
        lines, self._lines = self._lines, []
        try:
            for piece in _pieces(lines):
                self._stream.write(piece)
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
            said = msgspec.structs.asdict(record)
            return self._encode({name: _encodable(value) for name, value in said.items()})

    def close(self) -> None:
        self.flush()
        stream, self._stream = self._stream, None
        if stream is not None and stream is not sys.stdout.buffer:
            with suppress(OSError):  # lines that found no room
                stream.close()


def _pieces(lines: list[bytes]) -> Iterator[bytes]:
    """Whole lines, each with its end, as many as are written at once."""
    piece: list[bytes] = []
    size = 0
    for line in lines:
        size += len(line) + 1
        if size > _ATOMIC and piece:
            yield b"\n".join((*piece, b""))
            piece, size = [], len(line) + 1
        piece.append(line)
    yield b"\n".join((*piece, b""))


def _encodable(value: object) -> object:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def _open_append(path: str) -> IO[bytes]:
    return open(path, "ab")  # noqa: PTH123  # lives as long as the service


class Recorder:
    """`gateway.record.Recorder`: the log and the metrics."""

    def __init__(self, log: AccessLog, metrics: Metrics) -> None:
        self._log = log
        self._metrics = metrics

    def add(self, record: RequestRecord) -> None:
        self._log.add(record)
        self._metrics.observe(record)

    def flush(self) -> None:
        self._log.flush()


class _Series:
    """Requests of one operation and status class. `buckets` counts each request in the first bucket that holds it."""

    __slots__ = ("buckets", "count", "seconds")

    def __init__(self) -> None:
        self.count = 0
        self.seconds = 0.0
        self.buckets = [0] * (len(SECONDS) + 1)


# Bytes in and out; of each series its operation, hundreds of the status, count, seconds and buckets.
_Snapshot = tuple[int, int, list[tuple[str, int, int, float, list[int]]]]


class Metrics:
    """The numbers under /-/metrics; names are documented in docs/operate.md.

    Counted in plain numbers on the event loop and made into Prometheus' families when somebody asks: its own counters take a lock
    and four calls each. `others`: snapshots of the counts of other processes, which the page adds to its own.
    """

    def __init__(self, others: Callable[[], Sequence[bytes]] = tuple) -> None:
        self._others = others
        self._gauges: list[tuple[str, str, Callable[[], float]]] = []
        self._series: dict[tuple[str, int], _Series] = {}  # by operation and hundreds of the status
        self._bytes_in = 0
        self._bytes_out = 0

    def gauge(self, name: str, help_text: str, read: Callable[[], float]) -> None:
        """A number that is read when the page is."""
        self._gauges.append((name, help_text, read))

    def observe(self, record: RequestRecord) -> None:
        place = (record.operation or "none", record.status // 100)
        series = self._series.get(place)
        if series is None:
            series = self._series[place] = _Series()
        seconds = record.ms / 1000
        series.count += 1
        series.seconds += seconds
        series.buckets[bisect_left(SECONDS, seconds)] += 1
        self._bytes_in += record.bytes_in
        self._bytes_out += record.bytes_out

    def snapshot(self) -> bytes:
        """All counts, for `add`."""
        series = [(*place, one.count, one.seconds, one.buckets) for place, one in self._series.items()]
        return msgspec.msgpack.encode((self._bytes_in, self._bytes_out, series))

    def add(self, snapshot: bytes) -> None:
        """Count what another process counted, too."""
        if not snapshot:
            return
        found = msgspec.msgpack.decode(snapshot, type=_Snapshot)
        self._bytes_in += found[0]
        self._bytes_out += found[1]
        for operation, hundreds, count, seconds, buckets in found[2]:
            series = self._series.setdefault((operation, hundreds), _Series())
            series.count += count
            series.seconds += seconds
            series.buckets = list(map(int.__add__, series.buckets, buckets))

    def collect(self) -> Iterator[Metric]:
        """For the registry."""
        from prometheus_client.core import GaugeMetricFamily  # noqa: PLC0415  # costs each start 30 ms, and most are never asked

        for name, help_text, read in self._gauges:
            yield GaugeMetricFamily(name, help_text, read())
        everybody = Metrics()
        for snapshot in (self.snapshot(), *self._others()):
            everybody.add(snapshot)
        yield from everybody._families()

    def _families(self) -> Iterator[Metric]:
        from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily  # noqa: PLC0415  # as above

        requests = CounterMetricFamily(
            "mossaic_requests", "Requests answered.", labels=("operation", "status")
        )
        times = HistogramMetricFamily(
            "mossaic_request_seconds", "Time to the end of the answer.", labels=("operation",)
        )
        together: dict[str, _Series] = {}
        for (operation, hundreds), series in self._series.items():
            requests.add_metric((operation, f"{hundreds}xx"), series.count)
            total = together.setdefault(operation, _Series())
            total.seconds += series.seconds
            total.buckets = list(map(int.__add__, total.buckets, series.buckets))
        bounds = [*(str(bound) for bound in SECONDS), "+Inf"]
        for operation, total in together.items():
            buckets = list(zip(bounds, accumulate(total.buckets), strict=True))
            times.add_metric((operation,), buckets, total.seconds)
        yield requests
        yield times
        yield CounterMetricFamily("mossaic_received_bytes", "Bytes of request bodies.", self._bytes_in)
        yield CounterMetricFamily("mossaic_sent_bytes", "Bytes of answers.", self._bytes_out)

    def page(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest  # noqa: PLC0415  # as above

        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)


def set_up_logging(level: str, file: Path | None = None) -> None:
    """Mossaic's own log: plain lines on standard error (or in a file); the access log is separate."""
    handler: logging.Handler = logging.FileHandler(file) if file else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("mossaic")
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    root.propagate = False
