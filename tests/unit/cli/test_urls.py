"""`oss://` URLs, paths and `-`, as arguments of commands."""

from __future__ import annotations

import click
import pytest

from mossaic.cli.urls import (
    BUCKET_URL,
    OBJECT_URL,
    PLACE_URL,
    Local,
    Remote,
    Standard,
    parse_location,
    parse_url,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("oss://b", Remote("b")),
        ("oss://b/", Remote("b")),
        ("oss://b/k", Remote("b", "k")),
        ("oss://b/a/b c/ü?x=%20", Remote("b", "a/b c/ü?x=%20")),
        ("oss://b//k", Remote("b", "/k")),
        ("oss:///k", Remote("", "k")),
        ("oss://", Remote("")),
    ],
)
def test_a_url_is_bucket_and_key_as_they_are(text: str, expected: Remote) -> None:
    assert parse_url(text) == expected


@pytest.mark.parametrize("url", ["oss://b", "oss://b/k", "oss://b/d/", "oss:///k"])
def test_a_url_is_written_as_it_was(url: str) -> None:
    assert str(parse_url(url)) == url


@pytest.mark.parametrize("text", ["b/k", "s3://b/k", "", "oss:/b", "OSS://b"])
def test_anything_else_is_no_url(text: str) -> None:
    with pytest.raises(ValueError, match="is no URL"):
        parse_url(text)


def test_a_forgotten_scheme_is_guessed() -> None:
    with pytest.raises(ValueError, match=r"did you mean oss://b/k\?"):
        parse_url("b/k")


def test_bytes_that_are_no_utf_8_cannot_be_a_key() -> None:
    with pytest.raises(ValueError, match="not UTF-8"):
        parse_url("oss://b/\udcff")


def test_a_location_is_a_url_a_stream_or_a_path() -> None:
    assert parse_location("oss://b/k") == Remote("b", "k")
    assert parse_location("-") == Standard()
    assert parse_location("./-") == Local("./-")
    assert parse_location("dir/") == Local("dir/")
    with pytest.raises(ValueError, match="empty"):
        parse_location("")


@pytest.mark.parametrize(
    ("url", "folder", "name"),
    [
        (Remote("b"), True, ""),
        (Remote("b", "d/"), True, ""),
        (Remote("b", "d/k"), False, "k"),
        (Remote("b", "k"), False, "k"),
    ],
)
def test_a_bucket_and_what_ends_with_a_slash_are_folders(url: Remote, folder: bool, name: str) -> None:
    assert (url.is_folder, url.name) == (folder, name)


def test_join_puts_a_name_into_a_folder() -> None:
    assert Remote("b").join("k") == Remote("b", "k")
    assert Remote("b", "d/").join("k") == Remote("b", "d/k")
    assert Remote("b", "d").join("k") == Remote("b", "d/k")


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (OBJECT_URL, "oss://b"),
        (OBJECT_URL, "oss://b/"),
        (BUCKET_URL, "oss://b/k"),
        (PLACE_URL, "oss://"),
        (PLACE_URL, "b"),
    ],
)
def test_a_command_takes_only_the_kind_it_means(kind: click.ParamType, text: str) -> None:
    with pytest.raises(click.BadParameter):
        kind.convert(text, None, None)


def test_an_empty_bucket_is_that_of_the_profile() -> None:
    assert OBJECT_URL.convert("oss:///k", None, None) == Remote("", "k")
    assert PLACE_URL.convert("oss:///", None, None) == Remote("")
