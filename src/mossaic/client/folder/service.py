"""What a folder's transfer needs of the service: calls of one client, to one bucket, below one prefix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mossaic.client.folder.entry import Stored
    from mossaic.client.results import DeleteManyResult, ObjectInfo
    from mossaic.client.transfer.handle import Transfer


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """`objects`: all below the prefix, by key. `transfer` (key, path, seconds left): an upload or a download, not begun. `check` raises
    Cancelled."""

    prefix: str
    objects: Callable[[], Iterator[Stored]]
    head: Callable[[str], ObjectInfo]
    delete: Callable[[Sequence[str]], DeleteManyResult]
    put_folder: Callable[[str], Any]  # Any: nobody looks at the result
    check: Callable[[], None]
    transfer: Callable[[str, str, float | None], Transfer[Any]]  # Any: of either way
