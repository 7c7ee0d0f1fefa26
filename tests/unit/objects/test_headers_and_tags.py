"""The headers and tags of a write, and the source of a copy."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model import headers, tags
from mossaic.model.copy_source import parse_copy_source, replaces
from mossaic.model.object import ObjectAcl, StorageClass
from mossaic.protocol.errors import OssError
from mossaic.protocol.shapes import WritesObject


def shape(**fields: object) -> WritesObject:
    return WritesObject(bucket="bkt", key="a/b.txt", **fields)  # type: ignore[arg-type]  # a test's shorthand


def refused(code: str, ec: str | None = None) -> object:
    return pytest.raises(OssError, check=lambda error: (error.code, error.ec) == (code, ec))


def test_stored_headers_come_back_verbatim() -> None:
    stored = headers.object_headers(
        shape(expires="1000", cache_control="no-cache", content_disposition='attachment; filename="ä.txt"'),
        "k",
    ).stored
    assert stored == {
        "Expires": "1000",
        "Cache-Control": "no-cache",
        "Content-Disposition": 'attachment; filename="ä.txt"',
        "Content-Type": "application/octet-stream",
    }


@pytest.mark.parametrize(
    ("key", "content_type"),
    [
        ("a/b.TXT", "text/plain"),
        ("photo.jpg", "image/jpeg"),
        ("movie.mp4", "video/mp4"),
        ("logs.tar.gz", "application/gzip"),
        ("x.webp", "image/webp"),
        ("page.html", "text/html"),
        ("none", "application/octet-stream"),
        ("dir.txt/none", "application/octet-stream"),
        ("strange.qqq", "application/octet-stream"),
    ],
)
def test_the_extension_decides_the_content_type(key: str, content_type: str) -> None:
    assert headers.object_headers(shape(), key).stored["Content-Type"] == content_type
    assert headers.object_headers(shape(content_type="x/y"), key).stored["Content-Type"] == "x/y"


@pytest.mark.parametrize("value", ["a\r\nSet-Cookie: x", "a\nb", "a\0b", "\x7f"])
def test_control_characters_are_refused_everywhere(value: str) -> None:
    with refused("InvalidArgument"):
        headers.object_headers(shape(content_type=value), "k")
    with refused("InvalidArgument", "0011-00000005"):
        headers.user_meta({"a": value})
    with refused("InvalidArgument"):
        headers.persistent_headers("x-a:" + base64.b64encode(value.encode()).decode())


def test_user_meta_has_limits() -> None:
    assert headers.user_meta({"a-1": "x" * 8189}) == {"a-1": "x" * 8189}
    with refused("InvalidArgument", "0011-00000002"):
        headers.user_meta({"a-1": "x" * 8190})
    for name in ("", "a_b", "a b", "ä"):
        with refused("InvalidArgument", "0011-00000004"):
            headers.user_meta({name: "x"})


def test_text_from_a_form_travels_as_utf_8() -> None:
    assert headers.user_meta({"a": "你"})["a"].encode("latin-1").decode() == "你"


def test_persistent_headers_are_kept_and_cannot_pose_as_others() -> None:
    encoded = base64.b64encode(b"value one").decode()
    assert headers.persistent_headers(f"My-Header:{encoded},other:{encoded}") == {
        "My-Header": "value one",
        "other": "value one",
    }
    for bad in (
        "nocolon",
        f"a b:{encoded}",
        "a:!!!",
        f"Set-Cookie:{encoded}",
        f"x-oss-a:{encoded}",
        "a:/w==",
    ):
        with refused("InvalidArgument"):
            headers.persistent_headers(bad)


def test_words_with_a_fixed_set_of_values() -> None:
    assert headers.storage_class(None, StorageClass.IA) is StorageClass.IA
    assert headers.storage_class("Archive", StorageClass.IA) is StorageClass.ARCHIVE
    assert headers.object_acl(None) is ObjectAcl.DEFAULT
    assert headers.object_acl("public-read") is ObjectAcl.PUBLIC_READ
    assert [headers.forbid_overwrite(text) for text in (None, "true", "True", "false")] == [
        False,
        True,
        True,
        False,
    ]
    with refused("InvalidArgument"):
        headers.storage_class("standard", StorageClass.IA)
    with refused("InvalidArgument"):
        headers.object_acl("public")
    with refused("InvalidArgument", "0017-00000279"):
        headers.forbid_overwrite("yes")
    with refused("InvalidEncryptionAlgorithmError"):
        headers.encryption("aes")
    with refused("KmsServiceNotEnabled"):
        headers.encryption("KMS")


def test_tagging_is_url_encoded_and_a_plus_is_a_plus() -> None:
    assert tags.parse_tagging(None) == {}
    assert tags.parse_tagging("a=1&b&c=x%20y%3D&d=1+1") == {"a": "1", "b": "", "c": "x y=", "d": "1+1"}


@pytest.mark.parametrize(
    ("text", "code", "ec"),
    [
        ("a=1&&b=2", "InvalidArgument", "0010-00000219"),
        ("=1", "InvalidArgument", "0010-00000219"),
        ("a=1&a=2", "InvalidArgument", "0010-00000219"),
        ("a=%zz", "InvalidArgument", "0010-00000219"),
        ("a=%ff", "InvalidArgument", "0010-00000219"),
        ("a*=1", "InvalidTaggingKey", None),
        ("k" * 129 + "=1", "InvalidArgument", "0010-00000209"),
        ("a=" + "v" * 257, "InvalidArgument", "0010-00000217"),
        ("a=%0A", "InvalidArgument", "0010-00000217"),
        ("&".join(f"k{n}=v" for n in range(11)), "InvalidArgument", "0010-00000218"),
    ],
)
def test_bad_tags_have_oss_s_own_codes(text: str, code: str, ec: str | None) -> None:
    with refused(code, ec):
        tags.parse_tagging(text)


_TAG = st.text(alphabet="aZ09 +-=._:/", max_size=12)


@given(st.dictionaries(_TAG.filter(bool), _TAG, max_size=10))
def test_tags_survive_their_header(pairs: dict[str, str]) -> None:
    assert tags.parse_tagging(tags.format_tagging(pairs)) == pairs


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("/bkt/a/b", ("bkt", "a/b", None)),
        ("bkt/a%2Fb", ("bkt", "a/b", None)),
        ("/bkt/a%252Fb", ("bkt", "a%2Fb", None)),
        ("%2Fbkt%2Fa", ("bkt", "a", None)),
        ("/bkt/a%2Bb%3FversionId=1", ("bkt", "a+b?versionId=1", None)),
        ("/bkt/k?versionId=CAEQ1", ("bkt", "k", "CAEQ1")),
        ("/bkt/%E4%BD%A0", ("bkt", "你", None)),
        ("/bkt/" + "你".encode().decode("latin-1"), ("bkt", "你", None)),
    ],
)
def test_a_copy_source_is_decoded_once(text: str, parsed: tuple[str, str, str | None]) -> None:
    source = parse_copy_source(text)
    assert (source.bucket, source.key, source.version_id) == parsed


def test_a_plus_in_a_copy_source_is_a_space_as_the_go_sdk_v1_writes_it() -> None:
    """It calls url.QueryEscape; all other clients write %20, and all of them %2B for a plus."""
    assert parse_copy_source("/bkt/a+b%2Bc").key == "a b+c"


@pytest.mark.parametrize(
    "text", ["", "/", "bkt", "/bkt", "/bkt/", "//a", "/BKT/a", "/bkt/%zz", "/bkt/%ff", "/bkt/a?versionId="]
)
def test_a_bad_copy_source_is_an_invalid_argument(text: str) -> None:
    with refused("InvalidArgument", "0016-00000305"):
        parse_copy_source(text)


@given(st.text(min_size=1, max_size=30))
def test_no_copy_source_is_an_internal_error(text: str) -> None:
    try:
        parse_copy_source(text)
    except OssError as error:
        assert error.status == 400  # noqa: PT017  # most inputs do not raise


def test_directives() -> None:
    assert [replaces(text, "x") for text in (None, "COPY", "Copy", "REPLACE", "Replace")] == [False] * 3 + [
        True
    ] * 2
    with refused("InvalidArgument"):
        replaces("MOVE", "x")
