"""A server of several workers, its processes, and connections that reach every one of them."""

from __future__ import annotations

import os
import re
import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import oss2

from tests.e2e.harness import children_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.harness import Server

COUNT = 2
WAIT_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Crew:
    server: Server

    @property
    def parent(self) -> int:
        assert self.server.process is not None
        return self.server.process.pid

    def workers(self) -> list[int]:
        """Process ids of the workers that there are."""
        return children_of(self.parent)

    def whole(self) -> Crew:
        """When all workers take connections."""
        until(lambda: self.metric("mossaic_workers") == COUNT, "all workers serve")
        return self

    def metric(self, name: str) -> float:
        """As one of the workers gives it; `name` with its labels."""
        page = self.server.request("GET", "/-/metrics")[2].decode()
        found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def client(self, bucket: str) -> oss2.Bucket:
        """With one connection of its own, which stays open."""
        auth = oss2.Auth(self.server.access_key_id, self.server.access_key_secret)
        return oss2.Bucket(auth, self.server.endpoint, bucket, session=oss2.Session(pool_size=1))

    def clients(self, bucket: str) -> list[oss2.Bucket]:
        """As many at each worker: a worker that has more connections than another takes no new one."""
        found = [self.client(bucket) for _ in range(2 * COUNT)]
        for client in found:
            client.create_bucket()
        return found

    def reload(self) -> None:
        os.kill(self.parent, signal.SIGHUP)

    def said(self, words: str) -> Callable[[], bool]:
        """Whether the log has more of them than now."""
        before = self.server.output.count(words)
        return lambda: self.server.output.count(words) > before


def until(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():
        assert time.monotonic() < deadline, f"{what}: not within {WAIT_S} s"
        time.sleep(0.02)
