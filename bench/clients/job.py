"""What every uploader is given, and the names all of them use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB
BUCKET: Final = "bench-bucket"
KEY: Final = "folder/upload.bin"
REGION: Final = "cn-hangzhou"
ACCESS_KEY_ID: Final = "benchkeyid000000"
ACCESS_KEY_SECRET: Final = "benchsecret0000000000000000000000"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Send the file at `path` to `endpoint` (http://host:port) in parts of `part_size` bytes, `parallel` at a time."""

    endpoint: str
    path: str
    part_size: int
    parallel: int
