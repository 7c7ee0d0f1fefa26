"""Lifecycle rules at work: every bucket that has some is walked in pages, and what is due is done."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.model import lifecycle
from mossaic.model.lifecycle import Action, Due, Standing
from mossaic.model.page import ListQuery
from mossaic.ports import Absent
from mossaic.protocol.errors import OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime

    from mossaic.model.bucket import Bucket
    from mossaic.model.lifecycle import Rule
    from mossaic.model.object import ObjectVersion
    from mossaic.model.page import Page
    from mossaic.model.upload import Upload
    from mossaic.ports import MetadataStore

_log = logging.getLogger("mossaic.sweeper")

_BUCKETS: Final = 100  # a page
_PAGE: Final = 200  # versions or uploads a step; as many changes are in flight at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one page of versions or uploads came to."""

    expired: int = 0
    removed: int = 0
    relabelled: int = 0
    aborted: int = 0


class Expiry:
    """One walk through all buckets, as of `now`."""

    def __init__(self, metadata: MetadataStore, now: datetime) -> None:
        self._metadata = metadata
        self._now = now

    async def steps(self) -> AsyncIterator[Step]:
        """Raises StoreError. A bucket that is deleted on the way, or whose rules cannot be read, is left out."""
        after, more = "", True
        while more:
            page = await self._metadata.buckets(prefix="", after=after, limit=_BUCKETS)
            for bucket in page.items:
                try:
                    async for step in self._bucket(bucket):
                        yield step
                except Absent:
                    continue
                except OssError:
                    _log.exception("the lifecycle rules of bucket %s cannot be used", bucket.name)
            after, more = page.next_key, page.truncated

    async def _bucket(self, bucket: Bucket) -> AsyncIterator[Step]:
        rules = lifecycle.load(bucket)
        for_objects = [rule for rule in rules if rule.is_for_objects]
        if for_objects:
            async for step in self._versions(bucket, for_objects):
                yield step
        for_uploads = [rule for rule in rules if rule.aborts is not None]
        if for_uploads:
            async for step in self._uploads(bucket, for_uploads):
                yield step

    # --- object versions ----------------------------------------------------------------------------------------------

    async def _versions(self, bucket: Bucket, rules: Sequence[Rule]) -> AsyncIterator[Step]:
        query = ListQuery(bucket=bucket.name, prefix=_common(rules), limit=_PAGE)
        newer: ObjectVersion | None = None
        judged: list[tuple[ObjectVersion, Due]] = []
        more = True
        while more:
            page: Page[ObjectVersion] = await self._metadata.list_versions(query)
            # Only now may the page before lose versions: its last one was where this page begins.
            if judged:
                yield await self._do(judged)
            judged = []
            for version in page.items:
                due = await self._judge(version, newer, rules)
                newer = version
                if due is not None:
                    judged.append((version, due))
            query = replace(query, after_key=page.next_key, after_id=page.next_id)
            more = page.truncated
            await asyncio.sleep(0)  # reading may not have waited for anything: let the others run
        if judged:
            yield await self._do(judged)

    async def _judge(
        self, version: ObjectVersion, newer: ObjectVersion | None, rules: Sequence[Rule]
    ) -> Due | None:
        """`newer`: the one listed before; it superseded this one when it has the same key."""
        candidates = [rule for rule in rules if version.key.startswith(rule.scope.prefix)]
        if not candidates:
            return None
        superseded_at = None
        if not version.is_latest:
            if newer is None or newer.key != version.key:
                return None  # the walk did not see what superseded it: the next round will
            superseded_at = max(newer.modified_at, version.modified_at)
        tagged = version
        if not version.is_delete_marker and any(rule.scope.asks_tags for rule in candidates):
            found = await self._metadata.head(version.bucket, version.key, version.version_id)
            if found is None:
                return None
            tagged = found
        standing = Standing(
            version=version,
            tags=tagged.tags,
            superseded_at=superseded_at,
            is_lone_marker=await self._is_lone_marker(version, candidates),
        )
        return lifecycle.due(candidates, standing, self._now)

    async def _is_lone_marker(self, version: ObjectVersion, rules: Sequence[Rule]) -> bool:
        if not (version.is_delete_marker and version.is_latest):
            return False
        if not any(rule.removes_lone_markers for rule in rules):
            return False
        query = ListQuery(
            bucket=version.bucket,
            prefix=version.key,
            after_key=version.key,
            after_id=version.version_id,
            limit=1,
        )
        below = await self._metadata.list_versions(query)
        return not below.items or below.items[0].key != version.key

    async def _do(self, judged: Sequence[tuple[ObjectVersion, Due]]) -> Step:
        done = await asyncio.gather(*(self._act(version, due) for version, due in judged))
        return Step(
            expired=done.count(Action.EXPIRE),
            removed=done.count(Action.REMOVE),
            relabelled=done.count(Action.RELABEL),
        )

    async def _act(self, version: ObjectVersion, due: Due) -> Action | None:
        """The action; None when the version changed since it was judged."""
        if due.action is Action.RELABEL:
            assert due.storage_class is not None
            is_done = await self._metadata.relabel_unchanged(version, due.storage_class)
        else:
            is_done = await self._metadata.delete_unchanged(
                version, remove=due.action is Action.REMOVE, now=self._now
            )
        if not is_done:
            return None
        _log.info("lifecycle rule %s: %s %s/%s", due.rule_id, due.action.value, version.bucket, version.key)
        return due.action

    # --- uploads ------------------------------------------------------------------------------------------------------

    async def _uploads(self, bucket: Bucket, rules: Sequence[Rule]) -> AsyncIterator[Step]:
        query = ListQuery(bucket=bucket.name, prefix=_common(rules), limit=_PAGE)
        more = True
        while more:
            page: Page[Upload] = await self._metadata.list_uploads(query)
            over = [one for one in page.items if lifecycle.abort_due(rules, one, self._now) is not None]
            done = await asyncio.gather(*map(self._abort, over))
            yield Step(aborted=sum(done))
            query = replace(query, after_key=page.next_key, after_id=page.next_id)
            more = page.truncated
            await asyncio.sleep(0)  # as above

    async def _abort(self, upload: Upload) -> bool:
        try:
            await self._metadata.abort(upload.bucket, upload.key, upload.upload_id)
        except Absent:
            return False  # completed or aborted meanwhile
        _log.info("lifecycle: aborted upload %s of %s/%s", upload.upload_id, upload.bucket, upload.key)
        return True


def _common(rules: Sequence[Rule]) -> str:
    """The longest prefix that all of the rules share."""
    first, last = (bound(rule.scope.prefix for rule in rules) for bound in (min, max))
    # What the first and the last in order share, all in between share too.
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    return first[:same]
