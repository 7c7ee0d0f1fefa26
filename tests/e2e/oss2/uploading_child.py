"""Run as a process: a resumable oss2 upload that stands still after some parts, so that a test can kill it.

Arguments: endpoint, key id, key secret, bucket, key, file, checkpoint directory, parts before standing still.
"""

from __future__ import annotations

import sys
import threading

import oss2

PART = 102_400


def main() -> None:
    endpoint, key_id, secret, bucket, key, file, checkpoints, halt_after = sys.argv[1:]

    def progress(done: int, total: int | None) -> None:
        del total
        if done >= int(halt_after) * PART:
            sys.stdout.write("halted\n")
            sys.stdout.flush()
            threading.Event().wait()

    oss2.resumable_upload(
        oss2.Bucket(oss2.AuthV4(key_id, secret), endpoint, bucket, region="cn-hangzhou"),
        key,
        file,
        store=oss2.ResumableStore(root=checkpoints),
        multipart_threshold=PART,
        part_size=PART,
        num_threads=1,
        progress_callback=progress,
    )


if __name__ == "__main__":
    main()
