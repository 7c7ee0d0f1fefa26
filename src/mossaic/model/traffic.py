"""`x-oss-traffic-limit`: checked as OSS checks it. Mossaic does not slow transfers down, it has no bill to keep small."""

from __future__ import annotations

from typing import Final

from mossaic.protocol.errors import INVALID_ARGUMENT, OssError

NAME: Final = "x-oss-traffic-limit"
_SLOWEST: Final = 819_200  # bit/s
_FASTEST: Final = 838_860_800  # bit/s


def check_traffic_limit(header: str | None, query: str | None) -> None:
    """In the header or in the query, bits per second. Raises OssError INVALID_ARGUMENT: in both, or out of range."""
    if header is not None and query is not None:
        raise OssError(INVALID_ARGUMENT, "The limit is in the headers and in the query.", ArgumentName=NAME)
    text = header if header is not None else query
    if text is None:
        return
    is_number = text.isascii() and text.isdigit() and len(text) < 12
    if not is_number or not _SLOWEST <= int(text) <= _FASTEST:
        raise OssError(INVALID_ARGUMENT, ec="0004-00000502", ArgumentName=NAME, ArgumentValue=text[:64])
