"""Multipart upload byte for byte: how requests of each client are read, and the answers they parse."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.gateway.route import Router
from mossaic.protocol.addressing import Address, object_url
from mossaic.protocol.codec import read_answer, read_request, write_answer
from mossaic.protocol.errors import OssError
from mossaic.protocol.operations import multipart as ops
from mossaic.protocol.part_list import PartList, listed_parts
from mossaic.protocol.shapes import Empty
from mossaic.protocol.wire import Message

AT = datetime(2026, 3, 5, 6, 7, 8, 999_000, tzinfo=UTC)
ETAG_1, ETAG_2 = "3349DC700140D7F86A078484278075A9", "8EFDA8BE206636A695359836FE0A0E0A"
UPLOAD_ID = "0004B9894A22E5B1888A1E29F8236E2D"
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


# --- answers ---------------------------------------------------------------------------------------------------------


def written(operation: object, shape: object) -> tuple[int, dict[str, str], str]:
    answer = write_answer(operation, shape)  # type: ignore[arg-type]  # a row and its own shape
    return answer.status, dict(answer.headers), answer.body.decode()


def test_initiate_answers_without_a_namespace() -> None:
    result = ops.InitiateMultipartUploadResult(bucket="bkt", key="a b/ü&.bin", upload_id=UPLOAD_ID)

    status, headers, body = written(ops.INITIATE_MULTIPART_UPLOAD, result)

    assert (status, headers) == (200, {"Content-Type": "application/xml"})
    assert body == DECLARATION + (
        "<InitiateMultipartUploadResult><Bucket>bkt</Bucket><Key>a b/ü&amp;.bin</Key>"
        f"<UploadId>{UPLOAD_ID}</UploadId></InitiateMultipartUploadResult>"
    )


def test_initiate_encodes_the_key_when_v2_asks_for_it() -> None:
    result = ops.InitiateMultipartUploadResult(
        encoding_type="url", bucket="bkt", key="a b/ü+.bin", upload_id=UPLOAD_ID
    )

    body = written(ops.INITIATE_MULTIPART_UPLOAD, result)[2]

    assert "<EncodingType>url</EncodingType>" in body
    assert "<Key>a%20b/%C3%BC%2B.bin</Key>" in body


def test_a_part_is_answered_in_headers_only() -> None:
    result = ops.UploadPartResult(etag=ETAG_1, content_md5="M0nccAFA1/hqB4SEJ4B1qQ==", crc64="42")

    status, headers, body = written(ops.UPLOAD_PART, result)

    assert (status, body) == (200, "")
    assert headers == {
        "ETag": f'"{ETAG_1}"',
        "Content-MD5": "M0nccAFA1/hqB4SEJ4B1qQ==",
        "x-oss-hash-crc64ecma": "42",
    }


def test_a_copied_part_has_its_etag_in_header_and_body() -> None:
    result = ops.CopyPartResult(
        last_modified=AT, etag=ETAG_1, etag_header=ETAG_1, crc64="42", content_range="bytes 0-9/100"
    )

    status, headers, body = written(ops.UPLOAD_PART_COPY, result)

    assert status == 200
    assert (headers["ETag"], headers["Content-Range"]) == (f'"{ETAG_1}"', "bytes 0-9/100")
    assert body == DECLARATION + (
        "<CopyPartResult><LastModified>2026-03-05T06:07:08.000Z</LastModified>"
        f'<ETag>"{ETAG_1}"</ETag></CopyPartResult>'
    )


def completed(**more: object) -> ops.CompleteMultipartUploadResult:
    return ops.CompleteMultipartUploadResult(
        location="http://bkt.localhost:9280/k",
        bucket="bkt",
        key="k",
        etag="B864DB6A936D376F9F8D3ED3BBE540DD-3",
        etag_header="B864DB6A936D376F9F8D3ED3BBE540DD-3",
        crc64="42",
        **more,  # type: ignore[arg-type]  # a test's shorthand
    )


def test_complete_has_its_etag_in_header_and_body() -> None:
    status, headers, body = written(ops.COMPLETE_MULTIPART_UPLOAD, completed())

    assert status == 200
    assert headers == {
        "ETag": '"B864DB6A936D376F9F8D3ED3BBE540DD-3"',
        "x-oss-hash-crc64ecma": "42",
        "Content-Type": "application/xml",
    }
    assert body == DECLARATION + (
        "<CompleteMultipartUploadResult><Location>http://bkt.localhost:9280/k</Location><Bucket>bkt</Bucket>"
        '<Key>k</Key><ETag>"B864DB6A936D376F9F8D3ED3BBE540DD-3"</ETag></CompleteMultipartUploadResult>'
    )


def test_the_answer_of_a_callback_replaces_the_document() -> None:
    status, headers, body = written(ops.COMPLETE_MULTIPART_UPLOAD, completed(callback_answer=b'{"ok":true}'))

    assert (status, body) == (200, '{"ok":true}')
    assert headers["Content-Type"] == "application/json"
    assert headers["ETag"] == '"B864DB6A936D376F9F8D3ED3BBE540DD-3"'


def test_abort_answers_204() -> None:
    assert written(ops.ABORT_MULTIPART_UPLOAD, Empty()) == (204, {}, "")


def list_parts(*parts: ops.StoredPart, truncated: bool = False) -> ops.ListPartsResult:
    return ops.ListPartsResult(
        bucket="bkt",
        key="k",
        upload_id=UPLOAD_ID,
        storage_class="Standard",
        part_number_marker=0,
        next_part_number_marker=parts[-1].number if parts else 0,
        max_parts=1000,
        is_truncated=truncated,
        parts=parts,
    )


def test_list_parts_carries_the_crc_of_each_part() -> None:
    part = ops.StoredPart(number=7, last_modified=AT, etag=ETAG_1, crc64="18446744073709551615", size=102_400)

    body = written(ops.LIST_PARTS, list_parts(part, truncated=True))[2]

    assert body == DECLARATION + (
        f"<ListPartsResult><Bucket>bkt</Bucket><Key>k</Key><UploadId>{UPLOAD_ID}</UploadId>"
        "<StorageClass>Standard</StorageClass><PartNumberMarker>0</PartNumberMarker>"
        "<NextPartNumberMarker>7</NextPartNumberMarker><MaxParts>1000</MaxParts><IsTruncated>true</IsTruncated>"
        "<Part><PartNumber>7</PartNumber><LastModified>2026-03-05T06:07:08.000Z</LastModified>"
        f'<ETag>"{ETAG_1}"</ETag><HashCrc64ecma>18446744073709551615</HashCrc64ecma><Size>102400</Size></Part>'
        "</ListPartsResult>"
    )


def test_list_parts_names_the_next_marker_even_without_parts() -> None:
    body = written(ops.LIST_PARTS, list_parts())[2]

    assert "<NextPartNumberMarker>0</NextPartNumberMarker>" in body
    assert "<IsTruncated>false</IsTruncated>" in body


def test_list_uploads_names_both_next_markers_even_at_the_end() -> None:
    result = ops.ListMultipartUploadsResult(
        encoding_type="url",
        bucket="bkt",
        key_marker="",
        upload_id_marker="",
        next_key_marker="",
        next_upload_id_marker="",
        delimiter="/",
        prefix="a b",
        max_uploads=1000,
        is_truncated=False,
        uploads=(ops.OpenUpload(key="a b.bin", upload_id=UPLOAD_ID, storage_class="IA", initiated=AT),),
        common_prefixes=(ops.UploadGroup(prefix="a b/"),),
    )

    body = written(ops.LIST_MULTIPART_UPLOADS, result)[2]

    assert body == DECLARATION + (
        "<ListMultipartUploadsResult><EncodingType>url</EncodingType><Bucket>bkt</Bucket><KeyMarker></KeyMarker>"
        "<UploadIdMarker></UploadIdMarker><NextKeyMarker></NextKeyMarker>"
        "<NextUploadIdMarker></NextUploadIdMarker><Delimiter>/</Delimiter><Prefix>a%20b</Prefix>"
        "<MaxUploads>1000</MaxUploads><IsTruncated>false</IsTruncated>"
        f"<Upload><Key>a%20b.bin</Key><UploadId>{UPLOAD_ID}</UploadId><StorageClass>IA</StorageClass>"
        "<Initiated>2026-03-05T06:07:08.000Z</Initiated></Upload>"
        "<CommonPrefixes><Prefix>a%20b/</Prefix></CommonPrefixes></ListMultipartUploadsResult>"
    )


@pytest.mark.parametrize(
    ("operation", "shape"),
    [
        (
            ops.INITIATE_MULTIPART_UPLOAD,
            ops.InitiateMultipartUploadResult(encoding_type="url", bucket="b", key="a b", upload_id="U"),
        ),
        (ops.LIST_PARTS, list_parts()),
        (ops.COMPLETE_MULTIPART_UPLOAD, completed(version_id="V")),
    ],
)
def test_answers_read_back_as_they_were_written(operation: object, shape: object) -> None:
    answer = write_answer(operation, shape)  # type: ignore[arg-type]  # a row and its own shape

    assert read_answer(operation, answer) == shape  # type: ignore[arg-type]  # as above


# --- the list of parts -----------------------------------------------------------------------------------------------

OSS2_2_19 = (
    f'<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"{ETAG_1}"</ETag></Part>'
    f'<Part><PartNumber>2</PartNumber><ETag>"{ETAG_2}"</ETag></Part></CompleteMultipartUpload>'
)
ALI_OSS_6_23 = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload>\n'
    f'<Part>\n<PartNumber>1</PartNumber>\n<ETag>"{ETAG_1}"</ETag>\n</Part>\n'
    f'<Part>\n<PartNumber>2</PartNumber>\n<ETag>"{ETAG_2}"</ETag>\n</Part>\n</CompleteMultipartUpload>'
)
JAVA_3_18 = OSS2_2_19.replace('"', "&quot;")
WITH_NAMESPACE = ALI_OSS_6_23.replace(
    "<CompleteMultipartUpload>", '<CompleteMultipartUpload xmlns="http://doc.oss-cn-hangzhou.aliyuncs.com">'
)


@pytest.mark.parametrize(
    "document",
    [
        OSS2_2_19,
        ALI_OSS_6_23,
        JAVA_3_18,
        JAVA_3_18.replace("&quot;", "&#34;"),
        WITH_NAMESPACE,
        OSS2_2_19.replace(">1<", "> 1 <").replace(f'"{ETAG_1}"', f'\n "{ETAG_1.lower()}" \n'),
        "\ufeff" + OSS2_2_19,
    ],
    ids=["oss2", "ali-oss", "java", "numeric references", "namespace", "blanks and case", "byte order mark"],
)
def test_the_list_of_each_client_is_read(document: str) -> None:
    listed = listed_parts(document.encode())

    assert listed == PartList.of([(1, ETAG_1), (2, ETAG_2)])


def test_numbers_out_of_range_are_read_for_the_plan_to_refuse() -> None:
    document = "<CompleteMultipartUpload><Part><PartNumber>{}</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"

    assert listed_parts(document.format(-5).encode()).numbers[0] == -5
    assert listed_parts(document.format(10_001).encode()).numbers[0] == 10_001


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"<CompleteMultipartUpload>",
        b"<completemultipartupload/>",
        b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber>1_0</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
        b"<CompleteMultipartUpload><Part><PartNumber></PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>",
        OSS2_2_19.encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b "c">]><CompleteMultipartUpload/>',
    ],
)
def test_what_is_no_list_is_malformed(document: bytes) -> None:
    with pytest.raises(OssError) as caught:
        listed_parts(document)

    assert (caught.value.code, caught.value.status, caught.value.ec) == ("MalformedXML", 400, "0042-00000205")
    assert caught.value.extras["ErrorDetail"]


PARTS = st.lists(
    st.tuples(
        st.integers(0, 10_000) | st.integers(),
        st.text("0123456789abcdefABCDEF", min_size=32, max_size=32) | st.text("aB9-<&\x0c \x85", max_size=9),
        st.sampled_from(['"', "&quot;", "&#34;", "", "'"]),
        st.sampled_from(["", "\n", " \t", "\x0c", "x", "<!-- -->"]),
    ),
    max_size=4,
)


@given(
    PARTS, st.sampled_from(["", '<?xml version="1.0" encoding="UTF-8"?>\n', '<?xml version="1.1"?>', "\n"])
)
def test_the_quick_way_reads_what_a_parser_would(
    parts: list[tuple[int, str, str, str]], declaration: str
) -> None:
    """A comment changes nothing for a parser, and keeps the quick way from being taken."""
    inner = "".join(
        f"<Part>{blank}<PartNumber>{number}{blank}</PartNumber>{blank}<ETag>{blank}{quote}{etag}{quote}</ETag></Part>"
        for number, etag, quote, blank in parts
    )
    document = f"{declaration}<CompleteMultipartUpload>{inner}{{}}</CompleteMultipartUpload>"

    def read(text: str) -> PartList | str:
        try:
            return listed_parts(text.encode())
        except OssError as error:
            return error.code

    assert read(document.format("")) == read(document.format("<!-- -->"))


STEPS = st.lists(st.integers(1, 400) | st.sampled_from([1, 9_000, 10**8]), min_size=1, max_size=40)


@given(
    STEPS,
    st.sampled_from([("", "", ""), ('"', "\n  ", "\n"), ("&quot;", "\t", "\r\n ")]),
    st.integers(0, 239),
    st.sampled_from(["", "0", " ", "x", "<", "-"]),
)
def test_parts_that_are_written_alike_are_read_as_one_by_one(
    steps: list[int], form: tuple[str, str, str], odd: int, what: str
) -> None:
    """Numbers of one to ten digits, and perhaps one part that differs from the others by a character."""
    quote, blank, last = form
    numbers = [str(number) for number in accumulate([*[1] * 200, *steps])]  # so many that they are a table
    numbers[odd % len(numbers)] = what + numbers[odd % len(numbers)]
    parts = [
        f"<Part>{blank}<PartNumber>{number}</PartNumber><ETag>{quote}{index:032x}{quote}</ETag></Part>"
        for index, number in enumerate(numbers)
    ]
    document = f"<CompleteMultipartUpload>{blank}{blank.join(parts)}{last}{{}}</CompleteMultipartUpload>"

    def read(text: str) -> PartList | str:
        try:
            return listed_parts(text.encode())
        except OssError as error:
            return error.code

    assert read(document.format("")) == read(document.format("<!-- -->"))


def test_a_document_of_blanks_is_refused_as_any_other() -> None:
    """A search that went back over them would take hours."""
    blanks = " " * 500_000
    for start in ("<Part>", "<Part><PartNumber>", "<Part><PartNumber>1</PartNumber><ETag>"):
        with pytest.raises(OssError):
            listed_parts(
                f"<CompleteMultipartUpload>{blanks}{start}{blanks}x</CompleteMultipartUpload>".encode()
            )


def test_ten_thousand_parts_are_read_in_the_time_of_a_request() -> None:
    part = '<Part><PartNumber>{}</PartNumber><ETag>"' + ETAG_1 + '"</ETag></Part>'
    document = "<CompleteMultipartUpload>" + "".join(part.format(n) for n in range(1, 10_001))
    started = time.process_time()

    listed = listed_parts((document + "</CompleteMultipartUpload>").encode())

    assert listed.numbers == tuple(range(1, 10_001))
    assert time.process_time() - started < 2  # some 0.1 s; a quadratic reader takes minutes


# --- requests --------------------------------------------------------------------------------------------------------


def routed(
    method: str, query: dict[str, str], headers: dict[str, str] | None = None, key: str | None = "k"
) -> str:
    return Router().find(method, Address(bucket="bkt", key=key), query, headers or {}).name


def test_requests_find_their_rows() -> None:
    assert routed("POST", {"uploads": ""}) == "InitiateMultipartUpload"
    assert routed("POST", {"uploads": "", "sequential": ""}) == "InitiateMultipartUpload"
    assert routed("PUT", {"partNumber": "1", "uploadId": "U"}) == "UploadPart"
    assert (
        routed("PUT", {"partNumber": "1", "uploadId": "U"}, {"x-oss-copy-source": "/b/k"}) == "UploadPartCopy"
    )
    assert routed("POST", {"uploadId": "U"}) == "CompleteMultipartUpload"
    assert routed("DELETE", {"uploadId": "U"}) == "AbortMultipartUpload"
    assert routed("GET", {"uploadId": "U"}) == "ListParts"
    assert routed("GET", {"uploads": ""}, key=None) == "ListMultipartUploads"


def test_an_upload_id_without_a_part_number_is_never_an_object_put() -> None:
    assert routed("PUT", {"uploadId": "U"}) == "UploadPart"


def test_the_headers_that_ali_oss_repeats_on_every_part_are_not_read() -> None:
    """ali-oss 6.18: the caller's headers travel with Initiate, with each part and with Complete."""
    headers = {
        "cache-control": "no-cache",
        "content-disposition": "example.txt",
        "content-encoding": "utf-8",
        "expires": "1000",
        "x-oss-tagging": "Tag1=1&Tag2=2",
        "x-oss-forbid-overwrite": "true",
        "x-oss-meta-year": "2020",
        "content-length": "5",
    }
    message = Message(
        method="PUT",
        bucket="bkt",
        key="k",
        query={"partNumber": "1", "uploadId": UPLOAD_ID},
        headers=headers,
    )

    asked = read_request(ops.UploadPart, message)

    assert asked == ops.UploadPart(
        bucket="bkt", key="k", part_number="1", upload_id=UPLOAD_ID, content_length="5"
    )


def test_the_location_is_virtual_hosted_where_there_is_a_name() -> None:
    assert object_url("http://localhost:9280", "bkt", "a b/ü") == "http://bkt.localhost:9280/a%20b/%C3%BC"
    assert object_url("https://oss.example.com", "bkt", "k") == "https://bkt.oss.example.com/k"
    assert object_url("http://127.0.0.1:9280", "bkt", "k+") == "http://127.0.0.1:9280/bkt/k%2B"
    assert object_url("http://[::1]:9280", "bkt", "k") == "http://[::1]:9280/bkt/k"
