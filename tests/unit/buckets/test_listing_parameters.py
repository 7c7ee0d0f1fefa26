"""Parameters of listings: page sizes are never clamped, tokens survive what clients do to them."""

from __future__ import annotations

from urllib.parse import quote, unquote, unquote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.protocol.errors import OssError
from mossaic.protocol.operations import listing as ops


@pytest.mark.parametrize(("text", "size"), [(None, 100), ("1", 1), ("1000", 1000), ("007", 7)])
def test_a_page_size_is_taken_as_it_is(text: str | None, size: int) -> None:
    assert ops.page_size(text, 100) == size


@pytest.mark.parametrize("text", ["0", "1001", "-1", "", "ten", "1.5", "+5", "٣", "1" * 5000, " 5"])
def test_a_page_size_beyond_the_limits_is_refused(text: str) -> None:
    with pytest.raises(OssError) as refused:
        ops.page_size(text, 100, name="max-uploads")

    error = refused.value
    assert (error.code, error.status, error.ec) == ("InvalidArgument", 400, "0015-00000402")
    assert error.extras == {"ArgumentName": "max-uploads", "ArgumentValue": text}


@pytest.mark.parametrize(
    ("refuse", "ec"),
    [
        (lambda: ops.page_prefix("é" * 512), "0015-00000404"),
        (lambda: ops.page_marker("m" * 1024), "0015-00000405"),
        (lambda: ops.page_delimiter("//"), "0015-00000406"),
        (lambda: ops.page_encoding("base64"), None),
        (lambda: ops.page_prefix("\udc80"), "0015-00000404"),
    ],
)
def test_other_parameters_have_limits_too(refuse: object, ec: str | None) -> None:
    with pytest.raises(OssError) as refused:
        refuse()  # type: ignore[operator]

    assert (refused.value.code, refused.value.ec) == ("InvalidArgument", ec)


def test_parameters_at_their_limits_are_taken() -> None:
    assert ops.page_prefix("p" * 1023) == "p" * 1023
    assert ops.page_delimiter("é") == "é"
    assert ops.page_delimiter("") == ""
    assert ops.page_encoding("url") == "url"


@given(st.text(max_size=250))
def test_a_token_gives_its_marker_back_whatever_decoding_it_goes_through(marker: str) -> None:
    token = ops.continuation_token(marker)

    assert not set(token) & set("%+=/ ")
    assert quote(token, safe="") == token == unquote(token) == unquote_plus(token)
    assert ops.continued_marker(token) == marker


@pytest.mark.parametrize("token", ["x", "----", "CgJiYw=!", "é", "Zm9v", ops.continuation_token("k" * 1100)])
def test_a_made_up_token_is_refused(token: str) -> None:
    with pytest.raises(OssError) as refused:
        ops.continued_marker(token)

    assert refused.value.extras["ArgumentName"] == "continuation-token"
