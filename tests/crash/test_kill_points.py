"""Kill -9 at every point of every step: what was answered is there, what was not is whole or absent, and all can go on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mossaic.service.fsck import fsck
from mossaic.stores.blobs import FileBlobs
from mossaic.stores.sql import SqliteMetadata
from tests.crash.story import BUCKET, FAR, KINDS, STORY, Actor, told
from tests.crash.strace import attached, need_strace
from tests.in_process import OWNER, app_over

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL


@dataclass
class Victim:
    """The process of `victim.py` and the folder its stores lie in."""

    process: subprocess.Popen[bytes]
    folder: Path

    def live(self, stop: int = 0) -> int:
        """Tell the story in a fresh database; how it ended."""
        self._send(stop=stop, traced=False)
        ended: int = self._hear()["ended"]
        return ended

    def live_traced(self, *options: str) -> int:
        """As `live`, under strace with these options."""
        self._send(stop=-1, traced=True)
        with attached(self._hear()["process"], *options):
            self._write(b"go\n")
            ended: int = self._hear()["ended"]
            return ended

    def _send(self, **order: object) -> None:
        for path in self.folder.iterdir():
            if path.is_file():
                path.unlink()
        self._write(json.dumps({"folder": str(self.folder)} | order).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def _hear(self) -> dict[str, int]:
        assert self.process.stdout is not None
        answer: dict[str, int] = json.loads(self.process.stdout.readline())
        return answer

    def journal(self) -> tuple[int, int]:
        """How many steps were begun, and how many were answered."""
        path = self.folder / "journal"
        words = path.read_text().split() if path.exists() else []
        return words.count("begin"), words.count("done")


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("victim")
    command = [sys.executable, "-m", "tests.crash.victim"]
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    yield Victim(process=process, folder=folder)
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(10) == 0
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def points(victim: Victim) -> list[tuple[int, str]]:
    """Step and name of every point, in order."""
    assert victim.live() == 0
    found = []
    index = 0
    for name in (victim.folder / "points").read_text().splitlines():
        if name.startswith("end "):
            index += 1
        else:
            found.append((index, name))
    assert index == len(STORY)
    return found


async def verify(victim: Victim, point: str = "") -> None:
    """Everything that has to hold after a kill, and after going on from there."""
    begun, done = victim.journal()
    metadata = SqliteMetadata.open(victim.folder / "metadata.db", sync=False, reader_grace_s=0)
    bucket = await metadata.bucket(BUCKET)
    if bucket is None:  # killed before the story began
        assert begun == 0
        await metadata.close()
        return
    blobs = FileBlobs(victim.folder / "blobs", sync=False)
    services = app_over(victim.folder, metadata, blobs)._services(OWNER)
    # long after: the lease of a sweeper that was killed has run out
    actor = Actor(services=services, metadata=metadata, blobs=blobs, bucket=bucket, now=FAR)

    state = await actor.look()

    assert state in (told(done), told(begun)), (point, state)
    if STORY[begun - 1].kind != "sweep" and point.partition(" ")[2] in ONE_STEP:
        # The metadata call is the commit: nothing is visible before it, everything after it.
        assert state == told(begun if point.startswith("after") else done), (point, state)
    assert (await fsck(metadata, blobs, read_bytes=True)).problems == [], point

    for index in range(begun if state == told(begun) else done, len(STORY)):
        await actor.do(index)
    await actor._sweep(STORY[-1], b"")
    report = await fsck(metadata, blobs, read_bytes=True)
    assert await actor.look() == told(len(STORY)), point
    assert (report.problems, report.unreferenced, report.garbage_count) == ([], [], 0), point
    assert len(list(blobs.list(before=FAR))) == report.blobs, point
    await metadata.close()


ONE_STEP = frozenset("put_object append_object delete_object create_upload put_part complete abort".split())


async def test_the_story_ends_as_it_is_told(victim: Victim, points: list[tuple[int, str]]) -> None:
    assert victim.journal() == (len(STORY), len(STORY))
    await verify(victim)
    names = {name.split()[-1] for _, name in points}
    assert names >= ONE_STEP | {"fdatasync", "fsync", "write", "unlink", "forget", "lease"}


@pytest.mark.parametrize("kind", KINDS)
async def test_kill_9_at_every_point_of(kind: str, victim: Victim, points: list[tuple[int, str]]) -> None:
    mine = [at for at, (index, _) in enumerate(points, 1) if STORY[index].kind == kind]
    assert mine

    for at in mine:
        index, name = points[at - 1]
        assert victim.live(at) == KILLED
        assert victim.journal() == (index + 1, index)
        await verify(victim, name)


# Inside SQLite the ports reach nothing: there the kernel's calls are counted by strace. A counter belongs to one thread, and
# all of SQLite's writes to the one that commits.
TRACED = {"fdatasync": 1, "pwrite64": 11}  # system call → every n-th of them


@pytest.mark.parametrize("call", TRACED)
async def test_kill_9_inside_the_metadata_store_at_every(call: str, victim: Victim) -> None:
    need_strace()
    files = [f"--trace-path={victim.folder / name}" for name in ("metadata.db", "metadata.db-wal")]
    killed = 0
    at = 1
    while True:
        ended = victim.live_traced("-f", *files, f"--inject={call}:signal=KILL:when={at}")
        await verify(victim, f"{call} {at}")
        if ended == 0:
            break
        assert ended == KILLED
        killed += 1
        at += TRACED[call]
    assert killed >= 15
    assert victim.journal() == (len(STORY), len(STORY))
