"""What the object operations answer, header by header, to requests signed with V1 and sent as they stand."""

from __future__ import annotations

import base64
import hashlib
import socket
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

import oss2
import oss2.http
import pytest

from mossaic.protocol.checksum import crc64

if TYPE_CHECKING:
    from tests.e2e.harness import Server

HELLO_MD5 = "5D41402ABC4B2A76B9719D911017C592"
BIG = bytes(range(256)) * 400


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def element(self, path: str) -> str | None:
        return ET.fromstring(self.body).findtext(path)

    @property
    def error(self) -> tuple[int, str | None, str | None]:
        """Status, Code and EC; of a HEAD's answer from x-oss-err."""
        document = self.body or base64.b64decode(self.headers.get("x-oss-err", ""))
        root = ET.fromstring(document)
        assert root.tag == "Error"
        assert self.headers.get("x-oss-ec") == root.findtext("EC")
        return self.status, root.findtext("Code"), root.findtext("EC")


@dataclass(frozen=True)
class Wire:
    server: Server
    bucket: str

    def __call__(
        self,
        method: str,
        key: str = "",
        query: dict[str, str] | None = None,
        *,
        body: bytes | None = None,
        anonymous: bool = False,
        **headers: str,
    ) -> Answer:
        """Header names are given with underscores."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        target = f"/{self.bucket}/{quote(key)}"
        request = oss2.http.Request(method, self.server.endpoint + target, params=query or {}, headers=named)
        if not anonymous:
            oss2.Auth(self.server.access_key_id, self.server.access_key_secret)._sign_request(
                request, self.bucket, key
            )
        sent = {
            name: value
            for name, value in request.headers.items()
            if name.lower() not in {"accept-encoding", "user-agent"}
        }
        sent.setdefault("content-length", str(len(body or b"")))
        text = "?" + urlencode(query, quote_via=quote) if query else ""
        return Answer(*self.server.request(method, target + text, headers=sent, body=body))


@pytest.fixture
def wire(server: Server, bucket: str) -> Wire:
    return Wire(server, bucket)


def versioned(wire: Wire, status: str) -> None:
    body = f"<VersioningConfiguration><Status>{status}</Status></VersioningConfiguration>".encode()
    assert wire("PUT", query={"versioning": ""}, body=body).status == 200


def test_put_and_get_answer_with_every_header(wire: Wire) -> None:
    put = wire(
        "PUT",
        "dir/a.txt",
        body=b"hello",
        cache_control="no-cache",
        expires="1000",
        content_disposition="attachment",
        content_encoding="identity",
        x_oss_meta_Author="you",
        x_oss_tagging="a=1&b=2",
        x_oss_storage_class="IA",
        x_oss_server_side_encryption="AES256",
        x_oss_persistent_headers="My-Header:" + base64.b64encode(b"mine").decode(),
    )
    assert (put.status, put.body) == (200, b"")
    md5 = base64.b64encode(bytes.fromhex(HELLO_MD5)).decode()
    assert put.headers["etag"] == f'"{HELLO_MD5}"'
    assert put.headers["content-md5"] == md5
    assert put.headers["x-oss-hash-crc64ecma"] == str(crc64(b"hello"))
    assert put.headers["x-oss-server-side-encryption"] == "AES256"
    assert "x-oss-version-id" not in put.headers

    got, head = wire("GET", "dir/a.txt"), wire("HEAD", "dir/a.txt")

    assert (got.status, got.body, head.status, head.body) == (200, b"hello", 200, b"")
    for headers in (got.headers, head.headers):
        assert headers["content-length"] == "5"
        assert headers["content-type"] == "text/plain"
        assert headers["etag"] == f'"{HELLO_MD5}"'
        assert headers["content-md5"] == md5
        assert headers["last-modified"].endswith("GMT")
        assert headers["accept-ranges"] == "bytes"
        assert headers["cache-control"] == "no-cache"
        assert headers["expires"] == "1000"
        assert headers["content-disposition"] == "attachment"
        assert headers["content-encoding"] == "identity"
        assert headers["x-oss-meta-author"] == "you"
        assert headers["x-oss-tagging-count"] == "2"
        assert headers["x-oss-storage-class"] == "IA"
        assert headers["x-oss-object-type"] == "Normal"
        assert headers["x-oss-hash-crc64ecma"] == str(crc64(b"hello"))
        assert headers["x-oss-server-side-encryption"] == "AES256"
        assert headers["my-header"] == "mine"
        assert len(headers["x-oss-request-id"]) == 24


def test_ranges_over_a_blob(wire: Wire) -> None:
    wire("PUT", "a", body=BIG)
    part = wire("GET", "a", range="bytes=100-299")
    assert (part.status, part.body) == (206, BIG[100:300])
    assert part.headers["content-range"] == "bytes 100-299/102400"
    assert part.headers["x-oss-hash-crc64ecma"] == str(crc64(BIG))
    beyond = wire("GET", "a", range="bytes=100-102400")
    assert (beyond.status, beyond.body) == (200, BIG)
    assert "content-range" not in beyond.headers
    standard = wire("GET", "a", range="bytes=102399-200000", x_oss_range_behavior="standard")
    assert (standard.status, standard.body) == (206, BIG[-1:])
    refused = wire("GET", "a", range="bytes=102400-", x_oss_range_behavior="standard")
    assert refused.error[:2] == (416, "InvalidRange")
    assert refused.headers["content-range"] == "bytes */102400"


def test_conditions(wire: Wire) -> None:
    wire("PUT", "a", body=b"hello")
    fresh = wire("GET", "a", if_none_match=f'"{HELLO_MD5}"')
    assert (fresh.status, fresh.body) == (304, b"")
    assert fresh.headers["etag"] == f'"{HELLO_MD5}"'
    assert "x-oss-err" not in fresh.headers
    failed = wire("GET", "a", if_match="x")
    assert failed.error[:2] == (412, "PreconditionFailed")
    assert failed.element("Condition") == "If-Match"
    assert wire("HEAD", "a", if_match="x").error[:2] == (412, "PreconditionFailed")
    refused = wire("PUT", "a", body=b"x", if_none_match="*")
    assert refused.error[:2] == (400, "NotImplemented")
    assert wire("GET", "a").body == b"hello"


def test_responses_can_be_given_other_headers_but_not_by_anybody(wire: Wire) -> None:
    wire("PUT", "a.txt", body=b"hello", x_oss_object_acl="public-read")
    query = {
        "response-content-type": "x/y",
        "response-content-disposition": 'attachment; filename="你"',
        "response-expires": "0",
    }
    got = wire("GET", "a.txt", query)
    assert got.headers["content-type"] == "x/y"
    assert got.headers["content-disposition"].encode("latin-1").decode() == 'attachment; filename="你"'
    assert got.headers["expires"] == "0"
    latin = wire("GET", "a.txt", {"response-content-disposition": 'attachment; filename="ü"'})
    assert latin.headers["content-disposition"].encode("latin-1").decode() == 'attachment; filename="ü"'
    assert wire("GET", "a.txt", anonymous=True).body == b"hello"
    assert wire("GET", "a.txt", query, anonymous=True).error[:2] == (400, "InvalidRequest")
    assert wire("GET", "a.txt", {"response-expires": "a\r\nSet-Cookie: b"}).error[:2] == (
        400,
        "InvalidArgument",
    )


def test_errors_of_puts(wire: Wire) -> None:
    assert wire("PUT", "a", body=b"x", content_md5="1B2M2Y8AsgTpgAmY7PhCfg==").error[:2] == (
        400,
        "InvalidDigest",
    )
    assert wire("PUT", "a", body=b"x", x_oss_hash_crc64ecma="1").error[:2] == (400, "InvalidCRC64")
    assert wire("PUT", "a", body=b"x", x_oss_storage_class="Cold").error[:2] == (400, "InvalidArgument")
    assert wire("PUT", "a", body=b"x", x_oss_tagging="a=1&a=2").error == (
        400,
        "InvalidArgument",
        "0010-00000219",
    )
    assert wire("PUT", "a", body=b"x", x_oss_forbid_overwrite="1").error == (
        400,
        "InvalidArgument",
        "0017-00000279",
    )
    assert wire("PUT", "k" * 1024, body=b"x").error[:2] == (400, "InvalidObjectName")
    assert wire("HEAD", "a").error == (404, "NoSuchKey", "0026-00000001")
    wire("PUT", "a", body=b"x")
    again = wire("PUT", "a", body=b"y", x_oss_forbid_overwrite="true")
    assert again.error == (409, "FileAlreadyExists", "0026-00000002")
    assert wire("GET", "a", {"torrent": ""}).status == 501
    assert wire("GET", "a", {"x-oss-process": "image/info"}).status == 501


def test_traffic_limits_are_checked(wire: Wire) -> None:
    limit = {"x-oss-traffic-limit": "819200"}
    assert wire("PUT", "a", limit, body=b"x").status == 200
    assert wire("GET", "a", x_oss_traffic_limit="819199").error == (400, "InvalidArgument", "0004-00000502")
    assert wire("GET", "a", x_oss_traffic_limit="fast").error == (400, "InvalidArgument", "0004-00000502")
    assert wire("GET", "a", limit, x_oss_traffic_limit="819200").error[:2] == (400, "InvalidArgument")


def test_a_put_must_say_how_long_it_is(wire: Wire) -> None:
    request = oss2.http.Request("PUT", f"{wire.server.endpoint}/{wire.bucket}/a")
    oss2.Auth(wire.server.access_key_id, wire.server.access_key_secret)._sign_request(
        request, wire.bucket, "a"
    )
    lines = [f"PUT /{wire.bucket}/a HTTP/1.1", f"Host: {wire.server.host}", "Connection: close"]
    lines += [f"{name}: {request.headers[name]}" for name in ("date", "authorization")]

    with socket.create_connection(("127.0.0.1", wire.server.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        answer = connection.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 411 ")
    assert b"<Code>MissingContentLength</Code>" in answer


def test_object_meta_by_head_and_get(wire: Wire) -> None:
    wire("PUT", "a", body=b"hello")
    head, got = wire("HEAD", "a", {"objectMeta": ""}), wire("GET", "a", {"objectMeta": ""})
    assert (head.headers["content-length"], got.headers["content-length"]) == ("5", "0")
    for answer in (head, got):
        assert (answer.status, answer.body, answer.headers["etag"]) == (200, b"", f'"{HELLO_MD5}"')
        assert "content-type" not in answer.headers


def test_copies(wire: Wire) -> None:
    wire("PUT", "a", body=BIG, x_oss_meta_m="1")
    copied = wire("PUT", "b", x_oss_copy_source=f"/{wire.bucket}/a")
    etag = hashlib.md5(BIG).hexdigest().upper()
    assert copied.status == 200
    assert copied.headers["etag"] == copied.element("ETag") == f'"{etag}"'
    assert (copied.element("LastModified") or "").endswith(".000Z")
    assert wire("HEAD", "b").headers["x-oss-meta-m"] == "1"
    unmodified = wire("PUT", "b", x_oss_copy_source=f"/{wire.bucket}/a", x_oss_copy_source_if_none_match=etag)
    assert unmodified.status == 304
    failed = wire("PUT", "b", x_oss_copy_source=f"/{wire.bucket}/a", x_oss_copy_source_if_match="x")
    assert failed.error[:2] == (412, "PreconditionFailed")
    for odd in ("", "/", "nothing", f"/{wire.bucket}/%zz"):
        assert wire("PUT", "b", x_oss_copy_source=odd).error == (400, "InvalidArgument", "0016-00000305")
    assert wire("PUT", "b", x_oss_copy_source="/no-such-bucket-1/a").error[:2] == (404, "NoSuchBucket")


def test_a_copy_may_only_read_what_its_caller_may(wire: Wire) -> None:
    wire("PUT", "secret", body=b"1")
    wire("PUT", "open", body=b"1", x_oss_object_acl="public-read-write")
    stolen = wire("PUT", "open", x_oss_copy_source=f"/{wire.bucket}/secret", anonymous=True)
    assert stolen.error[:2] == (403, "AccessDenied")
    wire("PUT", "link", {"symlink": ""}, x_oss_symlink_target="secret", x_oss_object_acl="public-read")
    assert wire("GET", "link", anonymous=True).error[:2] == (403, "AccessDenied")
    assert wire("GET", "link").body == b"1"


def test_append(wire: Wire) -> None:
    first = wire("POST", "log", {"append": "", "position": "0"}, body=b"hello")
    assert first.status == 200
    assert first.headers["x-oss-next-append-position"] == "5"
    second = wire("POST", "log", {"append": "", "position": "5"}, body=b" you")
    assert second.headers["x-oss-hash-crc64ecma"] == str(crc64(b"hello you"))
    wrong = wire("POST", "log", {"append": "", "position": "5"}, body=b"x")
    assert wrong.error == (409, "PositionNotEqualToLength", "0026-00000016")
    assert wrong.headers["x-oss-next-append-position"] == "9"
    assert wire("POST", "log", {"append": ""}, body=b"x").error[:2] == (400, "MissingArgument")
    head = wire("HEAD", "log").headers
    assert (head["x-oss-object-type"], head["x-oss-next-append-position"]) == ("Appendable", "9")
    assert "content-md5" not in head


def test_deletes(wire: Wire) -> None:
    assert wire("DELETE", "none").status == 204
    for key in ("a", "b\x0c", "c&d", " blank "):
        assert wire("PUT", key, body=b"1").status == 200
    body = b"<Delete><Object><Key>a</Key></Object><Object><Key>b&#12;</Key></Object><Object><Key>c&amp;d</Key></Object></Delete>"
    answer = wire("POST", "", {"delete": "", "encoding-type": "url"}, body=body)
    assert answer.status == 200
    assert answer.element("EncodingType") == "url"
    assert [each.text for each in ET.fromstring(answer.body).iter("Key")] == ["a", "b%0C", "c%26d"]
    quiet = b"<Delete><Quiet>true</Quiet><Object><Key> blank </Key></Object></Delete>"
    silent = wire("POST", "", {"delete": ""}, body=quiet)
    assert (silent.status, silent.body, silent.headers["content-length"]) == (200, b"", "0")
    for key in ("a", "b\x0c", "c&d", " blank "):
        assert wire("HEAD", key).status == 404


@pytest.mark.parametrize(
    ("body", "code", "ec"),
    [
        (b"<Delete", "MalformedXML", "0016-00000607"),
        (b"<Remove></Remove>", "MalformedXML", "0016-00000608"),
        (b"<Delete></Delete>", "MalformedXML", "0016-00000615"),
        (b"<Delete><Object></Object></Delete>", "MalformedXML", "0016-00000613"),
        (b"<Delete><Object><Key></Key></Object></Delete>", "InvalidArgument", "0016-00000611"),
        (
            b"<Delete>" + b"<Object><Key>a</Key></Object>" * 1001 + b"</Delete>",
            "MalformedXML",
            "0016-00000608",
        ),
    ],
)
def test_bad_lists_of_deletes(wire: Wire, body: bytes, code: str, ec: str) -> None:
    assert wire("POST", "", {"delete": ""}, body=body).error == (400, code, ec)


def test_one_key_that_may_not_be_deleted_keeps_them_all(wire: Wire) -> None:
    wire("PUT", "open", body=b"1", x_oss_object_acl="public-read-write")
    wire("PUT", "closed", body=b"1")
    body = b"<Delete><Object><Key>open</Key></Object><Object><Key>closed</Key></Object></Delete>"
    assert wire("POST", "", {"delete": ""}, body=body, anonymous=True).error[:2] == (403, "AccessDenied")
    assert wire("HEAD", "open").status == 200


def test_versions_on_the_wire(wire: Wire) -> None:
    versioned(wire, "Enabled")
    first = wire("PUT", "a", body=b"1").headers["x-oss-version-id"]
    second = wire("PUT", "a", body=b"2").headers["x-oss-version-id"]
    assert wire("GET", "a", {"versionId": first}).body == b"1"
    assert wire("GET", "a").headers["x-oss-version-id"] == second
    deleted = wire("DELETE", "a")
    assert (deleted.status, deleted.headers["x-oss-delete-marker"]) == (204, "true")
    marker = deleted.headers["x-oss-version-id"]
    gone = wire("GET", "a")
    assert gone.error == (404, "NoSuchKey", "0026-00000001")
    assert (gone.headers["x-oss-delete-marker"], gone.headers["x-oss-version-id"]) == ("true", marker)
    named = wire("GET", "a", {"versionId": marker})
    assert (named.error[:2], named.headers["allow"]) == ((405, "MethodNotAllowed"), "DELETE")
    assert wire("GET", "a", {"versionId": "CAEQ" + "0" * 60}).error[:2] == (404, "NoSuchVersion")
    assert wire("GET", "a", {"versionId": ""}).error[:2] == (400, "InvalidArgument")
    removed = wire("DELETE", "a", {"versionId": marker})
    assert (removed.headers["x-oss-delete-marker"], removed.headers["x-oss-version-id"]) == ("true", marker)
    body = f"<Delete><Object><Key>a</Key></Object><Object><Key>a</Key><VersionId>{first}</VersionId></Object></Delete>"
    many = ET.fromstring(wire("POST", "", {"delete": ""}, body=body.encode()).body)
    assert [each.findtext("DeleteMarker") for each in many.iter("Deleted")] == ["true", None]
    assert [each.findtext("VersionId") for each in many.iter("Deleted")] == [None, first]
    assert many.findtext("Deleted/DeleteMarkerVersionId")


def test_acl_tagging_symlink_restore(wire: Wire) -> None:
    wire("PUT", "a", body=b"1", x_oss_storage_class="Archive")
    assert wire("PUT", "a", {"acl": ""}, x_oss_object_acl="public-read").status == 200
    acl = wire("GET", "a", {"acl": ""})
    assert acl.element("AccessControlList/Grant") == "public-read"
    assert acl.element("Owner/ID")
    assert wire("PUT", "a", {"acl": ""}).error[:2] == (400, "InvalidArgument")
    body = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
    assert wire("PUT", "a", {"tagging": ""}, body=body).status == 200
    assert wire("GET", "a", {"tagging": ""}).element("TagSet/Tag/Value") == "v"
    assert "x-oss-tagging-count" not in wire("HEAD", "a", anonymous=True).headers
    assert wire("DELETE", "a", {"tagging": ""}).status == 204
    assert ET.fromstring(wire("GET", "a", {"tagging": ""}).body).find("TagSet") is not None
    assert wire("GET", "a", {"symlink": ""}).error[:2] == (400, "NotSymlink")
    wire("PUT", "link", {"symlink": ""}, x_oss_symlink_target="%D0%B1%2Fa")
    assert wire("GET", "link", {"symlink": ""}).headers["x-oss-symlink-target"] == "%D0%B1/a"
    assert wire("HEAD", "link").error[:2] == (404, "SymlinkTargetNotExist")
    assert wire("POST", "a", {"restore": ""}).status == 202
    assert wire("HEAD", "a").headers["x-oss-restore"] == 'ongoing-request="false"'
    wire("PUT", "warm", body=b"1")
    assert wire("POST", "warm", {"restore": ""}).error == (400, "OperationNotSupported", "0016-00000702")
