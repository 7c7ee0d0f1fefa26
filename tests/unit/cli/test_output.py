"""The three faces of a command's output, and what names of objects may not do to a terminal."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mossaic.cli.output import Column, Face, Output, field, visible
from mossaic.cli.units import human_size

MOMENT = datetime(2026, 7, 1, 10, 34, 56, tzinfo=UTC)
COLUMNS = (
    Column(key="modified_at", width=19),
    Column(key="size", width=9, right=True, show=human_size),
    Column(key="key"),
)
ROW = {"modified_at": MOMENT, "size": 2048, "key": "a\tb", "etag": "E"}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def table(face: Face, *, header: bool = False) -> None:
    written = Output(face).table(COLUMNS, header=header)
    written.row(ROW)
    written.row({"modified_at": MOMENT, "key": "dir/"})


def test_people_see_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    table("human")

    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("    2.0 KiB  a\\tb")
    assert second.endswith("             dir/")


def test_a_header_is_for_people_only(capsys: pytest.CaptureFixture[str]) -> None:
    written = Output("human").table(
        (Column(key="a", title="A", width=3), Column(key="b", title="B")), header=True
    )
    written.row({"a": 1, "b": 2})
    Output("plain").table((Column(key="a", title="A"),), header=True).row({"a": 1})

    assert capsys.readouterr().out.splitlines() == ["A    B", "1    2", "1"]


def test_plain_lines_have_a_fixed_number_of_fields(capsys: pytest.CaptureFixture[str]) -> None:
    table("plain")

    assert capsys.readouterr().out == "2026-07-01T10:34:56Z\t2048\ta\\tb\n2026-07-01T10:34:56Z\t\tdir/\n"


def test_json_is_one_object_a_line_with_everything(capsys: pytest.CaptureFixture[str]) -> None:
    table("json")

    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {"modified_at": "2026-07-01T10:34:56Z", "size": 2048, "key": "a\tb", "etag": "E"}
    assert "size" not in second


@pytest.mark.parametrize(
    ("face", "line"),
    [
        ("human", "moved it"),
        ("plain", "moved\toss://b/k\t3\t\ttrue"),
        ("json", '{"event": "moved", "url": "oss://b/k", "size": 3, "id": null, "new": true}'),
    ],
)
def test_an_event_in_each_face(capsys: pytest.CaptureFixture[str], face: Face, line: str) -> None:
    Output(face).event("moved", "moved it", url="oss://b/k", size=3, id=None, new=True)

    assert capsys.readouterr().out == f"{line}\n"


def test_facts_within_facts_are_plain_lines_of_their_own(capsys: pytest.CaptureFixture[str]) -> None:
    Output("plain").facts({"size": 3, "meta": {"who": "m\u00fc", "x y": "1"}}, {})

    assert capsys.readouterr().out == "size\t3\nmeta.who\tm\u00fc\nmeta.x y\t1\n"


def test_errors_and_warnings_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("human")
    output.warn("careful")
    output.note("by the way")
    output.error({"code": "X"}, ["what", "do this"])

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "Warning: careful",
        "by the way",
        "Error: what",
        "  do this",
    ]


def test_programs_get_objects_there_too_and_no_notes(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output("json")
    output.warn("careful")
    output.note("by the way")
    output.error({"code": "X"}, ["what", "do this"])

    assert [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()] == [
        "warning",
        "error",
    ]


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_colours_are_for_terminals_that_want_them(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], coloured: bool
) -> None:
    monkeypatch.setattr("sys.stderr", terminal := Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    for name, text in environment.items():
        monkeypatch.setenv(name, text)

    Output().error({}, ["what"])

    assert ("\x1b[" in terminal.getvalue()) is coloured


@pytest.mark.parametrize("text", ["\x1b[2J", "a\nb", "\u202egpj.exe", "\x9b31m", "\x07", "\udc80", "\u2028"])
def test_nothing_reaches_a_terminal_that_it_would_obey(text: str) -> None:
    assert visible(text).isprintable()


@pytest.mark.parametrize("text", ["plain", "\u00fc \u6c49\u5b57", "\U0001f469\u200d\U0001f680", "a\\b"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_plain_field_can_be_read_back(text: str) -> None:
    assert "\t" not in field(text)
    assert "\n" not in field(text)
    assert field(text).encode("latin-1", "backslashreplace").decode("unicode_escape") == text


def test_a_stream_that_is_not_utf_8_gets_valid_json(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(raw, "latin-1"))
    output = Output("json")
    output.event("x", "", key="\u6c49")
    output.flush()

    assert json.loads(raw.getvalue()) == {"event": "x", "key": "\u6c49"}
