"""Buckets: making, finding, changing and removing them, and the documents on them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.model import bucket_tags, documents
from mossaic.model.bucket import Bucket, BucketAcl, Versioning
from mossaic.model.names import bucket_name
from mossaic.model.object import StorageClass
from mossaic.model.page import Page
from mossaic.ports import Absent, Conflict, OverQuota
from mossaic.protocol.errors import (
    BUCKET_ALREADY_EXISTS,
    BUCKET_NOT_EMPTY,
    INVALID_ARGUMENT,
    INVALID_LOCATION_CONSTRAINT,
    NO_SUCH_BUCKET,
    SERVICE_UNAVAILABLE,
    TOO_MANY_BUCKETS,
    OssError,
)
from mossaic.protocol.limits import MAX_BUCKETS, MAX_PAGE
from mossaic.quick import dataclass
from mossaic.service.news import OwnNews

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.model.bucket import BucketTotals
    from mossaic.model.names import BucketName
    from mossaic.ports import Clock, MetadataStore
    from mossaic.service.news import News

_TRIES: Final = 8  # changes of one bucket's settings at the same moment that are worth waiting for
_REDUNDANCIES: Final = ("LRS", "ZRS")
# Every request needs its bucket. Changes are told at once, but for those of a process that died before it could.
CACHE_S: Final = 1.0
_CACHE_ENTRIES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBucket:
    """What PutBucket asks for, as it came; None where nothing was said. `location` is `oss-REGION` or `REGION`."""

    name: str
    acl: str | None = None
    location: str | None = None
    storage_class: str | None = None
    redundancy: str | None = None
    documents: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`owner_id`: the account all buckets belong to; `region`: where they are; `quota`: how many there may be."""

    owner_id: str
    region: str = "cn-hangzhou"
    quota: int = MAX_BUCKETS


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketQuery:
    """A page of buckets by name; `after` is exclusive. `tags`: see `bucket_tags.wanted`."""

    prefix: str = ""
    after: str = ""
    limit: int = 100
    tags: Mapping[str, str | None] | None = None


class _Kept(NamedTuple):
    """`heard`: the news from before it was read; `until`: monotonic seconds."""

    bucket: Bucket
    heard: object
    until: float


