"""The place of one test: a bucket, a way to it through the proxy and one around it, a directory for files and journals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from mossaic.client.client import Client
from mossaic.client.credentials import Static
from mossaic.client.options import Retry, Timeout
from mossaic.client.store import File
from mossaic.client.upload.task import Event
from tests.e2e.harness import PART, Server, noise
from tests.faults.proxy import FaultProxy

KEY = "folder/object.bin"
PUT_PART = r"^PUT .*partNumber="
INITIATE = r"^POST .*\?uploads"
COMPLETE = r"^POST .*uploadId="
LIST_PARTS = r"^GET .*uploadId="
MANY = 200  # parts
QUICK = Retry(attempts=8, base=0.02, cap=0.2)


@cache
def data_of(parts: int, *, seed: int = 1) -> bytes:
    """Bytes for so many parts, the last one short."""
    return noise(parts * PART - 1234, seed=seed)


def part(number: int) -> str:
    """The pattern of one part's requests."""
    return rf"^PUT .*partNumber={number}(&|$)"


class Heard(list[Event]):
    """The events of an upload, as its `on_event` heard them."""

    def __call__(self, event: Event) -> None:
        self.append(event)

    def kinds(self) -> list[str]:
        return [event.kind for event in self]

    def of(self, kind: str) -> list[Event]:
        return [event for event in self if event.kind == kind]

    def one(self, kind: str) -> Event:
        (found,) = self.of(kind)
        return found


@dataclass(kw_only=True)
class Place:
    server: Server
    proxy: FaultProxy
    bucket: str
    directory: Path
    _clients: list[Client] = field(default_factory=list)

    def client(self, **options: Any) -> Client:
        """A new client on the way through the proxy, with journals on the disk; what a new process would have."""
        given: dict[str, Any] = {
            "retry": QUICK,
            "timeout": Timeout(connect=5, idle=20),
            "store": File(self.state),
            "part_size": PART,
            "parallel": 4,
            "proxy": "",
        }
        return self._made(self.proxy.endpoint, given | options)

    @cached_property
    def direct(self) -> Client:
        return self._made(self.server.endpoint, {"part_size": PART, "proxy": "", "store": File(self.state)})

    def _made(self, endpoint: str, options: dict[str, Any]) -> Client:
        options.setdefault("credentials", Static(self.server.access_key_id, self.server.access_key_secret))
        made = Client(endpoint, bucket=self.bucket, **options)
        self._clients.append(made)
        return made

    def close(self) -> None:
        self.proxy.close()
        for client in self._clients:
            client.close()

    # --- files --------------------------------------------------------------------------------------------------------

    @property
    def state(self) -> Path:
        return self.directory / "state"

    def file(self, data: bytes, name: str = "source.bin") -> Path:
        path = self.directory / name
        path.write_bytes(data)
        return path

    def journals(self) -> list[str]:
        """What is left in the directory of journals."""
        return sorted(path.name for path in self.state.iterdir()) if self.state.exists() else []

    # --- what the service holds ---------------------------------------------------------------------------------------

    def stored(self, key: str = KEY) -> bytes | None:
        """The object; None when there is none."""
        return self.direct.get_bytes(key) if self.direct.exists(key) else None

    def open_uploads(self) -> list[str]:
        return [upload.upload_id for upload in self.direct.list_uploads()]

    def stored_numbers(self, upload_id: str, key: str = KEY) -> list[int]:
        return [found.number for found in self.direct.list_parts(key, upload_id)]

    def times_stored(self, key: str = KEY) -> Counter[int]:
        """Part number → how often the service took it, by its own log."""
        return Counter(self.server.parts_put(self.bucket, key))

    def assert_whole(
        self, data: bytes, *, key: str = KEY, again: Collection[int] = (), logged: bool = True
    ) -> None:
        """The object is `data`, nothing is left over, and no part but those of `again` was stored twice.

        `logged` False: the service was killed, and with it the last lines of its log.
        """
        assert self.direct.get_bytes(key) == data
        assert self.open_uploads() == []
        assert self.journals() == []
        times = self.times_stored(key)
        if logged:
            assert sorted(times) == list(range(1, -(-len(data) // PART) + 1))
        assert {number: count for number, count in times.items() if count > 1 and number not in again} == {}
