"""What a test asks the service beside the page: what is stored, and which parts were sent."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import oss2

from tests.faults.proxy import Rule

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.engine.driver import Engine
    from tests.e2e.harness import Server
    from tests.faults.proxy import FaultProxy, Seen

HOLD_S = 20
FREED_S = 15


def direct(server: Server, bucket: str) -> oss2.Bucket:
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    return oss2.Bucket(auth, server.endpoint, bucket)


def object_crc(server: Server, bucket: str, key: str) -> int:
    """The service computes it from the bytes it stored."""
    return int(direct(server, bucket).head_object(key).headers["x-oss-hash-crc64ecma"])


def unfinished(server: Server, bucket: str) -> list[str]:
    return [upload.upload_id for upload in direct(server, bucket).list_multipart_uploads().upload_list]


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether it holds before the deadline; what frees space in the service does so by itself."""
    deadline = time.monotonic() + FREED_S
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


@dataclass
class Held:
    """A gate in the proxy: requests that match wait in it with their bodies unread, until `open`."""

    gate: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Event = field(default_factory=threading.Event)

    def wait(self, _: Seen) -> None:
        self.arrived.set()
        self.gate.wait(HOLD_S)

    def open(self) -> None:
        self.gate.set()


def hold(proxy: FaultProxy, pattern: str, *, times: int = 99) -> Held:
    held = Held()
    proxy.add(Rule(pattern=pattern, times=times, call=held.wait))
    return held


def after(proxy: FaultProxy, part: int) -> Held:
    """Parts above `part` come to a stand in the proxy."""
    held = Held()
    proxy.add(
        Rule(
            pattern="^PUT .*partNumber=",
            times=99,
            when=lambda seen: (seen.part_number or 0) > part,
            call=held.wait,
        )
    )
    return held


def stand(
    engine: Engine, proxy: FaultProxy, *, parts: int = 4, key: str = "big.bin", **options: object
) -> Held:
    """Begin an upload that comes to a stand once `parts` parts are stored, with others in flight."""
    held = after(proxy, parts)
    engine.add(key, **{"partSize": 1024 * 1024, "parallel": 2, **options})
    engine.until(f"task.stored >= {parts * 1024 * 1024}")
    return held