class BucketService:
    """Every change is one step of the store, made from the revision that was read. `news` tells all processes of it."""

    def __init__(
        self,
        *,
        metadata: MetadataStore,
        clock: Clock,
        account: Account,
        news: News | None = None,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self.region = account.region
        self._owner_id = account.owner_id
        self._quota = account.quota
        self._news = news or OwnNews()
        self._kept: dict[str, _Kept] = {}

    async def find(self, name: BucketName) -> Bucket | None:
        """As it is; or, when a process died between a change and its answer, as it was less than `CACHE_S` ago. That there is none
        is never kept."""
        heard = self._news.heard()
        kept = self._kept.get(name)
        if kept is not None and kept.heard == heard and time.monotonic() < kept.until:
            return kept.bucket
        found = await self._metadata.bucket(name)
        if found is not None:
            if len(self._kept) >= _CACHE_ENTRIES:
                self._kept.clear()
            self._kept[name] = _Kept(found, heard, time.monotonic() + CACHE_S)
        return found

    async def create(self, asked: NewBucket) -> Bucket:
        """Make the bucket. Asking again for one's own bucket succeeds; an ACL or tags given then are set.

        Raises OssError: INVALID_BUCKET_NAME, INVALID_ARGUMENT, INVALID_LOCATION_CONSTRAINT, TOO_MANY_BUCKETS,
        BUCKET_ALREADY_EXISTS (somebody else's, or with another location, storage class or redundancy).
        """
        wished = self._bucket(asked)
        for _ in range(_TRIES):
            found = await self._metadata.bucket(wished.name)
            if found is not None:
                return await self._again(found, wished, asked)
            try:
                await self._metadata.create_bucket(wished, quota=self._quota)
            except OverQuota:
                raise OssError(TOO_MANY_BUCKETS, f"There may be at most {self._quota} buckets.") from None
            except Conflict:
                continue  # somebody was faster: it is there now
            return wished
        raise OssError(SERVICE_UNAVAILABLE)

    def _bucket(self, asked: NewBucket) -> Bucket:
        location = asked.location
        if location is not None and location.removeprefix("oss-") != self.region:
            raise OssError(
                INVALID_LOCATION_CONSTRAINT,
                f"This endpoint's location is oss-{self.region}.",
                LocationConstraint=location,
            )
        redundancy = asked.redundancy or _REDUNDANCIES[0]
        if redundancy not in _REDUNDANCIES:
            raise _refused("DataRedundancyType", redundancy)
        return Bucket(
            name=bucket_name(asked.name),
            region=self.region,
            owner_id=self._owner_id,
            created_at=self._clock.now(),
            acl=bucket_acl(asked.acl or BucketAcl.PRIVATE.value),
            storage_class=_storage_class(asked.storage_class or StorageClass.STANDARD.value),
            redundancy=redundancy,
            documents=dict(asked.documents or {}),
        )

    async def _again(self, found: Bucket, wished: Bucket, asked: NewBucket) -> Bucket:
        if found.owner_id != wished.owner_id:
            raise OssError(BUCKET_ALREADY_EXISTS, ec="0015-00000104", BucketName=found.name)
        fixed = (
            ("location", asked.location, found.region != wished.region),
            ("storage class", asked.storage_class, found.storage_class is not wished.storage_class),
            ("redundancy type", asked.redundancy, found.redundancy != wished.redundancy),
        )
        for what, said, differs in fixed:
            if said is not None and differs:
                raise OssError(
                    BUCKET_ALREADY_EXISTS,
                    f"The bucket exists already, and its {what} cannot be changed.",
                    BucketName=found.name,
                )
        if asked.acl is None and not asked.documents:
            return found
        return await self._change(
            found.name,
            lambda bucket: replace(
                bucket,
                acl=bucket.acl if asked.acl is None else wished.acl,
                documents={**bucket.documents, **(asked.documents or {})},
            ),
        )

    async def delete(self, name: BucketName) -> None:
        """Raises OssError: NO_SUCH_BUCKET, BUCKET_NOT_EMPTY (objects, versions, delete markers, open uploads)."""
        try:
            await self._metadata.delete_bucket(name)
        except Absent:
            raise _no_bucket(name) from None
        except Conflict:
            raise OssError(BUCKET_NOT_EMPTY, ec="0015-00000301", BucketName=name) from None
        finally:
            self._forget(name)

    async def page(self, query: BucketQuery) -> Page[Bucket]:
        """Buckets by name."""
        if not query.tags:
            return await self._metadata.buckets(prefix=query.prefix, after=query.after, limit=query.limit)
        found: list[Bucket] = []
        after, more = query.after, True
        while more and len(found) <= query.limit:
            page = await self._metadata.buckets(prefix=query.prefix, after=after, limit=MAX_PAGE)
            found += [bucket for bucket in page.items if bucket_tags.has(bucket, query.tags)]
            after, more = page.next_key, page.truncated
        items = tuple(found[: query.limit])
        truncated = len(found) > query.limit
        return Page(items=items, truncated=truncated, next_key=items[-1].name if truncated else "")

    async def totals(self, name: BucketName) -> BucketTotals:
        """Raises OssError NO_SUCH_BUCKET."""
        try:
            return await self._metadata.bucket_totals(name)
        except Absent:
            raise _no_bucket(name) from None

    async def set_acl(self, name: BucketName, acl: str) -> None:
        """Raises OssError: INVALID_ARGUMENT, NO_SUCH_BUCKET."""
        wanted = bucket_acl(acl)
        await self._change(name, lambda bucket: replace(bucket, acl=wanted))

    async def set_versioning(self, name: BucketName, status: str | None) -> None:
        """Enabled or Suspended; never back to unset. Raises OssError: INVALID_ARGUMENT, NO_SUCH_BUCKET."""
        if status not in {Versioning.ENABLED.value, Versioning.SUSPENDED.value}:
            raise _refused("Status", status or "")
        wanted = Versioning(status)
        await self._change(name, lambda bucket: replace(bucket, versioning=wanted))

    async def put_document(self, name: BucketName, document: str, text: str) -> None:
        """Store a checked document, in place of the one before. Raises OssError NO_SUCH_BUCKET."""
        await self._change(
            name, lambda bucket: replace(bucket, documents={**bucket.documents, document: text})
        )

    async def delete_document(self, name: BucketName, document: str) -> None:
        """Nothing happens when there is none. Raises OssError NO_SUCH_BUCKET."""
        await self._change(name, lambda bucket: _without(bucket, document))

    async def delete_tags(self, name: BucketName, keys: str) -> None:
        """Take away the tags of these keys (`k1,k2`), all when it is empty. Raises OssError NO_SUCH_BUCKET."""

        def change(bucket: Bucket) -> Bucket:
            left = bucket_tags.without(bucket_tags.load(bucket), keys)
            if left is None:
                return _without(bucket, documents.TAGGING)
            return replace(bucket, documents={**bucket.documents, documents.TAGGING: left})

        await self._change(name, change)

    def _forget(self, name: BucketName) -> None:
        """After every attempt to change the bucket, before the caller hears of it."""
        self._news.tell()
        self._kept.pop(name, None)

    async def _change(self, name: BucketName, change: Callable[[Bucket], Bucket]) -> Bucket:
        """Read, change, write; again from the start when somebody else wrote in between."""
        for _ in range(_TRIES):
            found = await self._metadata.bucket(name)
            if found is None:
                raise _no_bucket(name)
            wished = change(found)
            if wished == found:
                return found
            try:
                return await self._metadata.change_bucket(wished)
            except Conflict:
                continue
            except Absent:
                raise _no_bucket(name) from None
            finally:
                self._forget(name)
        raise OssError(SERVICE_UNAVAILABLE)


def bucket_acl(text: str) -> BucketAcl:
    """Raises OssError INVALID_ARGUMENT."""
    try:
        return BucketAcl(text)
    except ValueError:
        raise _refused("x-oss-acl", text) from None


def _storage_class(text: str) -> StorageClass:
    try:
        return StorageClass(text)
    except ValueError:
        raise _refused("StorageClass", text) from None


def _without(bucket: Bucket, document: str) -> Bucket:
    left = {name: text for name, text in bucket.documents.items() if name != document}
    return replace(bucket, documents=left)


def _refused(name: str, value: str) -> OssError:
    return OssError(INVALID_ARGUMENT, ArgumentName=name, ArgumentValue=value)


def _no_bucket(name: BucketName) -> OssError:
    return OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=name)
