"""Laws of listings: order, markers, groups, and that a page costs what it shows."""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mossaic.model.bucket import Versioning
from mossaic.model.names import BucketName
from mossaic.model.page import ListQuery, Page
from mossaic.ports import Absent, Commit
from tests.contract.given import (
    BUCKET,
    NOW,
    a_bucket,
    a_version,
    all_pages,
    as_shown,
    given_bucket,
    given_upload,
    key,
    keys_of,
    put,
    put_inline,
    set_versioning,
    version_id_of,
)

if TYPE_CHECKING:
    from mossaic.ports import MetadataStore

# Byte order differs from UTF-16 order at U+E000 … U+FFFF against astral characters, and from what locales think.
HARD_KEYS = [
    "a",
    "a/",
    "a/b",
    "a/b/c",
    "a0",
    "A",
    "\x01",
    "a\n/\nb",
    "\n",
    "é",
    "z",
    "\ue000",
    "\uffff",
    "𐀀",
    "😀/x",
    "😀0",
    "~",
]


def everything(**more: object) -> ListQuery:
    return replace(ListQuery(bucket=BUCKET, limit=1000), **more)


def expected(keys: list[str], query: ListQuery) -> tuple[list[str], list[str]]:
    """The listing by its definition, over all keys."""
    names: list[str] = []
    groups: list[str] = []
    for name in sorted(keys, key=str.encode):
        if not name.startswith(query.prefix):
            continue
        at = name.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
        group = name[: at + len(query.delimiter)] if at >= 0 else None
        if group is None:
            if name.encode() > query.after_key.encode():
                names.append(name)
        elif name.encode() > query.after_key.encode() and group != query.after_key and group not in groups:
            groups.append(group)
    return names, groups


async def test_keys_sort_by_utf8_bytes(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    for name in HARD_KEYS:
        await put_inline(metadata, name)

    page = await metadata.list_objects(everything())

    assert page.columns.keys == sorted(HARD_KEYS, key=str.encode)
    assert not page.truncated
    assert page.next_key == ""


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 14, 15, 16])
@pytest.mark.parametrize("delimiter", ["", "/", "b/", "😀"])
async def test_paging_at_every_size_gives_the_same_list(
    metadata: MetadataStore, limit: int, delimiter: str
) -> None:
    await given_bucket(metadata)
    for name in HARD_KEYS:
        await put_inline(metadata, name)
        await given_upload(metadata, f"id of {name!a}", name=name)
    query = everything(limit=limit, delimiter=delimiter)

    objects = await all_pages(keys_of(metadata.list_objects), query)
    shown = await all_pages(keys_of(metadata.show_uploads), query)
    versions = await all_pages(metadata.list_versions, query)
    uploads = await all_pages(metadata.list_uploads, query)

    assert objects == shown == expected(HARD_KEYS, query)
    for items, prefixes in (versions, uploads):
        assert ([item.key for item in items], prefixes) == expected(HARD_KEYS, query)


_numbers = count()
names = st.text(alphabet="ab/-\né😀\uffff", min_size=1, max_size=6).filter(lambda text: text[0] != "/")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(names, max_size=12, unique=True),
    prefix=st.sampled_from(["", "a", "a/", "é", "😀", "b-"]),
    delimiter=st.sampled_from(["", "/", "-", "a/"]),
    after=st.one_of(st.just(""), names),
    limit=st.integers(1, 5),
)
async def test_a_listing_is_what_its_definition_says(
    metadata: MetadataStore, keys: list[str], prefix: str, delimiter: str, after: str, limit: int
) -> None:
    bucket = BucketName(f"b-{next(_numbers)}")
    await metadata.create_bucket(a_bucket(bucket), quota=10_000)
    for name in keys:
        await metadata.put_object(Commit(version=replace(a_version(name), bucket=bucket)))
    query = everything(bucket=bucket, prefix=prefix, delimiter=delimiter, after_key=after, limit=limit)

    objects = await all_pages(keys_of(metadata.list_objects), query)
    versions, version_prefixes = await all_pages(metadata.list_versions, query)

    assert objects == expected(keys, query)
    assert ([item.key for item in versions], version_prefixes) == expected(keys, query)


