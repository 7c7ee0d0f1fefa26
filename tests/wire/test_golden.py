"""Whole answers, byte for byte: status, headers that matter and XML of one exchange after the other, a file a family.

`MOSSAIC_GOLDEN=update pytest tests/wire/test_golden.py` writes the files again; read the diff before it is committed.
What differs from run to run (ids, times, the port) is masked.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import oss2
import pytest

from tests.e2e.harness import ACCESS_KEY_ID, PART, Server, build_server

GOLDEN = Path(__file__).parent / "golden"
BUCKET = "golden-bucket"
SHOWN = re.compile(
    r"^(etag|content-|x-oss-|access-control-|vary|allow|location|accept-ranges|expires|cache-control)"
)
HIDDEN = ("x-oss-request-id", "x-oss-server-time", "x-oss-err", "content-length")
MASKS = (
    (re.compile(r"<RequestId>[0-9A-F]{24}"), "<RequestId>REQUEST-ID"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z"), "TIME"),
    (re.compile(r"127\.0\.0\.1:\d+"), "HOST"),
    (re.compile(r"<LastModifiedTime>\d+"), "<LastModifiedTime>SECONDS"),
    (re.compile(r"CAEQ[0-9A-Za-z]{60}"), "VERSION-ID"),
    (re.compile(r"<(Signature[A-Za-z]*|StringToSign[A-Za-z]*)>[^<]*"), r"<\1>..."),
)
CORS = (
    b"<CORSConfiguration><CORSRule><AllowedOrigin>http://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    b"<AllowedHeader>*</AllowedHeader><ExposeHeader>ETag</ExposeHeader><MaxAgeSeconds>9</MaxAgeSeconds></CORSRule>"
    b"<ResponseVary>true</ResponseVary></CORSConfiguration>"
)
LIFECYCLE = (
    b"<LifecycleConfiguration><Rule><ID>r</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration>"
    b"<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule></LifecycleConfiguration>"
)
TAGS = b"<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>"
ENABLED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
VERSIONED = "golden-versions"
WRONG = {"Signature": "c2lnbmVkIHdyb25nbHk="}
NOBODY = {"OSSAccessKeyId": "nobody", **WRONG}
_SMALL, _LAST = (hashlib.md5(body).hexdigest().upper() for body in (b"small", b"last"))


@dataclass(frozen=True)
class Ask:
    """One request; `{upload}` in it is the id of the upload that was begun last. `signed` False: anonymous."""

    method: str
    key: str = ""
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    signed: bool = True
    bucket: str = BUCKET


def _listed(*parts: tuple[int, str]) -> bytes:
    """The body of a Complete."""
    rows = "".join(
        f'<Part><PartNumber>{number}</PartNumber><ETag>"{etag}"</ETag></Part>' for number, etag in parts
    )
    return f"<CompleteMultipartUpload>{rows}</CompleteMultipartUpload>".encode()


FAMILIES: dict[str, list[Ask]] = {
    "bucket": [
        Ask("PUT"),
        Ask("GET", query={"location": ""}),
        Ask("GET", query={"acl": ""}),
        Ask("GET", query={"bucketInfo": ""}),
        Ask("GET", query={"stat": ""}),
        Ask("GET", query={"versioning": ""}),
        Ask("GET", query={"tagging": ""}),
        Ask("PUT", bucket="Bad_Name"),
        Ask("PUT", headers={"x-oss-acl": "everything"}),
        Ask("GET", query={"acl": ""}, bucket="no-such-bucket"),
        Ask("GET", bucket=""),
    ],
    "settings": [
        Ask("GET", query={"cors": ""}),
        Ask("PUT", query={"cors": ""}, body=CORS),
        Ask("GET", query={"cors": ""}),
        Ask(
            "OPTIONS",
            "k",
            headers={"Origin": "http://a.example", "Access-Control-Request-Method": "GET"},
            signed=False,
        ),
        Ask(
            "OPTIONS",
            "k",
            headers={"Origin": "http://b.example", "Access-Control-Request-Method": "GET"},
            signed=False,
        ),
        Ask("OPTIONS", "k", signed=False),
        Ask("GET", "none", headers={"Origin": "http://a.example"}),
        Ask("DELETE", query={"cors": ""}),
        Ask("GET", query={"lifecycle": ""}),
        Ask("PUT", query={"lifecycle": ""}, body=LIFECYCLE),
        Ask("GET", query={"lifecycle": ""}),
        Ask("DELETE", query={"lifecycle": ""}),
        Ask("PUT", query={"tagging": ""}, body=TAGS),
        Ask("GET", query={"tagging": ""}),
        Ask("GET", query={"policy": ""}),
        Ask("GET", query={"website": ""}),
        Ask("PUT", query={"cors": ""}, body=b"<!DOCTYPE a><CORSConfiguration/>"),
    ],
    "object": [
        Ask(
            "PUT",
            "dir/a b+ü.txt",
            headers={"x-oss-meta-year": "2020", "x-oss-tagging": "a=1", "Expires": "1000"},
            body=b"hello",
        ),
        Ask("GET", "dir/a b+ü.txt"),
        Ask("HEAD", "dir/a b+ü.txt"),
        Ask("HEAD", "dir/a b+ü.txt", query={"objectMeta": ""}),
        Ask("GET", "dir/a b+ü.txt", headers={"Range": "bytes=1-2"}),
        Ask("GET", "dir/a b+ü.txt", headers={"Range": "bytes=9-"}),
        Ask("GET", "dir/a b+ü.txt", headers={"Range": "bytes=9-", "x-oss-range-behavior": "standard"}),
        Ask("GET", "dir/a b+ü.txt", headers={"If-None-Match": '"5D41402ABC4B2A76B9719D911017C592"'}),
        Ask("GET", "dir/a b+ü.txt", headers={"If-Match": '"0"'}),
        Ask("GET", "dir/a b+ü.txt", query={"tagging": ""}),
        Ask("GET", "dir/a b+ü.txt", query={"acl": ""}),
        Ask("PUT", "copy", headers={"x-oss-copy-source": f"/{BUCKET}/dir/a%20b%2B%C3%BC.txt"}),
        Ask("PUT", "dir/a b+ü.txt", headers={"x-oss-forbid-overwrite": "true"}, body=b"x"),
        Ask("PUT", "bad", headers={"Content-MD5": "1B2M2Y8AsgTpgAmY7PhCfg=="}, body=b"x"),
        Ask("GET", "none"),
        Ask("HEAD", "none"),
        Ask("GET", "copy", signed=False),
        Ask("GET", "copy", query={"torrent": ""}),
        Ask("GET", query={"prefix": "dir/", "delimiter": "/", "encoding-type": "url"}),
        Ask("GET", query={"list-type": "2", "max-keys": "1"}),
        Ask("GET", query={"versions": ""}),
        Ask("GET", query={"max-keys": "0"}),
        Ask("POST", query={"delete": ""}, body=b"<Delete><Object><Key>copy</Key></Object></Delete>"),
        Ask(
            "POST",
            query={"delete": ""},
            body=b"<Delete><Quiet>true</Quiet><Object><Key>copy</Key></Object></Delete>",
        ),
        Ask("DELETE", "dir/a b+ü.txt"),
    ],
    "multipart": [
        Ask("POST", "m", query={"uploads": ""}, headers={"x-oss-storage-class": "IA"}),
        Ask("PUT", "m", query={"partNumber": "1", "uploadId": "{upload}"}, body=b"a" * PART),
        Ask("PUT", "m", query={"partNumber": "2", "uploadId": "{upload}"}, body=b"b"),
        Ask("PUT", "m", query={"partNumber": "10001", "uploadId": "{upload}"}, body=b"b"),
        Ask("GET", "m", query={"uploadId": "{upload}"}),
        Ask("GET", query={"uploads": ""}),
        Ask("POST", "m", query={"uploadId": "{upload}"}, headers={"x-oss-storage-class": "IA"}),
        Ask("POST", "m", query={"uploadId": "{upload}"}, body=b"<Wrong/>"),
        Ask("POST", "m", query={"uploadId": "{upload}"}, headers={"x-oss-complete-all": "yes"}),
        Ask("HEAD", "m"),
        Ask("DELETE", "m", query={"uploadId": "{upload}"}),
        Ask("PUT", "m", query={"partNumber": "1", "uploadId": "{upload}"}, body=b"late"),
    ],
    "lists-of-parts": [
        Ask("POST", "l", query={"uploads": "", "encoding-type": "url"}),
        Ask("PUT", "l", query={"partNumber": "1", "uploadId": "{upload}"}, body=b"small"),
        Ask("PUT", "l", query={"partNumber": "7", "uploadId": "{upload}"}, body=b"last"),
        Ask("PUT", "l", query={"partNumber": "x", "uploadId": "{upload}"}, body=b"last"),
        Ask("GET", "l", query={"uploadId": "{upload}", "max-parts": "1"}),
        Ask("GET", "l", query={"uploadId": "{upload}", "part-number-marker": "1"}),
        Ask("GET", "l", query={"uploadId": "{upload}", "max-parts": "1001"}),
        Ask("GET", query={"uploads": "", "prefix": "l", "max-uploads": "1"}),
        *(
            Ask("POST", "l", query={"uploadId": "{upload}"}, body=_listed(*parts))
            for parts in (
                [(7, _LAST), (1, _SMALL)],  # InvalidPartOrder
                [(1, _LAST)],  # InvalidPart: another ETag
                [(2, _SMALL)],  # InvalidPart: not there
                [(1, _SMALL), (7, _LAST)],  # EntityTooSmall
                [(7, _LAST)],
                [(7, _LAST)],  # the same once more: the first answer
                [(1, _SMALL)],  # another list: NoSuchUpload
            )
        ),
        Ask("GET", "l"),
        Ask("DELETE", "l", query={"uploadId": "{upload}"}),
        Ask("POST", "c", query={"uploads": ""}),
        Ask(
            "PUT",
            "c",
            query={"partNumber": "1", "uploadId": "{upload}"},
            headers={"x-oss-copy-source": f"/{BUCKET}/l", "x-oss-copy-source-range": "bytes=1-2"},
        ),
        Ask(
            "PUT",
            "c",
            query={"partNumber": "2", "uploadId": "{upload}"},
            headers={"x-oss-copy-source": f"/{BUCKET}/none"},
        ),
        Ask("DELETE", "c", query={"uploadId": "{upload}"}),
    ],
    "object-settings": [
        Ask("POST", "log", query={"append": "", "position": "0"}, body=b"one"),
        Ask("POST", "log", query={"append": "", "position": "1"}, body=b"two"),
        Ask("POST", "log", query={"append": "", "position": "3"}, body=b"two"),
        Ask("GET", "log"),
        Ask("PUT", "log", query={"acl": ""}, headers={"x-oss-object-acl": "public-read"}),
        Ask("GET", "log", query={"acl": ""}),
        Ask("PUT", "log", query={"acl": ""}, headers={"x-oss-object-acl": "anything"}),
        Ask("PUT", "log", query={"tagging": ""}, body=TAGS),
        Ask("GET", "log", query={"tagging": ""}),
        Ask("DELETE", "log", query={"tagging": ""}),
        Ask("PUT", "link", query={"symlink": ""}, headers={"x-oss-symlink-target": "log"}),
        Ask("GET", "link", query={"symlink": ""}),
        Ask("GET", "link"),
        Ask("GET", "log", query={"symlink": ""}),
        Ask("PUT", "dangling", query={"symlink": ""}, headers={"x-oss-symlink-target": "none"}),
        Ask("HEAD", "dangling"),
        Ask("POST", "log", query={"restore": ""}),
    ],
    "versions": [
        Ask("PUT", bucket=VERSIONED),
        Ask("PUT", query={"versioning": ""}, body=ENABLED, bucket=VERSIONED),
        Ask("GET", query={"versioning": ""}, bucket=VERSIONED),
        Ask("PUT", "k", body=b"first", bucket=VERSIONED),
        Ask("DELETE", "k", bucket=VERSIONED),
        Ask("GET", "k", bucket=VERSIONED),
        Ask("HEAD", "k", bucket=VERSIONED),
        Ask("GET", query={"versions": ""}, bucket=VERSIONED),
        Ask("GET", "k", query={"versionId": "null"}, bucket=VERSIONED),
        Ask("DELETE", bucket=VERSIONED),
    ],
    "refusals": [
        Ask("GET", "private", signed=False),
        Ask("HEAD", "private", signed=False),
        Ask("GET", "k", query=NOBODY | {"Expires": "4102444800"}, signed=False),
        Ask("GET", "k", query={"OSSAccessKeyId": ACCESS_KEY_ID, **WRONG, "Expires": "1"}, signed=False),
        Ask(
            "GET",
            "k",
            query={"OSSAccessKeyId": ACCESS_KEY_ID, **WRONG, "Expires": "4102444800"},
            signed=False,
        ),
        Ask("HEAD", bucket="no-such-bucket"),
        Ask("GET", query={"inventory": ""}),
        Ask("GET", "k", query={"x-oss-process": "image/resize,w_9"}),
        Ask("PUT", "no-length", headers={"x-oss-meta-": "nameless"}, body=b"x"),
        Ask("PUT", "bad-tags", headers={"x-oss-tagging": "a=1&a=2"}, body=b"x"),
        Ask("PUT", "bad-class", headers={"x-oss-storage-class": "Nothing"}, body=b"x"),
        Ask("POST", query={"delete": ""}, body=b"<Delete><Object></Delete>"),
        Ask("PUT", "\\not-a-key", body=b"x"),
    ],
}


@pytest.fixture(scope="module")
def golden_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = build_server(tmp_path_factory.mktemp("golden")).start()
    yield server
    server.stop()


def answered(server: Server, ask: Ask, upload: str) -> tuple[str, str]:
    """The exchange as text, masked, and the upload id it gave or the one before."""
    query = {name: value.replace("{upload}", upload) for name, value in ask.query.items()}
    url = f"{server.endpoint}/{ask.bucket}{'/' if ask.bucket else ''}{oss2.compat.urlquote(ask.key, '/')}"
    request = oss2.http.Request(ask.method, url, data=ask.body, params=query, headers=dict(ask.headers))
    if ask.signed:
        auth = oss2.Auth(server.access_key_id, server.access_key_secret)
        auth._sign_request(request, ask.bucket, ask.key)
    answer = oss2.Session().do_request(request, timeout=20)
    body = answer.read().decode()
    head = [
        f"{name}: {value}"
        for name, value in sorted((name.lower(), value) for name, value in answer.headers.items())
        if SHOWN.match(name) and name not in HIDDEN
    ]
    if "x-oss-err" in answer.headers:
        head.append("x-oss-err: base64 of what follows")
        body = base64.b64decode(answer.headers["x-oss-err"]).decode()
    named = re.search(r"<UploadId>([^<]+)</UploadId>", body)
    upload = named[1] if named and "InitiateMultipartUploadResult" in body else upload
    told = " ".join([ask.method, f"/{ask.key}", *(f"?{name}={value}" for name, value in ask.query.items())])
    told += "".join(f"\n> {name}: {value}" for name, value in ask.headers.items())
    return masked(f"{told}\n{answer.status}\n" + "\n".join(head) + f"\n\n{body}\n", upload), upload


def masked(text: str, upload: str) -> str:
    if upload:
        text = text.replace(upload, "UPLOAD-ID")
    for pattern, mask in MASKS:
        text = pattern.sub(mask, text)
    return text


def without_random_etags(text: str) -> str:
    """The ETag of an appended object is random; a symbolic link shows its target's."""
    for etag in re.findall(r'etag: "([0-9A-F]{32})"\n(?=.*\nx-oss-next-append-position)', text):
        text = text.replace(etag, "RANDOM-ETAG")
    return text


@pytest.mark.parametrize("family", FAMILIES)
def test_answers_are_the_golden_ones(golden_server: Server, family: str) -> None:
    oss2.Bucket(
        oss2.Auth(golden_server.access_key_id, golden_server.access_key_secret),
        golden_server.endpoint,
        BUCKET,
    ).create_bucket()
    texts, upload = [], ""
    for ask in FAMILIES[family]:
        text, upload = answered(golden_server, ask, upload)
        texts.append(text)
    found = without_random_etags(f"{'-' * 80}\n".join(texts))
    path = GOLDEN / f"{family}.txt"

    if os.environ.get("MOSSAIC_GOLDEN") == "update":
        path.write_text(found)
    assert path.read_text() == found
