"""The metadata store on one SQLite file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Self

from mossaic.stores.sql.buckets import BucketTables
from mossaic.stores.sql.database import ALONE, Database
from mossaic.stores.sql.housekeeping import HousekeepingTables
from mossaic.stores.sql.identities import IdentityTables
from mossaic.stores.sql.listing import ListingTables
from mossaic.stores.sql.objects import ObjectTables
from mossaic.stores.sql.requests import RequestTables
from mossaic.stores.sql.uploads import UploadTables

if TYPE_CHECKING:
    from mossaic.stores.lock import Sharing

READER_GRACE_S = 3_600.0


class SqliteMetadata(
    BucketTables,
    ObjectTables,
    UploadTables,
    ListingTables,
    RequestTables,
    IdentityTables,
    HousekeepingTables,
):
    """`ports.MetadataStore`. Use from one event loop at a time; several processes may open the same file."""

    def __init__(self, database: Database, *, reader_grace_s: float) -> None:
        HousekeepingTables.__init__(self, database, reader_grace_s=reader_grace_s)

    @classmethod
    def open(
        cls,
        path: Path | str,
        *,
        sync: bool = True,
        reader_grace_s: float = READER_GRACE_S,
        sharing: Sharing = ALONE,
    ) -> Self:
        """Make or open the file and bring its schema up to date. Blocks for milliseconds, whatever the number of objects.

        `sync`: a step is on the disk when it returns; without, a power cut may lose the last ones (never consistency).
        `reader_grace_s`: how long the bytes of a deleted object stay for the GETs that have begun.
        `sharing`: with other processes of the service.
        Raises Damaged (not a database of ours, or of a newer Mossaic), Busy, OSError.
        """
        database = Database.open(Path(path), sync=sync, sharing=sharing)
        return cls(database, reader_grace_s=reader_grace_s)

    async def broken(self) -> None:
        """Returns when a sync has failed: nobody knows what is on the disk, and no write is taken until the file is opened anew."""
        await self._database.broken.wait()

    async def close(self) -> None:
        """Finish the waiting steps. Idempotent."""
        await self._database.close()
