"""Single values as text: numbers, booleans, times, and percent-encoded strings."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from string import ascii_letters, digits
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote

from mossaic.protocol.records import GAP, Texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.protocol.records import Column, Moments

_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SAMPLE: Final = 64  # of many times, to see whether they differ
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND: Final = timedelta(seconds=1)
_URL_SAFE: Final = "-_.~/"
_URL_PLAIN: Final = (ascii_letters + digits + "_.~/-").encode() + GAP
_URL_UNSAFE: Final = re.compile(rb"[^A-Za-z0-9_.~/\xff-]+")
_MIDNIGHT_LENGTH: Final = len("2024-03-05T00:00:00Z")


class Kind(Enum):
    """What a field holds."""

    TEXT = "str"
    INTEGER = "int"
    BOOLEAN = "bool"
    TIME = "datetime"
    RECORD = "dataclass"
    OTHER = "other"


def iso_text(moment: datetime) -> str:
    """`2024-03-05T06:07:08.000Z`. oss2's pattern takes no other fraction than `.000`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    fields = (utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)
    # A listing has a thousand of them: strftime takes three times as long, widths in an f-string twice.
    return "%04d-%02d-%02dT%02d:%02d:%02d.000Z" % fields  # noqa: UP031


def iso_texts(moments: Moments) -> list[bytes]:
    """`iso_text` of many times: of each once where they mostly share their seconds, as what was stored together does."""
    pieces = moments.pieces
    some = pieces[:_SAMPLE]
    numbers = list(set(pieces)) if 2 * len(set(some)) < len(some) else pieces
    seconds = _seconds()
    texts = [_hour_text((at := int(number)) // 3600) + seconds[at % 3600] for number in numbers]
    if numbers is pieces:
        return texts
    return list(map(dict(zip(numbers, texts, strict=True)).__getitem__, pieces))


@cache
def _seconds() -> tuple[bytes, ...]:
    """Of an hour, made on first use."""
    return tuple(b"%02d:%02d.000Z" % divmod(second, 60) for second in range(3600))


@lru_cache(maxsize=8192)  # a year
def _hour_text(hours: int) -> bytes:
    return b"%04d-%02d-%02dT%02d:" % time.gmtime(3600 * hours)[:4]


def http_text(moment: datetime) -> str:
    """RFC 1123: `Tue, 05 Mar 2024 06:07:08 GMT`."""
    return http_text_at((moment - _EPOCH) // _SECOND)


@lru_cache(maxsize=4096)
def http_text_at(seconds: int) -> str:
    """`http_text` of a time in seconds since 1970."""
    year, month, day, hour, minute, second, weekday, _, _ = time.gmtime(seconds)
    return f"{_DAYS[weekday]}, {day:02} {_MONTHS[month - 1]} {year:04} {hour:02}:{minute:02}:{second:02} GMT"


def _boolean_text(value: bool) -> str:
    return "true" if value else "false"


def writer_of(kind: Kind, *, header: bool = False) -> Callable[[Any], str]:  # Any: a value of that kind
    """The function that writes values of a kind."""
    if kind is Kind.BOOLEAN:
        return _boolean_text
    if kind is Kind.TIME:
        return http_text if header else iso_text
    return str


def write_value(value: object, kind: Kind, *, header: bool = False) -> str:
    return writer_of(kind, header=header)(value)


def read_value(text: str, kind: Kind, *, header: bool = False) -> str | int | bool | datetime:
    """Raises ValueError."""
    if kind is Kind.INTEGER:
        stripped = text.strip()
        # int() would take "+5", "1_000" and digits of other scripts
        if not stripped.isascii() or not stripped.removeprefix("-").isdigit() or len(stripped) > 20:
            raise ValueError(f"not a whole number: {text[:40]!r}")
        return int(stripped)
    if kind is Kind.BOOLEAN:
        lowered = text.strip().lower()
        if lowered not in ("true", "false"):
            raise ValueError(f"neither true nor false: {text[:40]!r}")
        return lowered == "true"
    if kind is Kind.TIME:
        return read_http_time(text) if header else read_iso_time(text)
    return text


def read_iso_time(text: str) -> datetime:
    """ISO 8601 in UTC, with or without fraction. Raises ValueError."""
    stripped = text.strip()
    if not stripped.endswith("Z") or len(stripped) < _MIDNIGHT_LENGTH:
        raise ValueError(f"not a UTC time: {text[:40]!r}")
    return datetime.fromisoformat(stripped)


def read_http_time(text: str) -> datetime:
    """RFC 1123. Raises ValueError."""
    from email.utils import parsedate_to_datetime  # noqa: PLC0415  # only for those who send dates

    try:
        moment = parsedate_to_datetime(text.strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, IndexError, OverflowError) as error:
        raise ValueError(f"not an HTTP date: {text[:40]!r}") from error


def encode_url(text: str) -> str:
    """`encoding-type=url`: a space is %20, never +; clients unquote."""
    return quote(text, safe=_URL_SAFE)


def encode_urls(texts: Column[Any]) -> Column[Any]:  # Any: of any texts
    """`encode_url` of many texts, which mostly need none or share what has to be encoded."""
    if not texts.whole.translate(None, _URL_PLAIN):
        return texts
    return Texts(_URL_UNSAFE.sub(lambda run: _encoded(run[0]), texts.whole), len(texts))


@lru_cache(maxsize=1024)
def _encoded(run: bytes) -> bytes:
    return quote(run, safe="").encode()


def decode_url(text: str) -> str:
    return unquote(text)