async def test_a_marker_that_is_a_common_prefix_skips_its_group(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    for name in ("a/1", "a/2", "b"):
        await put_inline(metadata, name)

    after_group = await metadata.list_objects(everything(delimiter="/", after_key="a/"))
    inside_group = await metadata.list_objects(everything(delimiter="/", after_key="a/1"))
    no_groups = await metadata.list_objects(everything(after_key="a/"))

    assert (after_group.columns.keys, after_group.prefixes) == (["b"], ())
    assert inside_group.prefixes == ("a/",)
    assert no_groups.columns.keys == ["a/1", "a/2", "b"]


async def test_a_listing_shows_live_current_versions_only(metadata: MetadataStore) -> None:
    await given_bucket(metadata, Versioning.ENABLED)
    await put(metadata, "gone")
    await put(metadata, "kept")
    await put(metadata, "kept")
    await metadata.delete_object(BUCKET, key("gone"), None, NOW)

    page = await metadata.list_objects(everything())

    found = page.columns
    assert (found.keys, found.types, found.sizes) == (["kept"], ["Normal"], [10])
    assert (found.etags, found.modified, found.storage_classes) == (["E" * 32], [as_shown(NOW)], ["Standard"])


async def test_listing_a_bucket_that_is_not_there_raises(metadata: MetadataStore) -> None:
    for listing in (
        metadata.list_objects,
        metadata.list_versions,
        metadata.show_versions,
        metadata.list_uploads,
        metadata.show_uploads,
    ):
        with pytest.raises(Absent):
            await listing(everything())


async def given_history(metadata: MetadataStore) -> list[tuple[str, str, bool]]:
    """(key, version id, is latest) in the order of ListObjectVersions."""
    await given_bucket(metadata)
    null = "null"
    await put(metadata, "a")
    await put(metadata, "b")
    await set_versioning(metadata, Versioning.ENABLED)
    a = [version_id_of(await put(metadata, "a")) for _ in range(3)]
    marker = await metadata.delete_object(BUCKET, key("b"), None, NOW)
    c = [version_id_of(await put(metadata, "c")) for _ in range(2)]
    assert marker.version_id is not None
    rows = [("a", a[2]), ("a", a[1]), ("a", a[0]), ("a", null), ("b", marker.version_id), ("b", null)]
    rows += [("c", c[1]), ("c", c[0])]
    firsts = {0, 4, 6}
    return [(name, version, index in firsts) for index, (name, version) in enumerate(rows)]


@pytest.mark.parametrize("limit", range(1, 10))
async def test_versions_come_newest_first_at_every_page_size(metadata: MetadataStore, limit: int) -> None:
    rows = await given_history(metadata)

    items, prefixes = await all_pages(metadata.list_versions, everything(limit=limit))

    assert [(item.key, item.version_id, item.is_latest) for item in items] == rows
    assert [item.is_delete_marker for item in items] == [index == 4 for index in range(8)]
    assert prefixes == []


@pytest.mark.parametrize("limit", range(1, 10))
async def test_a_page_of_versions_shows_those_that_it_lists(metadata: MetadataStore, limit: int) -> None:
    await given_history(metadata)
    query = everything(limit=limit)

    while True:
        shown, listed = await metadata.show_versions(query), await metadata.list_versions(query)

        for columns, are_markers in ((shown.versions, False), (shown.markers, True)):
            items = [item for item in listed.items if item.is_delete_marker == are_markers]
            assert columns.keys == [item.key for item in items]
            assert columns.version_ids == [item.version_id for item in items]
            assert columns.latest == [item.is_latest for item in items]
            assert columns.types == [item.type.value for item in items]
            assert columns.sizes == [item.size for item in items]
            assert columns.etags == [item.etag for item in items]
            assert columns.modified == [as_shown(item.modified_at) for item in items]
        assert replace(listed, items=()) == Page(
            items=(),
            prefixes=(),
            truncated=shown.truncated,
            next_key=shown.next_key,
            next_id=shown.next_id,
        )
        if not shown.truncated:
            break
        query = replace(query, after_key=shown.next_key, after_id=shown.next_id)


async def test_emptying_a_bucket_while_listing_it_finds_everything(metadata: MetadataStore) -> None:
    """Tools delete each page of versions before they ask for the next: the marker they name is gone by then."""
    rows = await given_history(metadata)
    query, seen = everything(limit=3), []

    while True:
        page = await metadata.list_versions(query)
        seen += [item.version_id for item in page.items]
        names = [(item.key, item.version_id) for item in page.items]
        await metadata.delete_objects(BUCKET, names, NOW)
        if not page.truncated:
            break
        query = replace(query, after_key=page.next_key, after_id=page.next_id)

    assert seen == [version_id for _, version_id, _ in rows]
    await metadata.delete_bucket(BUCKET)


async def test_a_marker_that_was_deleted_repeats_nothing(metadata: MetadataStore) -> None:
    rows = await given_history(metadata)
    first = await metadata.list_versions(everything(limit=2))
    await metadata.delete_object(BUCKET, first.items[1].key, first.items[1].version_id, NOW)

    query = everything(after_key=first.next_key, after_id=first.next_id)
    rest = await metadata.list_versions(query)

    assert [(item.key, item.version_id, item.is_latest) for item in rest.items] == rows[2:]


async def test_uploads_of_one_key_are_paged_by_id(metadata: MetadataStore) -> None:
    await given_bucket(metadata)
    for name, upload_id in [("k", "3"), ("k", "1"), ("k", "2"), ("j", "9"), ("l", "0")]:
        await given_upload(metadata, upload_id, name=name)

    items, _ = await all_pages(metadata.list_uploads, everything(limit=2))
    after_key_only = await metadata.show_uploads(everything(after_key="k"))
    id_without_key = await metadata.show_uploads(everything(after_id="5"))

    assert [item.upload_id for item in items] == ["9", "1", "2", "3", "0"]
    assert after_key_only.columns.upload_ids == ["0"]
    assert id_without_key.columns.upload_ids == ["9", "1", "2", "3", "0"]


def expected_uploads(begun: list[tuple[str, str]], query: ListQuery) -> list[tuple[str, str] | str]:
    """The listing of uploads by its definition: key and id of each, or the common prefix that it is counted under."""
    found: list[tuple[str, str] | str] = []
    after = query.after_key.encode()
    for name, upload_id in sorted(begun, key=lambda upload: (upload[0].encode(), upload[1])):
        inside = name.encode() == after and query.after_id != "" and upload_id > query.after_id
        if not name.startswith(query.prefix) or not (name.encode() > after or inside):
            continue
        at = name.find(query.delimiter, len(query.prefix)) if query.delimiter else -1
        group = name[: at + len(query.delimiter)]
        if at < 0:
            found.append((name, upload_id))
        elif group not in (query.after_key, *found):
            found.append(group)
    return found


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=st.lists(names, max_size=12),
    prefix=st.sampled_from(["", "a", "a/"]),
    delimiter=st.sampled_from(["", "/", "-"]),
    after=st.tuples(st.just("") | names, st.sampled_from(["", "0", "0005", "0011"])),
    limit=st.integers(1, 5),
)
async def test_a_listing_of_uploads_is_what_its_definition_says(
    metadata: MetadataStore, keys: list[str], prefix: str, delimiter: str, after: tuple[str, str], limit: int
) -> None:
    bucket = BucketName(f"b-{next(_numbers)}")
    await metadata.create_bucket(a_bucket(bucket), quota=10_000)
    begun = [(name, f"{number:04}{next(_numbers)}") for number, name in enumerate(keys)]
    for name, upload_id in begun:
        await given_upload(metadata, upload_id, name=name, bucket=bucket)
    query = everything(bucket=bucket, prefix=prefix, delimiter=delimiter, limit=limit)
    query = replace(query, after_key=after[0], after_id=after[1] if after[0] else "")
    wanted = expected_uploads(begun, query)

    while True:
        shown, listed = await metadata.show_uploads(query), await metadata.list_uploads(query)

        found = [*zip(shown.columns.keys, shown.columns.upload_ids, strict=True), *shown.prefixes]
        now, wanted = wanted[:limit], wanted[limit:]
        assert sorted(found, key=str) == sorted(now, key=str)
        assert [(item.key, item.upload_id) for item in listed.items] == found[: len(listed.items)]
        assert replace(listed, items=()) == Page(
            items=(),
            prefixes=shown.prefixes,
            truncated=bool(wanted),
            next_key=shown.next_key,
            next_id=shown.next_id,
        )
        if not shown.truncated:
            break
        query = replace(query, after_key=shown.next_key, after_id=shown.next_id)
