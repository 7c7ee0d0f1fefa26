"""A process that tells the story and dies where it is told to.

One order a line on standard input, `{"folder", "stop", "traced"}`; for each a fork opens the stores in that folder and does
the steps. It counts the points it passes: before and after every changing call of the ports, before, after and in the middle
of the system calls below the blob store. At point `stop` it kills itself with SIGKILL; 0 never stops, and leaves the list of
points. `folder/journal` says what was begun and done. The answer, one line, is how the fork ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mossaic.model.bucket import Bucket
from mossaic.protocol.limits import MIB
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from tests.crash.story import BUCKET, STORY, Actor
from tests.in_process import NOW, OWNER, app_over

if TYPE_CHECKING:
    from collections.abc import Callable

CHANGING = frozenset(
    "put_object append_object delete_object create_upload put_part complete abort garbage forget lease"
    " forget_receipts forget_leases".split()
)
_WRITE = os.write  # the journal is not part of the story


class Points:
    """Counts, and ends the process at the chosen one."""

    def __init__(self, stop: int) -> None:
        self._stop = stop
        self.passed: list[str] = []
        self.armed = False

    def reach(self, name: str) -> None:
        if not self.armed:
            return
        self.passed.append(name)
        if len(self.passed) == self._stop:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def stopping(*arguments: Any, **named: Any) -> Any:
            self.reach(f"before {name}")
            result = call(*arguments, **named)
            self.reach(f"after {name}")
            return result

        return stopping

    def around_async(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        async def stopping(*arguments: Any, **named: Any) -> Any:
            self.reach(f"before {name}")
            result = await call(*arguments, **named)
            self.reach(f"after {name}")
            return result

        return stopping

    def halving(self, write: Callable[[int, Any], int]) -> Callable[[int, Any], int]:
        """os.write as the kernel may do it: half, and the rest at the next call."""

        def stopping(descriptor: int, data: Any) -> int:
            if not self.armed:
                return write(descriptor, data)
            self.reach("before write")
            count = write(descriptor, data[: (len(data) + 1) // 2])
            self.reach("in the middle of write")
            return count + write(descriptor, data[count:])

        return stopping


class StoppingMetadata:
    """The real store; every changing call is two points."""

    def __init__(self, store: SqliteMetadata, points: Points) -> None:
        self._store = store
        self._points = points

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._store, name)
        return self._points.around_async(name, call) if name in CHANGING else call


def live(folder: Path, stop: int) -> None:
    points = Points(stop)
    for name in ("fdatasync", "fsync", "unlink", "ftruncate"):
        setattr(os, name, points.around(name, getattr(os, name)))
    os.write = points.halving(os.write)
    journal = os.open(folder / "journal", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    async def tell() -> None:
        store = SqliteMetadata.open(folder / "metadata.db", reader_grace_s=0)
        await store.create_bucket(
            Bucket(name=BUCKET, region="cn-hangzhou", owner_id=OWNER, created_at=NOW), quota=10
        )
        bucket = await store.bucket(BUCKET)
        assert bucket is not None
        # Room in the log is made in another thread, at some moment after a commit: after one of these, not within the story.
        for number in range(20):
            await store.put_setting(f"filling {number}", "x" * 9_000)  # one that is there stays as it is
        await store._database.write(lambda _: None)
        assert (folder / "metadata.db-wal").stat().st_size > 4 * MIB
        metadata: Any = StoppingMetadata(store, points)
        blobs = FileBlobs(folder / "blobs")
        blobs.prepare()  # else where a point lies would depend on which folders the first blobs happen to be in
        services = app_over(folder, metadata, blobs)._services(OWNER)
        actor = Actor(services=services, metadata=metadata, blobs=blobs, bucket=bucket)
        for index in range(len(STORY)):
            _WRITE(journal, f"begin {index}\n".encode())
            points.armed = True
            await actor.do(index)
            points.armed = False
            _WRITE(journal, f"done {index}\n".encode())
            points.passed += [f"end {index}"] if stop == 0 else []
        await store.close()

    asyncio.run(tell())
    if stop == 0:
        (folder / "points").write_text("\n".join(points.passed))


def _line() -> bytes:
    """One line of standard input, not a byte more: the fork reads the next."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def _say(**answer: object) -> None:
    _WRITE(1, json.dumps(answer).encode() + b"\n")


def main() -> None:
    while line := _line():
        order = json.loads(line)
        process = os.fork()
        if process == 0:
            if order["traced"]:
                _say(process=os.getpid())
                _line()  # the tracer is there
            try:
                live(Path(order["folder"]), order["stop"])
            except BaseException:
                sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]  # there is one
                os._exit(1)
            os._exit(0)
        status = os.waitpid(process, 0)[1]
        _say(ended=os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
