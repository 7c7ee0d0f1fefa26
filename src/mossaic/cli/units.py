"""Sizes, lengths of time and moments as people write and read them, and as types of options."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    _Type = click.ParamType[int]
    _Span = click.ParamType[timedelta]
else:  # before click 8.4 it is no generic class
    _Type = _Span = click.ParamType

_STEPS: Final = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_SIZE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kmgtp]?)(i?b)?(?:/s)?", re.IGNORECASE)
_SPAN: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)(w|d|h|min|m|s|)")
_SPAN_S: Final = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "min": 60, "s": 1, "": 1}


def parse_size(text: str) -> int:
    """`10`, `512k`, `8M`, `8MiB`, `1.5g`: bytes; every step is 1024, `MB` too. Raises ValueError."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no size; write 500k, 8M, 1.5GiB, or a number of bytes")
    return int(float(found[1]) * 1024 ** _STEPS[found[2].lower()])


def parse_span(text: str) -> timedelta:
    """`90s`, `15m`, `12h`, `7d`, `2w`, also joined (`1d12h`); a bare number counts seconds. Raises ValueError."""
    plain = text.strip().lower().replace(" ", "")
    pieces = list(_SPAN.finditer(plain))
    if not plain or "".join(piece[0] for piece in pieces) != plain:
        raise ValueError(f"{text!r} is no length of time; write 90s, 15m, 12h, 7d, or 1d12h")
    try:
        return timedelta(seconds=sum(float(piece[1]) * _SPAN_S[piece[2]] for piece in pieces if piece[0]))
    except OverflowError:
        raise ValueError(f"{text!r} is too long") from None


def human_size(size: float) -> str:
    """`0 B`, `999 B`, `1.5 KiB`, `20.0 GiB`."""
    if size < 1024:
        return f"{size:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB"):
        size /= 1024
        if size < 1023.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1024:.1f} PiB"


def human_span(seconds: float) -> str:
    """The two largest units: `45s`, `3m 20s`, `2h 5m`, `6d 4h`."""
    left = round(seconds)
    said: list[str] = []
    for unit, step in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, left = divmod(left, step)
        if count or said or unit == "s":
            said.append(f"{count}{unit}" if count or not said else "")
    return " ".join(text for text in said[:2] if text)


def counted(count: int, thing: str) -> str:
    """`1 rule`, `2 rules`, `no rules`."""
    return f"{count or 'no'} {thing}{'' if count == 1 else 's'}"


def human_time(moment: datetime) -> str:
    """In the zone of this machine, to the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def iso_time(moment: datetime) -> str:
    """UTC, to the second, as OSS writes it: `2026-07-01T10:34:56Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Size(_Type):
    """A number of bytes."""

    name = "size"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:  # Any: click's
        if isinstance(value, int):
            return value
        try:
            return parse_size(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


class Span(_Span):
    """A length of time."""

    name = "time"

    def convert(
        self,
        value: Any,  # Any: click's
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> timedelta:
        if isinstance(value, timedelta):
            return value
        try:
            return parse_span(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


SIZE: Final = Size()
SPAN: Final = Span()
