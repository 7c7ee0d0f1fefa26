"""A copy inside the service that one request cannot do: in parts, with everything that hangs on the object."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mossaic.cli import copying
from mossaic.cli.urls import Remote
from mossaic.client.errors import FileAlreadyExists, NoSuchKey
from tests.e2e.harness import PART, noise

if TYPE_CHECKING:
    from mossaic.client.client import Client

DATA = noise(PART * 5 + 17)


@pytest.fixture
def small_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a gibibyte is to OSS, a hundred kilobytes are here."""
    monkeypatch.setattr(copying, "_AT_ONCE", PART)
    monkeypatch.setattr(copying, "_PART", PART)


@pytest.mark.usefixtures("small_limits")
def test_a_copy_in_parts_is_the_same_object(client: Client, place: str) -> None:
    put = client.put(
        "a b", DATA, bucket=place, meta={"who": "m\u00fc"}, tags={"t": "1"}, mime="text/x-odd", storage_class="IA",
        headers={"Cache-Control": "no-cache"},
    )  # fmt: skip

    copying.copy_object(client, Remote(place, "a b"), Remote(place, "c"))

    info = client.head("c", bucket=place)
    assert client.get_bytes("c", bucket=place) == DATA
    assert (info.type, info.crc64, info.etag[-2:]) == ("Multipart", put.crc64, "-6")
    assert (dict(info.meta), info.content_type, info.cache_control) == (
        {"who": "m\u00fc"},
        "text/x-odd",
        "no-cache",
    )
    assert info.storage_class == "IA"
    assert client.get_tags("c", bucket=place) == {"t": "1"}


@pytest.mark.usefixtures("small_limits")
def test_a_copy_in_parts_that_is_refused_leaves_nothing(client: Client, place: str) -> None:
    client.put("a", DATA, bucket=place)
    client.put("c", b"mine", bucket=place)

    with pytest.raises(FileAlreadyExists):
        copying.copy_object(client, Remote(place, "a"), Remote(place, "c"), forbid_overwrite=True)

    assert client.get_bytes("c", bucket=place) == b"mine"
    assert list(client.list_uploads(bucket=place)) == []


@pytest.mark.usefixtures("small_limits")
def test_what_is_not_there_cannot_be_copied(client: Client, place: str) -> None:
    with pytest.raises(NoSuchKey):
        copying.copy_object(client, Remote(place, "none"), Remote(place, "c"))
