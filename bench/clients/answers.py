"""What the sink says: as much OSS and S3 as an upload needs, with true ETags and CRC-64 from a table."""

from __future__ import annotations

import itertools
import re
import time
from base64 import b64encode
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bench.clients.sums import Sums

_S3_NAMESPACE: Final = ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PART_NUMBER: Final = re.compile(rb"<PartNumber>\s*(\d+)\s*</PartNumber>")
_REASONS: Final = {200: "OK", 204: "No Content", 400: "Bad Request", 404: "Not Found"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request whose body has gone by; `length` is the body's, `text` is kept for POST alone. Header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    length: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    text: str = ""

    def encoded(self, request_id: str) -> bytes:
        headers = {
            "Server": "sink",
            "Date": formatdate(time.time(), usegmt=True),
            "x-oss-request-id": request_id,
            "x-amz-request-id": request_id,
            "Content-Length": str(len(self.text)),
            **({"Content-Type": "application/xml"} if self.text else {}),
            **self.headers,
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} {_REASONS[self.status]}\r\n{lines}\r\n{self.text}".encode("latin-1")


def _refused(status: int, code: str, message: str) -> Said:
    return Said(status=status, text=f"<Error><Code>{code}</Code><Message>{message}</Message></Error>")


class Answers:
    """`expected`: the size every completed object must have; an uploader that sends less is refused."""

    def __init__(self, sums: Sums, expected: int | None = None) -> None:
        self._sums = sums
        self._expected = expected
        self._serial = itertools.count(1)
        self._uploads: dict[str, dict[int, int]] = {}  # upload id -> part number -> length
        self._objects: dict[str, tuple[int, Mapping[str, str]]] = {}

    def to(self, asked: Asked) -> bytes:
        return self._said(asked).encoded(f"{next(self._serial):024X}")

    def _said(self, asked: Asked) -> Said:
        path, _, query = asked.target.partition("?")
        asks = dict(parse_qsl(query, keep_blank_values=True))
        s3 = any(name.startswith("x-amz-") for name in asked.headers)
        upload = self._uploads.get(asks.get("uploadId", ""))
        if "uploadId" in asks and upload is None:
            return _refused(404, "NoSuchUpload", "There is no such upload.")
        match asked.method:
            case "POST" if "uploads" in asks:
                return self._begun(path, s3=s3)
            case "POST" if upload is not None:
                return self._completed(path, asks["uploadId"], asked.text, s3=s3)
            case "PUT" if upload is not None:
                upload[int(asks["partNumber"])] = asked.length
                return Said(status=200, headers=self._checked(asked.length))
            case "PUT":
                self._objects[path] = (asked.length, self._checked(asked.length))
                return Said(status=200, headers=self._objects[path][1])
            case "DELETE":
                self._uploads.pop(asks.get("uploadId", ""), None)
                return Said(status=204)
            case "GET" if upload is not None:
                return self._parts(path, asks, upload, s3=s3)
            case "HEAD":
                return self._described(path)
            case "GET" if "uploads" in asks:
                return Said(status=200, text=_document("ListMultipartUploadsResult", _page(asks), s3=s3))
        return _refused(400, "InvalidArgument", "The sink does not know this request.")

    def _checked(self, length: int) -> dict[str, str]:
        known = self._sums.of(length)
        md5 = b64encode(bytes.fromhex(known.etag)).decode("ascii")
        return {"ETag": f'"{known.etag}"', "Content-MD5": md5, "x-oss-hash-crc64ecma": str(known.crc64)}

    def _begun(self, path: str, *, s3: bool) -> Said:
        upload_id = f"{next(self._serial):032X}"
        self._uploads[upload_id] = {}
        inside = _names(path) + f"<UploadId>{upload_id}</UploadId>"
        return Said(status=200, text=_document("InitiateMultipartUploadResult", inside, s3=s3))

    def _completed(self, path: str, upload_id: str, text: bytes, *, s3: bool) -> Said:
        stored = self._uploads[upload_id]
        numbers = [int(number) for number in _PART_NUMBER.findall(text)]
        if not numbers or numbers != sorted(set(numbers)) or not set(numbers) <= set(stored):
            return _refused(400, "InvalidPart", "A part is missing or the list is out of order.")
        lengths = [stored[number] for number in numbers]
        if self._expected not in (None, sum(lengths)):
            return _refused(400, "InvalidPart", f"The parts have {sum(lengths)} bytes, not {self._expected}.")
        del self._uploads[upload_id]
        etag = f'"{upload_id}-{len(numbers)}"'
        headers = {"ETag": etag, "x-oss-hash-crc64ecma": str(self._sums.joined(lengths))}
        self._objects[path] = (sum(lengths), headers)
        inside = f"<Location>http://127.0.0.1{path}</Location>" + _names(path) + f"<ETag>{etag}</ETag>"
        return Said(
            status=200, headers=headers, text=_document("CompleteMultipartUploadResult", inside, s3=s3)
        )

    def _parts(self, path: str, asks: Mapping[str, str], stored: Mapping[int, int], *, s3: bool) -> Said:
        after, limit = int(asks.get("part-number-marker") or 0), int(asks.get("max-parts") or 1000)
        numbers = sorted(number for number in stored if number > after)
        listed = numbers[:limit]
        parts = "".join(self._part(number, stored[number]) for number in listed)
        inside = (
            f"{_names(path)}<UploadId>{asks['uploadId']}</UploadId><StorageClass>Standard</StorageClass>"
            f"<PartNumberMarker>{after}</PartNumberMarker><MaxParts>{limit}</MaxParts>"
            f"<NextPartNumberMarker>{listed[-1] if listed else after}</NextPartNumberMarker>"
            f"<IsTruncated>{str(len(numbers) > limit).lower()}</IsTruncated>{parts}"
        )
        return Said(status=200, text=_document("ListPartsResult", inside, s3=s3))

    def _part(self, number: int, length: int) -> str:
        known = self._sums.of(length)
        return (
            f"<Part><PartNumber>{number}</PartNumber><LastModified>2026-01-02T03:04:05.000Z</LastModified>"
            f'<ETag>"{known.etag}"</ETag><Size>{length}</Size><HashCrc64ecma>{known.crc64}</HashCrc64ecma></Part>'
        )

    def _described(self, path: str) -> Said:
        if path not in self._objects:
            return Said(status=404)
        size, headers = self._objects[path]
        stamp = formatdate(1_767_323_045, usegmt=True)
        return Said(status=200, headers={**headers, "Content-Length": str(size), "Last-Modified": stamp})


def _document(root: str, inside: str, *, s3: bool) -> str:
    space = _S3_NAMESPACE if s3 else ""
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<{root}{space}>{inside}</{root}>'


def _names(path: str) -> str:
    bucket, _, key = unquote(path).lstrip("/").partition("/")
    return f"<Bucket>{bucket}</Bucket><Key>{key}</Key>"


def _page(asks: Mapping[str, str]) -> str:
    limit = asks.get("max-uploads") or "1000"
    return (
        "<Bucket>b</Bucket><KeyMarker></KeyMarker><UploadIdMarker></UploadIdMarker><NextKeyMarker></NextKeyMarker>"
        f"<NextUploadIdMarker></NextUploadIdMarker><MaxUploads>{limit}</MaxUploads><IsTruncated>false</IsTruncated>"
    )
