"""Requests as an attacker writes them: raw bytes on a socket, signed in every scheme or not at all."""

from __future__ import annotations

import base64
import re
import socket
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from mossaic.protocol.addressing import decode_path
from mossaic.protocol.operations import TABLE
from mossaic.protocol.signing import v1, v2, v4
from mossaic.protocol.signing.request import Pair, Resource, SignedRequest, header_text
from mossaic.protocol.wire import Message

if TYPE_CHECKING:
    from mossaic.protocol.operation import AnyOperation
    from tests.e2e.harness import Server

WAIT_S: Final = 20.0
CONTENT: Final = b"what the attacker must not get"
SCHEMES: Final = ("v1-header", "v2-header", "v4-header", "v1-url", "v2-url", "v4-url")
_CODE: Final = re.compile(rb"<Code>([^<]*)</Code>")
_EC: Final = re.compile(rb"<EC>([^<]*)</EC>")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer; header names in lower case, `lines` as they came."""

    status: int
    headers: dict[str, str]
    lines: list[tuple[str, str]]
    body: bytes

    @property
    def document(self) -> bytes:
        """The error document, also that of a HEAD request."""
        return base64.b64decode(self.headers["x-oss-err"]) if "x-oss-err" in self.headers else self.body

    @property
    def code(self) -> str:
        found = _CODE.search(self.document)
        return found[1].decode() if found else ""

    @property
    def ec(self) -> str:
        found = _EC.search(self.document)
        return found[1].decode() if found else ""


def exchange(server: Server, data: bytes, *, method: str = "GET") -> Reply | None:
    """One connection, one write, the first answer; None when the server closed it without a word."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S) as sock:
        sock.sendall(data)
        return read_reply(sock, method=method)


def read_reply(sock: socket.socket, *, method: str = "GET") -> Reply | None:
    response = HTTPResponse(sock, method=method)
    try:
        response.begin()
        body = response.read()
    except (ConnectionError, OSError, ValueError):
        return None
    except Exception as error:  # http.client's own: BadStatusLine when nothing came
        if "RemoteDisconnected" in type(error).__name__ or "BadStatusLine" in type(error).__name__:
            return None
        raise
    lines = response.getheaders()
    return Reply(
        status=response.status, headers={name.lower(): value for name, value in lines}, lines=lines, body=body
    )


def target_of(message: Message, extra: tuple[tuple[str, str], ...] = ()) -> str:
    """Path-style request target; bytes that are no UTF-8 travel as surrogate escapes."""
    path = "/"
    if message.bucket is not None:
        key = quote(message.key or "", safe="/~", errors="surrogateescape")
        path = f"/{quote(message.bucket, safe='', errors='surrogateescape')}/{key}"
    pairs = (*message.query.items(), *extra)
    query = "&".join(
        f"{quote(name, safe='-')}={quote(value, safe='', errors='surrogateescape')}"
        if value
        else quote(name, safe="-")
        for name, value in pairs
    )
    return f"{path}?{query}" if query else path


