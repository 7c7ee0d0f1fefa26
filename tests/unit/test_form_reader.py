"""multipart/form-data as it comes: any cut of the bytes gives the same fields and file; what is no form is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.gateway.form_reader import MAX_FIELD_VALUE, FormReader, boundary_of
from mossaic.protocol.errors import OssError

BOUNDARY = b"xXx"


class Pieces:
    """A body reader that gives at most `step` bytes at a time."""

    def __init__(self, data: bytes, step: int = 1 << 20) -> None:
        self.data, self.step = data, step

    def readinto(self, buffer: memoryview) -> int:
        piece = self.data[: min(self.step, len(buffer))]
        buffer[: len(piece)] = piece
        self.data = self.data[len(piece) :]
        return len(piece)


def form(*fields: tuple[str, bytes], file: bytes | None = b"content", after: bytes = b"") -> bytes:
    body = b""
    for name, value in fields:
        body += b'--xXx\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (name.encode(), value)
    if file is not None:
        body += b'--xXx\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\nContent-Type: text/x\r\n\r\n'
        body += file + b"\r\n"
    return body + after + b"--xXx--\r\n"


def read_file(reader: FormReader, size: int = 64) -> bytes:
    out, buffer = b"", memoryview(bytearray(size))
    while count := reader.readinto(buffer):
        out += bytes(buffer[:count])
    return out


@given(
    st.binary(max_size=300) | st.sampled_from([b"\r\n--xX", b"\r\n--xXy\r\n", b"--xXx", b"\r\n", b""]),
    st.integers(1, 50),
    st.integers(1, 40),
)
def test_any_cut_gives_the_same_form(content: bytes, step: int, size: int) -> None:
    if b"\r\n--xXx" in content:
        return
    pieces = Pieces(form(("Key", b"k/\xc3\xbc"), ("policy", b"p"), file=content) + b"epilogue", step)
    reader = FormReader(pieces, BOUNDARY)

    fields, file = reader.fields()

    assert fields == {"key": "k/ü", "policy": "p"}
    assert (file.filename, file.content_type) == ("a.txt", "text/x")
    assert read_file(reader, size) == content
    assert pieces.data == b"", "the connection goes on behind the form"


def test_fields_behind_the_file_are_ignored_and_the_first_of_a_name_wins() -> None:
    late = b'--xXx\r\nContent-Disposition: form-data; name="key"\r\n\r\nlate\r\n'
    reader = FormReader(Pieces(form(("key", b"1"), ("KEY", b"2"), after=late)), BOUNDARY)

    assert reader.fields()[0] == {"key": "1"}
    assert read_file(reader) == b"content"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "MalformedPOSTRequest"),
        (b"--xXx", "MalformedPOSTRequest"),
        (form(("key", b"k"), file=None), "IncorrectNumberOfFilesInPOSTRequest"),
        (form(("key", b"\xff")), "MalformedPOSTRequest"),
        (b"--xXx\r\nContent-Disposition: form-data\r\n\r\nv\r\n--xXx--", "MalformedPOSTRequest"),
        (b'--xXx\r\nContent-Disposition: attachment; name="key"\r\n\r\nv\r\n--xXx--', "MalformedPOSTRequest"),
        (
            b'--xXxjunk\r\nContent-Disposition: form-data; name="k"\r\n\r\nv\r\n--xXx--',
            "MalformedPOSTRequest",
        ),
        (form(("n" * 9000, b"v")), "FieldItemTooLong"),
        (form(("key", b"v" * (MAX_FIELD_VALUE + 1))), "FieldItemTooLong"),
        (form(*[(f"f{i}", b"v" * MAX_FIELD_VALUE) for i in range(3)]), "MaxPOSTPreDataLengthExceededError"),
        (form(*[(f"f{i}", b"") for i in range(1001)]), "MaxPOSTPreDataLengthExceededError"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, code: str) -> None:
    with pytest.raises(OssError) as caught:
        FormReader(Pieces(body), BOUNDARY).fields()

    assert caught.value.code == code


def test_a_file_that_does_not_end_is_refused() -> None:
    reader = FormReader(Pieces(form(("key", b"k"))[:-12]), BOUNDARY)
    reader.fields()

    with pytest.raises(OssError):
        read_file(reader)


@pytest.mark.parametrize("text", ["", "text/plain", "multipart/form-data", "multipart/mixed; boundary=x"])
def test_other_content_is_no_form(text: str) -> None:
    with pytest.raises(OssError) as caught:
        boundary_of(text)

    assert caught.value.code == "RequestIsNotMultiPartContent"


def test_a_boundary_may_be_quoted() -> None:
    assert boundary_of('multipart/form-data; boundary="a b"') == b"a b"
