"""Who is measured: one row an uploader."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
CRC: Final = "CRC-64 of parts and object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`name` is that of a function in tab/uploaders.js; `least`: the smallest part it sends, in bytes."""

    name: str
    label: str
    checks: str = "none"
    least: int = 0


ROWS: Final = (
    Row(name="bareXhr", label="bare XHR, Blob slices, unsigned"),
    Row(name="mossaic", label="mossaic", checks=CRC),
    Row(name="mossaicMd5", label="mossaic, MD5 of parts as well", checks=f"{CRC}, MD5 of parts"),
    Row(name="uppy", label="uppy aws-s3, presigned", least=5 * MIB),
    Row(name="aliOss", label="ali-oss"),
)
