"""Who is measured: one row an uploader, and which function makes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

CRC: Final = "CRC-64 of parts and object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`function` of module `module` in bench.clients.uploaders makes the upload; an empty module is ali-oss in Node."""

    name: str
    module: str = ""
    function: str = ""
    checks: str = "none"
    piped: bool = False

    @property
    def ours(self) -> bool:
        return self.module == "mossaic_sdk"


ROWS: Final = (
    Row(name="raw sendfile", module="raw", function="sendfile"),
    Row(name="raw sendall", module="raw", function="sendall"),
    Row(name="mossaic", module="mossaic_sdk", function="sync", checks=CRC),
    Row(name="mossaic asyncio", module="mossaic_sdk", function="asynchronous", checks=CRC),
    Row(name="mossaic journal", module="mossaic_sdk", function="journal", checks=CRC),
    Row(name="mossaic pipe", module="mossaic_sdk", function="stream", checks=CRC, piped=True),
    Row(name="obstore", module="obstore_sdk", function="unsigned"),
    Row(name="boto3 plain", module="boto3_sdk", function="plain"),
    Row(name="boto3", module="boto3_sdk", function="default", checks="SHA-256 signed, CRC-32"),
    Row(name="ali-oss", checks="none"),
    Row(name="oss2", module="oss2_sdk", function="resumable", checks=CRC),
    Row(name="oss-v2", module="oss_v2", function="uploader", checks=CRC),
)
