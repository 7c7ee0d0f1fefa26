"""From stacks to floors: which part of the house a sample belongs to, by the innermost of our own places."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

LOOP: Final = "event loop, with its receiving and sending"
OTHER: Final = "other"
IDLE: Final = "waiting"

# What a line does that is little but a call of the kernel or of a hash: (pattern of its text, group).
_LINES: Final = (
    (re.compile(r"\.recv(_into)?\(|\.readinto\("), "kernel: receive"),
    (re.compile(r"\bos\.sendfile\(|transport\.write|\.send(all|msg)?\("), "kernel: send"),
    (re.compile(r"\bos\.(pwrite|write|writev)\("), "kernel: write"),
    (re.compile(r"fdatasync|fsync|fallocate|sync_file_range|fadvise|write_back"), "kernel: reserve, sync"),
    (re.compile(r"\bos\.(open|close|link|rename|unlink|pread|fstat)\("), "kernel: open, read, close"),
    (re.compile(r"md5\(|md5_hex\(|\.update\(|digest\("), "MD5"),
    (re.compile(r"\bcrc64\(|_fastcrc"), "CRC-64"),
)
_HASHING_FILES: Final = ("service/intake.py", "protocol/checksum.py")
_KERNEL_FILES: Final = ("gateway/http/", "stores/blobs/")

# Floors by the beginning of a file's path under src/mossaic, the first that fits; with a function's name where a file has two.
_FLOORS: Final = (
    ("telemetry", "", "log and metrics"),
    ("gateway/record.py", "", "log and metrics"),
    ("gateway/http/", "", "framing"),
    ("threads.py", "", "framing"),
    ("gateway/message.py", "", "framing"),
    ("protocol/addressing.py", "", "address and route"),
    ("gateway/route.py", "", "address and route"),
    ("protocol/signing/", "", "signature"),
    ("service/identity.py", "", "signature"),
    ("gateway/admit.py", "authori", "policy"),
    ("gateway/admit.py", "polic", "policy"),
    ("gateway/admit.py", "", "signature"),
    ("model/policy", "", "policy"),
    ("model/bucket_policy", "", "policy"),
    ("model/identity.py", "", "policy"),
    ("stores/sql/", "", "store: metadata"),
    ("stores/blobs/", "", "store: files"),
    ("service/", "", "service"),
    ("model/", "", "service"),
    ("protocol/checksum.py", "", "service"),
    ("protocol/codec/", "", "decode and answer"),
    ("gateway/handlers/", "", "decode and answer"),
    ("gateway/plain_get.py", "", "decode and answer"),
    ("gateway/repeats/", "", "repeats"),
    ("gateway/translate.py", "", "decode and answer"),
    ("protocol/", "", "decode and answer"),
    ("gateway/", "", "pipeline"),
    ("app.py", "", "pipeline"),
    ("cli/", "", LOOP),
    ("workers.py", "run", LOOP),
)
_WAITS: Final = ("/threading.py", "/queue.py", "/concurrent/futures/thread.py")
_OUR_WAIT: Final = ("threads.py", "_run")  # for work
_OURS: Final = re.compile(r"(?:^|/)mossaic/(?P<path>.+)")


class Place(NamedTuple):
    """`text`: the line of source."""

    file: str
    function: str
    line: int
    text: str

    @property
    def path(self) -> str:
        """Under src/mossaic; "" for code of others."""
        found = _OURS.search(self.file)
        return found["path"] if found else ""


@dataclass(slots=True)
class Group:
    """CPU seconds, and of which places."""

    seconds: float = 0.0
    places: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def hottest(self, count: int) -> list[tuple[str, float]]:
        return sorted(self.places.items(), key=lambda found: -found[1])[:count]


def group_of(stack: Sequence[Place]) -> tuple[str, str]:
    """The group, and the place in it; innermost place first."""
    leaf = stack[0]
    ours = next((place for place in stack if place.path), None)
    if ours is None:
        return (IDLE if leaf.file.endswith(_WAITS) else LOOP), f"{leaf.function}"
    shown = f"{ours.path}:{ours.function}"
    waits = leaf is not ours and leaf.file.endswith(_WAITS)
    if waits or (ours.path, ours.function) == _OUR_WAIT:
        return IDLE, shown
    for pattern, group in _LINES:
        files = _KERNEL_FILES if group.startswith("kernel") else _HASHING_FILES
        if ours.path.startswith(files) and pattern.search(ours.text):
            return group, shown
    for beginning, function, group in _FLOORS:
        if ours.path.startswith(beginning) and function in ours.function:
            return group, shown
    return OTHER, shown


def grouped(stacks: Iterable[tuple[str, Sequence[Place], float]]) -> dict[str, Group]:
    """CPU seconds by group, most first. What a thread used while it was last seen waiting is shared out among what else the
    thread was seen doing: it woke and slept again between two looks."""
    by_thread: dict[str, dict[tuple[str, str], float]] = defaultdict(lambda: defaultdict(float))
    for thread, stack, seconds in stacks:
        if stack:
            by_thread[thread][group_of(stack)] += seconds
    groups: dict[str, Group] = defaultdict(Group)
    for found in by_thread.values():
        for (name, place), seconds in _shared_out(found).items():
            groups[name].seconds += seconds
            groups[name].places[place] += seconds
    return dict(sorted(groups.items(), key=lambda item: -item[1].seconds))


def _shared_out(found: Mapping[tuple[str, str], float]) -> dict[tuple[str, str], float]:
    busy = {key: seconds for key, seconds in found.items() if key[0] != IDLE}
    whole, known = sum(found.values()), sum(busy.values())
    if not known:
        return dict(found)
    return {key: seconds * whole / known for key, seconds in busy.items()}
