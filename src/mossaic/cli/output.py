"""What a command says, in one of three faces: for people, in plain lines for scripts, or as JSON, one object a line.

A command hands over facts and the words for people; which of them is shown is decided here. Names of objects come from others,
so nothing of them reaches a terminal that it could take for an order.
"""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, TextIO, cast

import click

from mossaic.cli.units import human_time, iso_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Face = Literal["human", "plain", "json"]

# Control characters, marks that turn the direction of writing, halves of characters: what could deceive or drive a terminal.
_ODD: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_NAMED: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""The text with what a terminal might obey written out: `\n`, `\x1b`, `\u202e`."""
    return _ODD.sub(lambda found: _escaped(found[0]), text) if _ODD.search(text) else text


def field(value: object) -> str:
    """One field of a plain line. Backslashes are doubled, so the text can be read back. None is empty, times are ISO 8601 in UTC."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case str():
            return visible(value.replace("\\", "\\\\"))
        case datetime():
            return iso_time(value)
        case dict() | list() | tuple():
            return visible(json.dumps(value, ensure_ascii=False, default=_jsonable).replace("\\", "\\\\"))
        case _:
            return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table. `key`: of the record. `show`: the value for people. The last column is never padded."""

    key: str
    title: str = ""
    width: int = 0
    right: bool = False
    show: Callable[[Any], str] | None = None  # Any: whatever the record has there
    style: Mapping[str, Any] | None = None  # Any: keywords of click.style


class Output:
    """The two streams of a command, and the face it was asked for. Lines are written whole."""

    def __init__(self, face: Face = "human") -> None:
        self.face = face
        self.out, self.err = sys.stdout, sys.stderr
        for stream in (self.out, self.err):
            with suppress(AttributeError, ValueError):
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a stream that was put in may lack it
        self.live = face == "human" and self.err.isatty() and os.environ.get("TERM") != "dumb"
        self._colours = {stream: _takes_colours(stream) for stream in (self.out, self.err)}
        self._ascii = (getattr(self.out, "encoding", None) or "ascii").lower().replace("-", "") != "utf8"

    # --- facts --------------------------------------------------------------------------------------------------------

    def table(self, columns: Sequence[Column], *, header: bool = False) -> Table:
        """Rows are written as they come, so a listing may be endless. `header`: titles above them, for people."""
        return Table(self, columns, header=header)

    def facts(self, record: Mapping[str, object], words: Mapping[str, tuple[str, str]]) -> None:
        """What is known of one thing. `words`: key → title and value for people; plain has a line a fact, key and value."""
        if self.face == "json":
            self.write(self.as_json(record))
        elif self.face == "plain":
            for name, fact in _flat(record):
                self.write(f"{field(name)}\t{field(fact)}")
        else:
            width = max((len(title) for title, _ in words.values()), default=0)
            for title, value in words.values():
                self.write(f"{self.paint(f'{title:<{width}}', dim=True)}  {visible(value)}")

    def event(self, kind: str, words: str, **about: object) -> None:
        """Something was done. People read `words`; plain is `kind` and the values; JSON {"event": kind, …}. Written at once."""
        if self.face == "json":
            self.write(self.as_json({"event": kind, **about}))
        elif self.face == "plain":
            self.write("\t".join([kind, *(field(value) for value in about.values())]))
        else:
            self.write(visible(words))
        self.out.flush()

    def write(self, line: str) -> None:
        """A line as it is, to standard output."""
        self.out.write(f"{line}\n")

    def flush(self) -> None:
        self.out.flush()

    # --- beside the facts, on standard error --------------------------------------------------------------------------

    def note(self, words: str) -> None:
        """For people only."""
        if self.face == "human":
            self._tell(visible(words))

    def warn(self, words: str) -> None:
        if self.face == "json":
            self._tell(self.as_json({"event": "warning", "message": words}))
        else:
            self._tell(f"{self.paint('Warning:', self.err, fg='yellow')} {visible(words)}")

    def error(self, record: Mapping[str, object], lines: Sequence[str]) -> None:
        """A failure: `record` for programs, `lines` for people; the first says what, the others more and what to do."""
        if self.face == "json":
            self._tell(self.as_json({"event": "error", **record}))
            return
        first, *others = lines
        self._tell(f"{self.paint('Error:', self.err, fg='red', bold=True)} {visible(first)}")
        for line in others:
            self._tell(f"  {visible(line)}")

    def _tell(self, line: str) -> None:
        self.out.flush()
        self.err.write(f"{line}\n")
        self.err.flush()

    # --- shared -------------------------------------------------------------------------------------------------------

    def paint(
        self, text: str, stream: TextIO | None = None, **style: Any
    ) -> str:  # Any: keywords of click.style
        """`text` in colour where `stream` (standard output) is a terminal that wants it."""
        return click.style(text, **style) if self._colours[stream or self.out] else text

    def as_json(self, record: Mapping[str, object]) -> str:
        return json.dumps(record, ensure_ascii=self._ascii, default=_jsonable)


class Table:
    """Rows with the same columns."""

    def __init__(self, output: Output, columns: Sequence[Column], *, header: bool) -> None:
        self._output = output
        self._columns = columns
        self._header = header and output.face == "human"

    def row(self, record: Mapping[str, object]) -> None:
        """People and plain lines see the columns; JSON is the whole record."""
        output = self._output
        if output.face == "json":
            output.write(output.as_json(record))
        elif output.face == "plain":
            output.write("\t".join(field(record.get(column.key)) for column in self._columns))
        else:
            if self._header:
                self._header = False
                titles = [self._padded(column, column.title) for column in self._columns]
                output.write(output.paint("  ".join(titles).rstrip(), dim=True))
            output.write(
                "  ".join(self._cell(column, record.get(column.key)) for column in self._columns).rstrip()
            )

    def _cell(self, column: Column, value: object) -> str:
        if column.show is not None and value is not None:
            text = column.show(value)
        else:
            text = human_time(value) if isinstance(value, datetime) else "" if value is None else str(value)
        text = self._padded(column, visible(text))
        return self._output.paint(text, **column.style) if column.style else text

    def _padded(self, column: Column, text: str) -> str:
        if column is self._columns[-1]:
            return text
        return f"{text:>{column.width}}" if column.right else f"{text:<{column.width}}"


def _flat(record: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Facts that have facts in them are told one by one: `meta.author`."""
    for key, value in record.items():
        if isinstance(value, dict):
            for name, fact in cast("dict[str, object]", value).items():
                yield f"{key}.{name}", fact
        else:
            yield key, value


def _escaped(character: str) -> str:
    if character in _NAMED:
        return _NAMED[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _jsonable(value: object) -> object:
    return iso_time(value) if isinstance(value, datetime) else str(value)


def _takes_colours(stream: TextIO) -> bool:
    """https://no-color.org: set and not empty. A dumb terminal knows no colours."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
