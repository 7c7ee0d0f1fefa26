"""Random steps on the store and on dictionaries give the same answers; nothing is lost, nothing is left."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from mossaic.model.bucket import Versioning
from mossaic.model.manifest import Manifest
from mossaic.model.names import NULL_VERSION
from mossaic.model.page import ListQuery
from mossaic.ports import Absent, Busy, Commit, Conflict, StoreError
from mossaic.stores.sql import SqliteMetadata
from tests.contract.given import (
    BUCKET,
    GRACE_S,
    LATER,
    NOW,
    a_blob,
    a_part,
    a_version,
    all_pages,
    completion,
    given_bucket,
    given_upload,
    key,
    keys_of,
    set_versioning,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from mossaic.model.object import ObjectVersion
    from mossaic.model.upload import Part, Upload

T = TypeVar("T")
KEYS = ["a", "a/b", "😀"]
names = st.sampled_from(KEYS)
numbers = st.integers(1, 4)


class StoreAgainstDictionaries(RuleBasedStateMachine):
    """`versions`: of each key, oldest first, markers included. `uploads`: open ones with their parts."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.loop = asyncio.new_event_loop()
        self.path = Path(self.folder.name) / "m.db"
        self.store = SqliteMetadata.open(self.path, sync=False, reader_grace_s=GRACE_S)
        self.versioning = Versioning.UNSET
        self.versions: dict[str, list[ObjectVersion]] = {name: [] for name in KEYS}
        self.uploads: dict[str, tuple[Upload, dict[int, Part]]] = {}
        self.count = 0
        self.do(given_bucket(self.store))

    def do(self, step: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(step)

    def fails(self, step: Coroutine[Any, Any, object]) -> type[StoreError] | None:
        try:
            self.do(step)
        except StoreError as error:
            return type(error)
        return None

    def teardown(self) -> None:
        problems = self.do(self.store.check())
        self.do(self.store.close())
        self.loop.close()
        self.folder.cleanup()
        assert problems == []

    def publish(self, version: ObjectVersion) -> None:
        """What a write does to the versions of its key, by the rules of OSS."""
        kept = self.versions[version.key]
        if self.versioning is not Versioning.ENABLED:
            kept[:] = [one for one in kept if one.version_id != NULL_VERSION]
        kept.append(version)

    def current(self, name: str) -> ObjectVersion | None:
        return self.versions[name][-1] if self.versions[name] else None

    def live(self, name: str) -> bool:
        current = self.current(name)
        return current is not None and not current.is_delete_marker

    # --- objects ---------------------------------------------------------------------------------------------------------

    @rule(name=names, inline=st.booleans(), forbid=st.booleans())
    def put(self, name: str, *, inline: bool, forbid: bool) -> None:
        blob = a_blob()
        version = a_version(name, inline=b"x", size=1) if inline else a_version(name, whole(blob))
        commit = Commit(version=version, new_blobs=() if inline else (blob,), forbid_overwrite=forbid)
        if forbid and self.versioning is Versioning.UNSET and self.live(name):
            assert self.fails(self.store.put_object(commit)) is Conflict
        else:
            self.publish(self.do(self.store.put_object(commit)).version)

    @rule(source=names, to=names)
    def copy(self, source: str, to: str) -> None:
        found = self.do(self.store.head(BUCKET, key(source)))
        if found is None or found.is_delete_marker:
            return
        copy = replace(found, key=key(to), version_id=NULL_VERSION, is_latest=True)
        self.publish(self.do(self.store.put_object(Commit(version=copy))).version)

    @rule(name=names)
    def delete(self, name: str) -> None:
        deleted = self.do(self.store.delete_object(BUCKET, key(name), None, NOW))
        assert deleted.delete_marker == (self.versioning is not Versioning.UNSET)
        if self.versioning is Versioning.UNSET:
            self.versions[name].clear()
        else:
            marker = self.do(self.store.head(BUCKET, key(name)))
            assert marker is not None
            assert marker.is_delete_marker
            self.publish(marker)

    @rule(name=names, data=st.data())
    def delete_version(self, name: str, data: st.DataObject) -> None:
        if self.versions[name]:
            chosen = data.draw(st.sampled_from(self.versions[name]))
            self.versions[name].remove(chosen)
            deleted = self.do(self.store.delete_object(BUCKET, key(name), chosen.version_id, NOW))
            assert deleted.delete_marker == chosen.is_delete_marker

    @rule(versioning=st.sampled_from([Versioning.ENABLED, Versioning.SUSPENDED]))
    def change_versioning(self, versioning: Versioning) -> None:
        self.do(set_versioning(self.store, versioning))
        self.versioning = versioning

    # --- uploads ---------------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.uploads) < 4)
    @rule(name=names)
    def begin(self, name: str) -> None:
        self.count += 1
        upload = self.do(given_upload(self.store, f"U{self.count}", name=name))
        self.uploads[upload.upload_id] = (upload, {})

    @precondition(lambda self: self.uploads)
    @rule(data=st.data(), number=numbers, source=st.one_of(st.none(), names))
    def put_part(self, data: st.DataObject, number: int, source: str | None) -> None:
        upload, parts = self.uploads[data.draw(st.sampled_from(sorted(self.uploads)))]
        blob = a_blob()
        part = a_part(number, blob)
        if source is not None:
            found = self.do(self.store.head(BUCKET, key(source)))
            if found is None or found.size < 2 or found.inline is not None:
                return
            part = replace(part, manifest=Manifest(found.manifest.cut(1, found.size)), size=found.size - 1)
        self.do(self.store.put_part(upload.upload_id, part, () if source is not None else (blob,)))
        parts[number] = part

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def complete(self, data: st.DataObject) -> None:
        upload, parts = self.uploads[data.draw(st.sampled_from(sorted(self.uploads)))]
        listed = [part for number, part in sorted(parts.items()) if data.draw(st.booleans())]
        commit, receipt = completion(upload, listed)
        if listed and data.draw(st.integers(0, 4)) == 0:
            foreign = replace(commit.version, manifest=whole(a_blob()))
            decided = replace(commit, version=foreign), receipt
            assert self.fails(self.store.complete(upload, lambda _: decided)) is Busy
            return
        self.publish(self.do(self.store.complete(upload, lambda _: (commit, receipt))).version)
        del self.uploads[upload.upload_id]
        assert self.do(self.store.receipt(BUCKET, upload.key, upload.upload_id)) is not None
        assert self.fails(self.store.complete(upload, lambda _: (commit, receipt))) is Absent

    @precondition(lambda self: self.uploads)
    @rule(data=st.data())
    def abort(self, data: st.DataObject) -> None:
        upload, _ = self.uploads.pop(data.draw(st.sampled_from(sorted(self.uploads))))
        self.do(self.store.abort(BUCKET, upload.key, upload.upload_id))
        assert self.fails(self.store.abort(BUCKET, upload.key, upload.upload_id)) is Absent

    # --- the world -------------------------------------------------------------------------------------------------------

    @rule()
    def sweep(self) -> None:
        self.do(self.store.forget(self.do(self.store.garbage(now=LATER, limit=1000))))
        known = {blob.blob_id for blob, _ in self.do(self.store.blobs(after="", limit=1000))}
        assert known == self.referenced().keys()

    @rule()
    def reopen(self) -> None:
        self.do(self.store.close())
        self.store = SqliteMetadata.open(self.path, sync=False, reader_grace_s=GRACE_S)

    def referenced(self) -> Counter[str]:
        versions = [one for kept in self.versions.values() for one in kept]
        parts = [part for _, parts in self.uploads.values() for part in parts.values()]
        return Counter(blob_id for holder in (*versions, *parts) for blob_id in holder.manifest.blob_ids)

    @invariant()
    def every_key_reads_as_it_should(self) -> None:
        for name in KEYS:
            assert self.do(self.store.head(BUCKET, key(name))) == self.current(name)
            for version in self.versions[name]:
                is_latest = version is self.versions[name][-1]
                found = self.do(self.store.head(BUCKET, key(name), version.version_id))
                assert found == replace(version, is_latest=is_latest)

    @invariant()
    def every_listing_shows_what_there_is(self) -> None:
        query = ListQuery(bucket=BUCKET, limit=2)
        live, _ = self.do(all_pages(keys_of(self.store.list_objects), query))
        versions, _ = self.do(all_pages(self.store.list_versions, query))
        uploads, _ = self.do(all_pages(self.store.list_uploads, query))

        assert live == [name for name in KEYS if self.live(name)]
        assert [(item.key, item.version_id) for item in versions] == [
            (name, version.version_id) for name in KEYS for version in reversed(self.versions[name])
        ]
        assert {item.upload_id for item in uploads} == self.uploads.keys()
        for upload_id, (upload, parts) in self.uploads.items():
            stored = self.do(self.store.all_parts(upload.upload_id))
            assert stored == [part for _, part in sorted(parts.items())], upload_id

    @invariant()
    def nothing_referenced_is_garbage(self) -> None:
        garbage = set(self.do(self.store.garbage(now=NOW, limit=1000)))
        assert not garbage & self.referenced().keys()


StoreAgainstDictionaries.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestStoreAgainstDictionaries = StoreAgainstDictionaries.TestCase
