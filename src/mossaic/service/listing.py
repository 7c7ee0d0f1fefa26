"""Listings of objects and versions: pages of the store, as OSS asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.ports import Absent
from mossaic.protocol.errors import INVALID_ARGUMENT, NO_SUCH_BUCKET, OssError

if TYPE_CHECKING:
    from mossaic.model.object import ObjectPage, VersionPage
    from mossaic.model.page import ListQuery
    from mossaic.ports import MetadataStore


class ListingService:
    """Each page is one look at the store; nothing is kept here between pages."""

    def __init__(self, *, metadata: MetadataStore) -> None:
        self._metadata = metadata

    async def changes(self) -> int:
        """Asked before a page of objects is made: the page is what another look would give for as long as this number stays."""
        return await self._metadata.object_changes()

    async def objects(self, query: ListQuery) -> ObjectPage:
        """Current objects that are not deleted, and common prefixes. Raises OssError NO_SUCH_BUCKET."""
        try:
            return await self._metadata.list_objects(query)
        except Absent:
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=query.bucket) from None

    async def versions(self, query: ListQuery) -> VersionPage:
        """All versions and delete markers. Raises OssError: INVALID_ARGUMENT, NO_SUCH_BUCKET."""
        if query.after_id and not query.after_key:
            raise OssError(
                INVALID_ARGUMENT,
                "A version-id-marker needs a key-marker.",
                ArgumentName="version-id-marker",
                ArgumentValue=query.after_id,
            )
        try:
            return await self._metadata.show_versions(query)
        except Absent:
            raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=query.bucket) from None
