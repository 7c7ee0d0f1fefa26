"""The `mossaic` command in a process of its own, and what the server's log tells of the parts that were sent."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.e2e.ali_oss.support import logged, parts_put
from tests.e2e.harness import PART

if TYPE_CHECKING:
    import oss2

    from tests.e2e.harness import Server

SAVED = Path(__file__).resolve().with_name("saved.js")
PARTS = 20
SIZE = PARTS * PART - 5
EVERY_PART = list(range(1, PARTS + 1))
KEY = "photos/big 钥+%.bin"
RUN_S = 120
_SLOW = "300k"  # bytes a second: seconds are left to stop it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended: its exit code, its lines on standard output, and its words on standard error."""

    code: int
    out: str
    err: str

    def last(self) -> dict[str, Any]:
        record: dict[str, Any] = json.loads(self.out.splitlines()[-1])
        return record


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """A person's shell: `home` holds the journals, so another `home` is another machine."""

    server: Server
    home: Path

    def env(self) -> dict[str, str]:
        ours = ("OSS_", "MOSSAIC_", "ALIBABA_", "NO_COLOR")
        clean = {name: text for name, text in os.environ.items() if not name.startswith(ours)}
        return clean | {
            "OSS_ACCESS_KEY_ID": self.server.access_key_id,
            "OSS_ACCESS_KEY_SECRET": self.server.access_key_secret,
            "MOSSAIC_ENDPOINT": self.server.endpoint,
            "MOSSAIC_STATE_DIR": str(self.home / "state"),
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
        }

    def run(self, *arguments: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "mossaic", *arguments],
            env=self.env(), capture_output=True, text=True, timeout=RUN_S, check=False,
        )  # fmt: skip
        return Ran(code=done.returncode, out=done.stdout, err=done.stderr)

    def ok(self, *arguments: str) -> Ran:
        ran = self.run(*arguments)
        assert ran.code == 0, ran.err
        return ran

    def cp_stopped(self, file: Path, bucket: oss2.Bucket, *, by: signal.Signals, after: int = 3) -> str:
        """`mossaic cp FILE oss://bucket/KEY`, ended by a signal once `after` parts are stored; the upload id."""
        command = [
            sys.executable, "-m", "mossaic", "cp", str(file), f"oss://{bucket.bucket_name}/{KEY}", "--part-size", str(PART),
            "--parallel", "2", "--bwlimit", _SLOW, "--json", "--every", "0.1",
        ]  # fmt: skip
        with subprocess.Popen(command, env=self.env(), stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if json.loads(line).get("parts_done", 0) >= after:
                    process.send_signal(by)
                    break
            process.stdout.read()
            code = process.wait(RUN_S)
        assert code == (130 if by == signal.SIGINT else -by)
        (begun,) = bucket.list_multipart_uploads().upload_list
        upload_id: str = begun.upload_id
        return upload_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The parts of an upload that were stored when this was made."""

    server: Server
    upload_id: str
    before: tuple[int, ...]

    @classmethod
    def so_far(cls, server: Server, upload_id: str) -> Sent:
        return cls(server=server, upload_id=upload_id, before=tuple(parts_put(server, upload_id)))

    def since(self) -> list[int]:
        """Numbers of the parts that were stored after that, repeats included, sorted."""
        return sorted(parts_put(self.server, self.upload_id)[len(self.before) :])

    def attempts(self) -> int:
        """Requests for parts of this upload, whatever became of them."""
        return len(logged(self.server, "UploadPart", upload_id=self.upload_id))

    def assert_only_missing_parts_follow(self) -> None:
        # A part in the air at the stop may land after `before` was taken: it is not among those that were stored.
        after = self.since()
        assert 0 < len(self.before) < PARTS
        assert not set(self.before) & set(after)
        assert sorted({*self.before, *after}) == EVERY_PART, (self.before, after)
