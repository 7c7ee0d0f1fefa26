"""Callback parameters, bodies, and which addresses may be called."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.model import callback
from mossaic.protocol.errors import OssError


def encoded(**fields: object) -> str:
    return base64.b64encode(json.dumps(fields).encode()).decode()


GOOD = {"callbackUrl": "http://example.com/cb", "callbackBody": "b=${bucket}"}


def test_no_callback_is_none() -> None:
    assert callback.parse(None, None) is None
    assert callback.parse("", None) is None


@pytest.mark.parametrize(
    ("text", "ec"),
    [
        ("%%%", "0007-00000002"),
        (base64.b64encode(b"\xff\xfe").decode(), "0007-00000002"),
        (base64.b64encode(b"no json").decode(), "0007-00000003"),
        (base64.b64encode(b"[1]").decode(), "0007-00000003"),
        (base64.b64encode(b"[" * 3000).decode(), "0007-00000003"),
        (encoded(callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="ftp://example.com", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http://example.com:port/", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http://user@example.com/", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http://exa mple.com/", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http://example.com/\r\nX: y", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http:///path", callbackBody="x"), "0007-00000004"),
        (encoded(callbackUrl="http://example.com/", callbackBody=""), "0007-00000011"),
        (encoded(callbackUrl="http://example.com/", callbackBody=5), "0007-00000011"),
        (encoded(**GOOD, callbackBodyType="text/plain"), None),
        (encoded(**GOOD, callbackHost="a\r\nX: y"), None),
        (encoded(callbackUrl=";".join(["http://example.com/"] * 6), callbackBody="x"), None),
        (base64.b64encode(b"x" * 5000).decode(), None),
    ],
)
def test_bad_parameters_are_refused_with_their_code(text: str, ec: str | None) -> None:
    with pytest.raises(OssError) as caught:
        callback.parse(text, None)

    assert caught.value.code == "InvalidArgument"
    assert caught.value.ec == ec
    assert caught.value.extras["ArgumentName"] == "callback"


@pytest.mark.parametrize(
    "text", ["%%", encoded(nox="1"), encoded(**{"x:a": 1}), base64.b64encode(b"1").decode()]
)
def test_bad_variables_are_refused(text: str) -> None:
    with pytest.raises(OssError) as caught:
        callback.parse(encoded(**GOOD), text)

    assert caught.value.extras["ArgumentName"] == "callback-var"


def test_up_to_five_urls_in_order_scheme_optional() -> None:
    spec = callback.parse(
        encoded(
            callbackUrl="example.com/a;https://b.example:8443/x?y=%20;http://[2001:db8::1]/", callbackBody="x"
        ),
        None,
    )

    assert spec is not None
    assert [
        (target.secure, target.host, target.port, target.path, target.query) for target in spec.targets
    ] == [
        (False, "example.com", 80, "/a", ""),
        (True, "b.example", 8443, "/x", "?y=%20"),
        (False, "2001:db8::1", 80, "/", ""),
    ]


def test_a_form_body_encodes_values_and_leaves_constants() -> None:
    spec = callback.parse(
        encoded(
            callbackUrl="example.com", callbackBody="b=${bucket}&m=${mimeType}&v=${x:v}&n=${nothing}&c= +"
        ),
        encoded(**{"x:v": "a&b=ü"}),
    )

    assert spec is not None
    assert (
        callback.fill(spec, {"bucket": "b", "mimeType": "text/plain"})
        == b"b=b&m=text%2Fplain&v=a%26b%3D%C3%BC&n=&c= +"
    )


json_values = st.text(st.characters(exclude_categories=("Cs",)))


@given(json_values, st.integers(0, 2**63))
def test_a_json_body_is_json_whether_the_template_quotes_or_not(value: str, size: int) -> None:
    spec = callback.parse(
        encoded(
            callbackUrl="example.com",
            callbackBodyType="application/json",
            callbackBody='{"bare":${x:v},"quoted":"${x:v}","size":${size},"none":${nothing}}',
        ),
        None,
    )
    assert spec is not None

    filled = callback.fill(spec, {"x:v": value, "size": size})

    assert json.loads(filled) == {"bare": value, "quoted": value, "size": size, "none": ""}


def test_what_is_signed() -> None:
    spec = callback.parse(encoded(callbackUrl="http://example.com/a%20b?c=%20d", callbackBody="x"), None)

    assert spec is not None
    assert callback.signed_text(spec.targets[0], b"body") == b"/a b?c=%20d\nbody"


@pytest.mark.parametrize(
    ("address", "plain", "loopback", "private"),
    [
        ("93.184.216.34", True, True, True),
        ("2606:2800:220:1::1", True, True, True),
        ("127.0.0.1", False, True, False),
        ("127.9.9.9", False, True, False),
        ("::1", False, True, False),
        ("::ffff:127.0.0.1", False, True, False),
        ("10.1.2.3", False, False, True),
        ("172.16.0.1", False, False, True),
        ("192.168.1.1", False, False, True),
        ("fd00::1", False, False, True),
        ("64:ff9b::a01:203", False, False, True),
        ("2002:a01:203::", False, False, True),
        ("169.254.169.254", False, False, False),
        ("::ffff:169.254.169.254", False, False, False),
        ("fe80::1%eth0", False, False, False),
        ("100.64.0.1", False, False, False),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("255.255.255.255", False, False, False),
    ],
)
def test_which_addresses_may_be_called(address: str, plain: bool, loopback: bool, private: bool) -> None:
    assert callback.may_call(address, allow_loopback=False, allow_private=False) is plain
    assert callback.may_call(address, allow_loopback=True, allow_private=False) is (plain or loopback)
    assert callback.may_call(address, allow_loopback=False, allow_private=True) is (plain or private)
