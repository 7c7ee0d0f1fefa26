"""A program that uploads one file and tells what happened, to be killed: ENDPOINT BUCKET KEY SOURCE STATE_DIR [RETRIES].

Prints a JSON line for each event but `part`, and one with the result. Exit code 130 after Ctrl-C, 1 after an error of the SDK.
SOURCE `-` reads standard input.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.errors import MossaicError
from mossaic.client.options import Retry
from mossaic.client.store import File

if TYPE_CHECKING:
    from mossaic.client.upload.task import Event

PART = 102_400


def say(**fields: Any) -> None:
    sys.stdout.write(json.dumps(fields, default=str) + "\n")
    sys.stdout.flush()


def tell(event: Event) -> None:
    if event.kind != "part":
        say(event=event.kind, **event.about)


def main(endpoint: str, bucket: str, key: str, source: str, state: str, retries: str = "8") -> int:
    client = Client(
        endpoint,
        bucket=bucket,
        credentials=Static("e2eRootKeyId", "e2eRootKeySecret0123456789"),
        store=File(state),
        part_size=PART,
        parallel=4,
        retry=Retry(attempts=int(retries), base=0.02, cap=0.5),
        proxy="",
    )
    given = sys.stdin.buffer if source == "-" else source
    try:
        result = client.multipart_upload(key, given, on_event=tell)
    except KeyboardInterrupt:
        return 130
    except MossaicError as error:
        say(error=type(error).__name__, text=str(error))
        return 1
    say(done=result.etag, resumed=result.resumed_bytes)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
