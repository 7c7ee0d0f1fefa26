"""Listings: objects, their versions, buckets. Pages, markers and URL encoding stay in here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.client.calls.base import Calls
from mossaic.client.paging import Paged, page_limit
from mossaic.protocol.limits import MAX_PAGE
from mossaic.protocol.operations import listing as ops
from mossaic.protocol.operations.listing import CommonPrefix, MarkerEntry, ObjectEntry, VersionEntry
from mossaic.protocol.operations.service import LIST_BUCKETS, BucketEntry, ListBuckets

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_URL: Final = "url"  # keys may hold characters that XML cannot


class Listing(Calls):
    """The listing calls."""

    def list_objects(  # noqa: PLR0913  # a call's options are keywords
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        start_after: str = "",
        page_size: int = MAX_PAGE,
        max_items: int | None = None,
        fetch_owner: bool = False,
        bucket: str | None = None,
    ) -> Paged[ObjectEntry | CommonPrefix]:
        """The objects whose key begins with `prefix`, by ascending key; pages are asked for as they are needed.

        `delimiter`: keys that share what stands before it are given once, as a CommonPrefix between the objects ("/": one level of a
        folder). `start_after`: only keys behind this one. `page_size`: 1 … 1000 a request. `max_items`: the most there will be.

        Raises ValueError; on iteration NoSuchBucket, AccessDenied and what every call raises.
        """
        asked = ops.ListObjectsV2(
            bucket=self._in(bucket),
            prefix=prefix or None,
            delimiter=delimiter or None,
            start_after=start_after or None,
            max_keys=page_limit(page_size, max_items),
            fetch_owner=fetch_owner,
            encoding_type=_URL,
        )
        return Paged(self._object_pages(asked), max_items=max_items)

    def _object_pages(self, asked: ops.ListObjectsV2) -> Iterator[Sequence[ObjectEntry | CommonPrefix]]:
        while True:
            page = self._do(ops.LIST_OBJECTS_V2, asked).value
            entries: list[ObjectEntry | CommonPrefix] = [*page.contents, *page.common_prefixes]
            yield sorted(entries, key=_name_of) if page.common_prefixes else entries
            if not page.is_truncated or not page.next_continuation_token:
                return
            asked = replace(asked, continuation_token=page.next_continuation_token)

    def list_versions(  # noqa: PLR0913  # a call's options are keywords
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        key_marker: str = "",
        version_id_marker: str = "",
        page_size: int = MAX_PAGE,
        max_items: int | None = None,
        bucket: str | None = None,
    ) -> Paged[VersionEntry | MarkerEntry | CommonPrefix]:
        """All versions and delete markers of the objects whose key begins with `prefix`: by ascending key, the newest first.

        `key_marker`: go on behind this key, with `version_id_marker` behind that version of it. The rest as in `list_objects`.

        Raises ValueError; on iteration NoSuchBucket, AccessDenied and what every call raises.
        """
        asked = ops.ListObjectVersions(
            bucket=self._in(bucket),
            prefix=prefix or None,
            delimiter=delimiter or None,
            key_marker=key_marker or None,
            version_id_marker=version_id_marker or None,
            max_keys=page_limit(page_size, max_items),
            encoding_type=_URL,
        )
        return Paged(self._version_pages(asked), max_items=max_items)

    def _version_pages(
        self, asked: ops.ListObjectVersions
    ) -> Iterator[Sequence[VersionEntry | MarkerEntry | CommonPrefix]]:
        while True:
            page = self._do(ops.LIST_OBJECT_VERSIONS, asked).value
            entries: list[VersionEntry | MarkerEntry | CommonPrefix]
            entries = [*page.versions, *page.delete_markers, *page.common_prefixes]
            yield sorted(entries, key=_place_of) if len(entries) > len(page.versions) else entries
            if not page.is_truncated or not page.next_key_marker:
                return
            asked = replace(
                asked,
                key_marker=page.next_key_marker,
                version_id_marker=page.next_version_id_marker or None,
            )

    def list_buckets(  # noqa: PLR0913  # a call's options are keywords
        self,
        prefix: str = "",
        *,
        marker: str = "",
        tag_key: str | None = None,
        tag_value: str | None = None,
        page_size: int = MAX_PAGE,
        max_items: int | None = None,
    ) -> Paged[BucketEntry]:
        """The account's buckets whose name begins with `prefix`, by name, behind `marker`; with a tag if one is named.

        Raises ValueError; on iteration AccessDenied and what every call raises.
        """
        asked = ListBuckets(
            prefix=prefix or None,
            marker=marker or None,
            max_keys=page_limit(page_size, max_items),
            tag_key=tag_key,
            tag_value=tag_value,
        )
        return Paged(self._bucket_pages(asked), max_items=max_items)

    def _bucket_pages(self, asked: ListBuckets) -> Iterator[Sequence[BucketEntry]]:
        while True:
            page = self._do(LIST_BUCKETS, asked).value
            yield page.buckets
            if not page.is_truncated or not page.next_marker:
                return
            asked = replace(asked, marker=page.next_marker)


def _name_of(entry: ObjectEntry | CommonPrefix) -> str:
    return entry.prefix if isinstance(entry, CommonPrefix) else entry.key


def _place_of(entry: VersionEntry | MarkerEntry | CommonPrefix) -> tuple[str, bool, float]:
    if isinstance(entry, CommonPrefix):
        return entry.prefix, False, 0.0
    return entry.key, not entry.is_latest, -entry.modified_at.timestamp()
