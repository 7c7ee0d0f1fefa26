"""The service put together inside the test's own process, on real SQLite and files, by the code that `mossaic serve` runs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from mossaic.app import App
from mossaic.config import Settings
from mossaic.model.identity import Secret
from mossaic.root_key import RootKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.ports import BlobStore, BodyReader, MetadataStore

T = TypeVar("T")
OWNER = "1234567890123456"
ACCESS_KEY_ID = "goldenKeyId"
ACCESS_KEY_SECRET = "goldenKeySecret"  # of stores that live as long as a test
NOW = datetime(2026, 3, 5, 6, 7, 8, tzinfo=UTC)


class BytesBody:
    """`ports.Body` of bytes that are here already."""

    def __init__(self, content: bytes) -> None:
        self.length = self.received = len(content)
        self._left = memoryview(content)

    def readinto(self, buffer: memoryview) -> int:
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count

    async def read(self, limit: int) -> bytes:
        assert len(self._left) <= limit
        return bytes(self._left)

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        return await asyncio.to_thread(work, self)


@dataclass
class StandingClock:
    """Stands still until it is set."""

    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


def app_over(
    folder: Path, metadata: MetadataStore, blobs: BlobStore, clock: StandingClock | None = None
) -> App:
    """The service over these stores, which may be wrapped ones."""
    return App(
        settings=Settings(data=str(folder), account_id=OWNER, listen="127.0.0.1:0"),
        root_key=RootKey(access_key_id=ACCESS_KEY_ID, secret=Secret(ACCESS_KEY_SECRET)),
        metadata=metadata,  # type: ignore[arg-type]  # App names the concrete stores
        blobs=blobs,  # type: ignore[arg-type]  # as above
        clock=clock or StandingClock(),  # type: ignore[arg-type]  # as above
    )
