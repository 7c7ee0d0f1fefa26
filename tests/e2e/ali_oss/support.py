"""What the ali-oss and browser tests share: buckets, source files, and questions to the access log."""

from __future__ import annotations

import hashlib
import os
import random
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import oss2

from tests.e2e.harness import REGION, statement

if TYPE_CHECKING:
    from pathlib import Path

    from tests.e2e.harness import Server

KIB = 1024
MIB = 1024 * KIB
# What a browser client has to be able to send and read (OSS API: PutBucketCors, ali-oss README).
EXPOSED = [
    "ETag",
    "x-oss-request-id",
    "x-oss-version-id",
    "x-oss-hash-crc64ecma",
    "x-oss-meta-year",
    "x-oss-meta-people",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A local file and what is known of it."""

    path: Path
    size: int
    md5: str


def source_file(folder: Path, size: int, *, seed: int = 1) -> Source:
    """A file of `size` pseudo-random bytes, equal for equal seeds."""
    path = folder / f"source-{seed}-{size}.bin"
    digest = hashlib.md5(usedforsecurity=False)
    generator = random.Random(seed)
    with path.open("wb") as stream:
        left = size
        while left:
            block = generator.randbytes(min(left, MIB))
            digest.update(block)
            stream.write(block)
            left -= len(block)
    return Source(path=path, size=size, md5=digest.hexdigest().upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumer:
    """A RAM user's key pair and a role that it may assume."""

    access_key_id: str
    access_key_secret: str
    role_arn: str


def given_assumer(server: Server) -> Assumer:
    """A user that may assume a role which may do everything in OSS."""
    mark = secrets.token_hex(4)
    role_arn = server.make_role(f"role{mark}", statement("Allow", "oss:*", "*"))
    key_id, secret = server.make_user(f"user{mark}", statement("Allow", "sts:AssumeRole", role_arn))
    return Assumer(access_key_id=key_id, access_key_secret=secret, role_arn=role_arn)


def new_bucket_name() -> str:
    return f"e2e-{secrets.token_hex(6)}"


def oss2_bucket(server: Server, name: str) -> oss2.Bucket:
    """An oss2 client that bypasses name resolution: path style at the loopback address."""
    auth = oss2.Auth(server.access_key_id, server.access_key_secret)
    session = oss2.Session()
    session.session.trust_env = False
    return oss2.Bucket(auth, f"http://127.0.0.1:{server.port}", name, session=session, is_path_style=True)


def client_options(
    server: Server, bucket: str, *, signature: str = "V1", **more: object
) -> dict[str, object]:
    """Options of `new OSS(...)`: only endpoint and credentials differ from the vendor's samples."""
    options: dict[str, object] = {
        "endpoint": f"http://localhost:{server.port}",
        "region": f"oss-{REGION}",
        "accessKeyId": server.access_key_id,
        "accessKeySecret": server.access_key_secret,
        "bucket": bucket,
    }
    if signature == "V4":
        options["authorizationV4"] = True
    return {**options, **more}


def stored_md5(bucket: oss2.Bucket, key: str) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for block in bucket.get_object(key):
        digest.update(block)
    return digest.hexdigest().upper()


def multipart_etag(etags: list[str]) -> str:
    """OSS hashes the upper-case hex texts of the parts, unlike S3 which hashes the digests."""
    joined = "".join(etag.strip('"') for etag in etags).encode()
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest().upper()}-{len(etags)}"


def logged(server: Server, operation: str, **fields: object) -> list[dict[str, Any]]:
    """Access log lines of an operation whose fields equal `fields`, oldest first."""
    return [
        line
        for line in server.log_lines(operation=operation)
        if all(line.get(name) == value for name, value in fields.items())
    ]


def parts_put(server: Server, upload_id: str) -> list[int]:
    """Numbers of the parts stored for an upload, in order of arrival, repeats included."""
    return [
        int(line["part_number"]) for line in logged(server, "UploadPart", upload_id=upload_id, status=200)
    ]


def bytes_below(folder: Path) -> int:
    """Bytes of the regular files below `folder`; files that vanish meanwhile count nothing."""
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size  # noqa: PTH116, PTH118 - hot in a poll
            except FileNotFoundError:
                continue
    return total


def allow_browsers(bucket: oss2.Bucket, *, expose: list[str] | None = None) -> None:
    rule = oss2.models.CorsRule(
        allowed_origins=["*"],
        allowed_methods=["GET", "PUT", "POST", "DELETE", "HEAD"],
        allowed_headers=["*"],
        expose_headers=EXPOSED if expose is None else expose,
        max_age_seconds=600,
    )
    bucket.put_bucket_cors(oss2.models.BucketCors([rule]))