def render(host: str, message: Message, target: str, headers: dict[str, str]) -> bytes:
    lines = [f"{message.method} {target} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if message.body or message.method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(message.body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + message.body


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Somebody with a key pair. `skew_s`: how far the clock is off; `lasts_s`: of URLs; `sends`/`signs_as` differ for forgeries."""

    server: Server
    access_key_id: str
    secret: str = field(repr=False)
    token: str | None = None
    skew_s: int = 0
    lasts_s: int = 300

    @classmethod
    def root(cls, server: Server) -> Asker:
        return cls(server=server, access_key_id=server.access_key_id, secret=server.access_key_secret)

    def but(self, **changes: object) -> Asker:
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name

    @property
    def _pair(self) -> Pair:
        return Pair(access_key_id=self.access_key_id, secret=self.secret, token=self.token)

    def signed(self, message: Message, scheme: str = "v4-header") -> tuple[str, dict[str, str]]:
        """Target and headers of the signed request."""
        when = datetime.now(UTC) + timedelta(seconds=self.skew_s)
        version, _, place = scheme.partition("-")
        if place == "url":
            return self._url(message, version, when)
        headers = dict(message.headers)
        headers["x-oss-date"] = (
            when.strftime("%Y%m%dT%H%M%SZ") if version == "v4" else when.strftime("%a, %d %b %Y %H:%M:%S GMT")
        )
        if version == "v4":
            headers["x-oss-content-sha256"] = "UNSIGNED-PAYLOAD"
        if self.token:
            headers["x-oss-security-token"] = self.token
        request = _signed_request(message, headers)
        resource = Resource(bucket=message.bucket, key=message.key)
        if version == "v4":
            scope = v4.Scope(day=when.strftime("%Y%m%d"), region=self.server.region)
            headers["Authorization"] = v4.authorization(self._pair, request, resource, scope)
        elif version == "v1":
            headers["Authorization"] = v1.authorization(self._pair, request, resource)
        else:
            text = v2.string_to_sign(request, resource, headers["x-oss-date"], ())
            made = v2.signature(self.secret, text)
            headers["Authorization"] = f"OSS2 AccessKeyId:{self.access_key_id},Signature:{made}"
        return target_of(message), headers

    def _url(self, message: Message, version: str, when: datetime) -> tuple[str, dict[str, str]]:
        headers = dict(message.headers)
        request = _signed_request(message, headers)
        resource = Resource(bucket=message.bucket, key=message.key)
        expires = int(when.timestamp()) + self.lasts_s
        if version == "v1":
            query = v1.presigned(self._pair, request, resource, expires=expires)
        elif version == "v4":
            scope = v4.Scope(day=when.strftime("%Y%m%d"), region=self.server.region)
            validity = v4.Validity(timestamp=when.strftime("%Y%m%dT%H%M%SZ"), expires_s=self.lasts_s)
            query = v4.presigned(self._pair, request, resource, scope, validity)
        else:
            query = (
                *request.query,
                *((("security-token", self.token),) if self.token else ()),
                ("x-oss-signature-version", "OSS2"),
                ("x-oss-expires", str(expires)),
                ("x-oss-access-key-id", self.access_key_id),
            )
            covered = request._replace(query=query)
            text = v2.string_to_sign(covered, resource, str(expires), ())
            query = (*query, ("x-oss-signature", v2.signature(self.secret, text)))
        return target_of(replace(message, query={}), query), headers

    def ask(self, message: Message, scheme: str = "v4-header") -> Reply:
        target, headers = self.signed(message, scheme)
        return send(self.server, message, target, headers)

    def __call__(
        self,
        method: str,
        bucket: str | None = None,
        key: str | None = None,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> Reply:
        return self.ask(
            Message(
                method=method, bucket=bucket, key=key, query=query or {}, headers=headers or {}, body=body
            )
        )


def send(server: Server, message: Message, target: str, headers: dict[str, str]) -> Reply:
    """As it is, in one connection."""
    reply = exchange(server, render(server.host, message, target, headers), method=message.method)
    assert reply is not None, f"{message.method} {target}: no answer"
    return reply


def anonymous(server: Server, message: Message) -> Reply:
    return send(server, message, target_of(message), dict(message.headers))


def _signed_request(message: Message, headers: dict[str, str]) -> SignedRequest:
    return SignedRequest(
        method=message.method,
        query=tuple(message.query.items()),
        headers={name.lower(): header_text(value.strip(" \t")) for name, value in headers.items()},
    )


# --- what is attacked -------------------------------------------------------------------------------------------------

KEY: Final = "secret/plan.txt"
POLICY: Final = b'{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:ListObjects","Principal":["1"],"Resource":"*"}]}'
CORS: Final = (
    b"<CORSConfiguration><CORSRule><AllowedOrigin>http://a.example</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
    b"</CORSRule></CORSConfiguration>"
)
LIFECYCLE: Final = (
    b"<LifecycleConfiguration><Rule><ID>r</ID><Prefix>none/</Prefix><Status>Enabled</Status>"
    b"<Expiration><Days>300</Days></Expiration></Rule></LifecycleConfiguration>"
)
TAGS: Final = b"<Tagging><TagSet><Tag><Key>k</Key><Value>v</Value></Tag></TagSet></Tagging>"
BODIES: Final[dict[str, bytes]] = {
    "PutBucketVersioning": b"<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>",
    "PutBucketCors": CORS,
    "PutBucketLifecycle": LIFECYCLE,
    "PutBucketTags": TAGS,
    "PutBucketPolicy": POLICY,
    "PutObject": b"overwritten",
    "AppendObject": b"appended",
    "UploadPart": b"another part",
    "PutObjectTagging": TAGS,
    "DeleteMultipleObjects": f"<Delete><Object><Key>{KEY}</Key></Object></Delete>".encode(),
    "RestoreObject": b"",
    "CompleteMultipartUpload": b"",
}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A private bucket worth attacking."""

    root: Asker
    bucket: str
    upload_id: str

    @classmethod
    def build(cls, root: Asker, bucket: str) -> Stage:
        def done(reply: Reply) -> Reply:
            assert reply.status in (200, 204), (reply.status, reply.body)
            return reply

        headers = {"x-oss-meta-owner": "us", "x-oss-tagging": "level=1"}
        done(root("PUT", bucket, KEY, headers=headers, body=CONTENT))
        done(root("PUT", bucket, query={"cors": ""}, body=CORS))
        done(root("PUT", bucket, query={"lifecycle": ""}, body=LIFECYCLE))
        done(root("PUT", bucket, query={"policy": ""}, body=POLICY))
        opened = done(root("POST", bucket, "big", query={"uploads": ""}))
        upload_id = re.findall(rb"<UploadId>([^<]+)<", opened.body)[0].decode()
        done(
            root("PUT", bucket, "big", query={"uploadId": upload_id, "partNumber": "1"}, body=b"part"),
        )
        return cls(root=root, bucket=bucket, upload_id=upload_id)

    def message(self, row: AnyOperation) -> Message:
        """A request for `row` that would do something if it were let through."""
        query = dict.fromkeys(sorted(row.marks), "") | dict(row.values)
        headers: dict[str, str] = {}
        on_upload = "uploadId" in row.marks
        if on_upload:
            query |= {"uploadId": self.upload_id}
        if row.name in ("UploadPart", "UploadPartCopy"):
            query |= {"partNumber": "2"}
        if row.name == "AppendObject":
            query |= {"position": "0"}
        if row.header == "x-oss-copy-source":
            headers["x-oss-copy-source"] = f"/{self.bucket}/{KEY}"
        if row.name == "PutBucketAcl":
            headers["x-oss-acl"] = "public-read-write"
        if row.name == "PutObjectAcl":
            headers["x-oss-object-acl"] = "public-read-write"
        if row.name == "PutSymlink":
            headers["x-oss-symlink-target"] = KEY
        if row.name == "CompleteMultipartUpload":
            headers["x-oss-complete-all"] = "yes"
        key = None
        if row.level.value == "object":
            key = "big" if on_upload else KEY
        return Message(
            method=row.method,
            bucket=None if row.level.value == "service" else self.bucket,
            key=key,
            query=query,
            headers=headers,
            body=BODIES.get(row.name, b""),
        )

    def snapshot(self) -> list[tuple[str, int, bytes]]:
        """Everything that a request could have changed, as its owner sees it."""
        seen: list[tuple[str, int, bytes]] = []
        for row in TABLE:
            if row.method == "GET" and row.name != "DescribeRegions":
                reply = self.root.ask(self.message(row))
                body = re.sub(rb"<RequestId>[^<]*</RequestId>", b"", reply.body)
                if row.name != "ListBuckets":  # other tests make buckets meanwhile
                    seen.append((row.name, reply.status, body))
        head = self.root("HEAD", self.bucket, KEY)
        kept = [line for line in head.lines if line[0].startswith(("x-oss-meta", "ETag", "x-oss-tagging"))]
        seen.append(("HeadObject", head.status, repr(kept).encode()))
        return seen


def eventually(check: object, *, seconds: float = 10.0) -> None:
    """Until `check()` is true; other processes' changes are visible within a second or so."""
    assert callable(check)
    deadline = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def ask_raw(asker: Asker, method: str, raw_path: str, body: bytes = b"") -> Reply:
    """A path that goes out as it is written; the signature is for what it decodes to, as an honest client's would be."""
    bucket, _, key = decode_path(raw_path.removeprefix("/")).partition("/")
    message = Message(method=method, bucket=bucket or None, key=key or None, body=body)
    _, headers = asker.signed(message)
    return send(asker.server, message, raw_path, headers)
