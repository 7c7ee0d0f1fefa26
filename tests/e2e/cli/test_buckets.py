"""`mossaic mb|rb|cors|lifecycle` on a running service."""

from __future__ import annotations

import json
import secrets
from typing import TYPE_CHECKING

import pytest

from mossaic.client.errors import NoSuchBucket, NoSuchCORSConfiguration, NoSuchLifecycle

if TYPE_CHECKING:
    from mossaic.client.client import Client
    from tests.e2e.cli.command import Command


def fresh() -> str:
    return f"cli-{secrets.token_hex(6)}"


def test_mb_makes_a_bucket_with_what_is_asked_for(mossaic: Command, client: Client) -> None:
    name = fresh()

    done = mossaic.ok(
        "mb", "--acl", "public-read", "--storage-class", "IA", "--versioning", "--json", f"oss://{name}"
    )

    assert done.records() == [{"event": "made", "url": f"oss://{name}"}]
    info = client.bucket_info(name)
    assert (info.grant, info.storage_class, info.versioning) == ("public-read", "IA", "Enabled")


def test_mb_of_a_name_that_cannot_be_is_wrong_usage(mossaic: Command) -> None:
    assert "is no bucket name" in mossaic.fails(2, "mb", "oss://Bad_Name").err
    mossaic.fails(2, "mb", "oss://bucket/key")


def test_rb_removes_an_empty_bucket_only(mossaic: Command, client: Client, place: str) -> None:
    client.put("k", b"", bucket=place)

    said = mossaic.fails(1, "rb", f"oss://{place}").err
    assert "BucketNotEmpty" in said
    assert f"mossaic rb --force oss://{place}" in said
    client.delete("k", bucket=place)
    mossaic.ok("rb", f"oss://{place}")

    with pytest.raises(NoSuchBucket):
        client.bucket_info(place)


def test_rb_force_empties_it_when_that_is_confirmed(mossaic: Command, client: Client, place: str) -> None:
    client.put_versioning("Enabled", bucket=place)
    client.put("k", b"1", bucket=place)
    client.delete("k", bucket=place)
    client.init_multipart_upload("u", bucket=place)

    assert "say --yes" in mossaic.fails(2, "rb", "--force", f"oss://{place}").err
    code, _ = mossaic.on_terminal("rb", "--force", f"oss://{place}", typed=b"\x03", when=b"[y/N]")
    assert code == 130
    client.bucket_info(place)
    emptied, removed = mossaic.ok("rb", "--force", "--yes", "--json", f"oss://{place}").records()

    assert (emptied["deleted"], emptied["aborted"], removed["event"]) == (2, 1, "removed")


# --- cors -------------------------------------------------------------------------------------------------------------


def test_cors_set_by_an_origin_is_what_ali_oss_in_a_page_needs(
    mossaic: Command, client: Client, place: str
) -> None:
    mossaic.ok("cors", "set", f"oss://{place}", "--allow-origin", "https://app.example.com")

    (rule,) = client.get_cors(bucket=place).rules
    assert rule.allowed_origins == ("https://app.example.com",)
    assert set(rule.allowed_methods) >= {"PUT", "POST", "GET", "DELETE", "HEAD"}
    assert rule.allowed_headers == ("*",)
    assert "ETag" in rule.expose_headers


def test_cors_rules_are_added_shown_and_removed_one_by_one(
    mossaic: Command, client: Client, place: str
) -> None:
    url = f"oss://{place}"
    mossaic.ok(
        "cors", "add", url, "--allow-origin", "https://a.example", "--allow-method", "get", "--max-age", "5"
    )
    mossaic.ok("cors", "add", url, "--allow-origin", "*", "--preset", "read", "--expose-header", "ETag")

    first, second = mossaic.ok("cors", "get", "--plain", url).rows()
    assert first[:5] == ["1", "https://a.example", "GET", "*", "5"]
    assert second == ["2", "*", "GET HEAD", "*", "600", "ETag"]
    mossaic.fails(2, "cors", "rm", url, "--number", "3")
    mossaic.ok("cors", "rm", url, "--number", "1")
    assert [rule.allowed_origins for rule in client.get_cors(bucket=place).rules] == [("*",)]
    mossaic.ok("cors", "rm", url)
    with pytest.raises(NoSuchCORSConfiguration):
        client.get_cors(bucket=place)


@pytest.mark.parametrize("form", ["--json", "--xml"])
def test_cors_get_is_what_cors_set_takes(mossaic: Command, client: Client, place: str, form: str) -> None:
    mossaic.ok("cors", "set", f"oss://{place}", "--allow-origin", "https://a.example")
    before = client.get_cors(bucket=place)
    text = mossaic.ok("cors", "get", form, f"oss://{place}").out
    client.delete_cors(bucket=place)

    mossaic.ok("cors", "set", f"oss://{place}", "-", stdin=text.encode())

    assert client.get_cors(bucket=place).rules == before.rules


def test_a_wrong_document_changes_nothing_and_says_where(
    mossaic: Command, client: Client, place: str
) -> None:
    (mossaic.home / "cors.json").write_text(
        '[{"AllowedOrigin": "*", "AllowedMethods": ["GET"], "MaximumAge": 5}]'
    )

    said = mossaic.fails(2, "cors", "set", f"oss://{place}", "cors.json").err

    assert "cors.json: rules[0].MaximumAge is not known" in said
    mossaic.fails(2, "cors", "set", f"oss://{place}")
    mossaic.fails(2, "cors", "set", f"oss://{place}", "no-such-file")
    with pytest.raises(NoSuchCORSConfiguration):
        client.get_cors(bucket=place)


# --- lifecycle --------------------------------------------------------------------------------------------------------


def test_abort_stale_after_keeps_other_rules_and_replaces_its_own(
    mossaic: Command, client: Client, place: str
) -> None:
    other = {"rules": [{"ID": "logs", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 30}}]}
    mossaic.ok("lifecycle", "set", f"oss://{place}", "-", stdin=json.dumps(other).encode())

    mossaic.ok("lifecycle", "abort-stale-after", "7", f"oss://{place}")
    mossaic.ok("lifecycle", "abort-stale-after", "3", f"oss://{place}")
    mossaic.ok("lifecycle", "abort-stale-after", "1", f"oss://{place}/tmp/")

    rules = client.get_lifecycle(bucket=place).rules
    days = [(rule.prefix, rule.abort_upload.days) for rule in rules if rule.abort_upload is not None]
    assert days == [("", 3), ("tmp/", 1)]
    assert rules[0].rule_id == "logs"
    said = mossaic.ok("lifecycle", "get", f"oss://{place}").out
    assert "deletes objects after 30 days" in said
    assert "aborts uploads after 3 days" in said


def test_lifecycle_rules_are_removed_one_or_all(mossaic: Command, client: Client, place: str) -> None:
    mossaic.ok("lifecycle", "abort-stale-after", "7", f"oss://{place}")
    mossaic.ok("lifecycle", "abort-stale-after", "1", f"oss://{place}/tmp/")

    mossaic.fails(2, "lifecycle", "rm", f"oss://{place}", "--id", "none")
    mossaic.ok("lifecycle", "rm", f"oss://{place}", "--id", "mossaic-abort-stale-uploads")
    assert [rule.prefix for rule in client.get_lifecycle(bucket=place).rules] == ["tmp/"]
    mossaic.ok("lifecycle", "rm", f"oss://{place}")

    with pytest.raises(NoSuchLifecycle):
        client.get_lifecycle(bucket=place)
