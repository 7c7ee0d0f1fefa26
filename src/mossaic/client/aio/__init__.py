"""asyncio: AsyncClient, the calls of Client awaited. No other room of the SDK knows of an event loop."""

from mossaic.client.aio.client import AsyncClient
from mossaic.client.aio.results import (
    AsyncBatch,
    AsyncDownload,
    AsyncGetResult,
    AsyncPaged,
    AsyncUpload,
    AsyncWriter,
)

__all__ = [
    "AsyncBatch",
    "AsyncClient",
    "AsyncDownload",
    "AsyncGetResult",
    "AsyncPaged",
    "AsyncUpload",
    "AsyncWriter",
]
