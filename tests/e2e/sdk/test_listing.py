"""The listings of the SDK: pages stay hidden, names come as they are, and no more is asked than is used."""

from __future__ import annotations

import pytest

from mossaic.client.client import Client
from mossaic.client.errors import NoSuchBucket
from mossaic.protocol.operations.listing import CommonPrefix, MarkerEntry, ObjectEntry, VersionEntry
from tests.e2e.harness import Server
from tests.faults.proxy import FaultProxy

ODD = ["\x01", " ", "%2F", "&amp;<>", "a b", "a+b", "a\tb", "ü", "漢/字", "🧩"]


def keys(entries: object) -> list[str]:
    return [entry.prefix if isinstance(entry, CommonPrefix) else entry.key for entry in entries]  # type: ignore[attr-defined]


@pytest.mark.parametrize("page_size", [1, 3, 1000])
def test_all_objects_come_in_order_whatever_the_page(client: Client, page_size: int) -> None:
    for name in ODD:
        client.put(name, b"x")

    assert keys(client.list_objects(page_size=page_size)) == sorted(ODD)


def test_an_entry_tells_what_is_known(client: Client) -> None:
    put = client.put("k", b"12345", storage_class="IA")

    (entry,) = client.list_objects(fetch_owner=True)

    assert isinstance(entry, ObjectEntry)
    assert (entry.key, entry.size, entry.etag, entry.type) == ("k", 5, put.etag, "Normal")
    assert (entry.storage_class, entry.modified_at) == ("IA", client.head("k").modified_at)
    assert entry.owner is not None
    assert entry.owner.id
    (without,) = client.list_objects()
    assert isinstance(without, ObjectEntry)
    assert without.owner is None


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_a_delimiter_shows_one_level_between_the_objects(client: Client, page_size: int) -> None:
    for name in ("a/1", "a/2", "b", "c/d/e", "c/f", "z"):
        client.put(name, b"")

    top = list(client.list_objects(delimiter="/", page_size=page_size))

    assert keys(top) == ["a/", "b", "c/", "z"]
    assert [type(entry) for entry in top] == [CommonPrefix, ObjectEntry, CommonPrefix, ObjectEntry]
    assert keys(client.list_objects("c/", delimiter="/", page_size=page_size)) == ["c/d/", "c/f"]


def test_a_listing_begins_where_it_is_told_to(client: Client) -> None:
    for name in ("a", "b", "ba", "c"):
        client.put(name, b"")

    assert keys(client.list_objects("b")) == ["b", "ba"]
    assert keys(client.list_objects(start_after="b")) == ["ba", "c"]
    assert keys(client.list_objects("nothing")) == []


def test_no_more_is_asked_than_is_used(shaky: Client, proxy: FaultProxy) -> None:
    for at in range(7):
        shaky.put(f"{at}", b"")
    proxy.seen.clear()

    assert keys(shaky.list_objects(max_items=5, page_size=3)) == ["0", "1", "2", "3", "4"]
    assert len(proxy.seen) == 2
    listing = shaky.list_objects(page_size=2)
    assert len(proxy.seen) == 2, "making a listing asks nothing"
    assert keys([next(listing)]) == ["0"]
    assert keys([next(listing)]) == ["1"]
    assert len(proxy.seen) == 3
    assert keys(listing.next_page()) == ["2", "3"]
    assert keys([next(listing)]) == ["4"]
    assert keys(listing.next_page()) == ["5"]
    assert keys(listing) == ["6"]
    assert listing.next_page() == []
    assert keys(shaky.list_objects(max_items=0)) == []
    assert len(proxy.seen) == 6


def test_what_a_listing_cannot_be_is_refused_at_once(client: Client) -> None:
    for page_size in (0, 1001):
        with pytest.raises(ValueError, match="page"):
            client.list_objects(page_size=page_size)
    with pytest.raises(ValueError, match="max_items"):
        client.list_objects(max_items=-1)
    with pytest.raises(NoSuchBucket):
        next(client.list_objects(bucket="no-bucket-of-that-name"))


@pytest.mark.parametrize("page_size", [1, 2, 1000])
def test_versions_come_by_key_and_the_newest_first(client: Client, page_size: int) -> None:
    client.put_versioning("Enabled")
    made = [client.put("a/ü", bytes([at])).version_id for at in range(3)]
    gone = client.delete("a/ü").version_id
    other = client.put("b", b"x").version_id

    listed = list(client.list_versions(page_size=page_size))

    found = [(type(each), each.key, each.version_id) for each in listed if not isinstance(each, CommonPrefix)]
    assert found[0] == (MarkerEntry, "a/ü", gone)
    assert sorted(found[1:4], key=str) == sorted([(VersionEntry, "a/ü", each) for each in made], key=str)
    assert found[4:] == [(VersionEntry, "b", other)]
    assert [each.is_latest for each in listed if not isinstance(each, CommonPrefix)] == [True, False, False, False, True]  # fmt: skip
    assert keys(client.list_versions(delimiter="/", page_size=page_size)) == ["a/", "b"]
    assert keys(client.list_versions(key_marker="a/ü")) == ["b"]
    assert len(list(client.list_versions(max_items=2))) == 2


def test_buckets_are_listed_by_name_and_by_tag(client: Client, server: Server) -> None:
    names = [f"{client.bucket}-{letter}" for letter in "abc"]
    for name in names:
        client.put_bucket(name, tags={"of": name})

    found = list(client.list_buckets(client.bucket or "", page_size=2))

    assert [each.name for each in found] == [client.bucket, *names]
    assert found[1].created_at.tzinfo is not None
    assert found[1].region == server.region
    assert [each.name for each in client.list_buckets(client.bucket or "", marker=names[0])] == names[1:]
    assert [each.name for each in client.list_buckets(tag_key="of", tag_value=names[1])] == [names[1]]
