"""docs/cli.md has every command and every option, and no other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from mossaic.cli.main import main
from mossaic.cli.outcome import BROKEN_PIPE, DONE, FAILED, RESUMABLE, USAGE
from mossaic.cli.remote import SHARED, RemoteCommand

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
COMMAND = re.compile(r"`mossaic ([a-z][a-z -]*[a-z])[^`]*`")
OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def _walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(command, click.Group):
        yield " ".join(path), command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        assert inner is not None
        yield from _walk(inner, (*path, name))


COMMANDS = dict(_walk(main))


def _sections() -> dict[str, str]:
    """Command → the text of its section; a heading may name several commands."""
    found: dict[str, str] = {}
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        heading, _, text = section.partition("\n")
        for name in COMMAND.findall(heading):
            words = name.split()
            while " ".join(words) not in COMMANDS:  # `completion bash` is a command with its argument
                words.pop()
                assert words, f"{name} is no command"
            found[" ".join(words)] = re.split(r"^## ", text, flags=re.MULTILINE)[0]
    return found


SECTIONS = _sections()


def _options(command: click.Command, *, shared: bool) -> set[str]:
    return {
        name
        for param in command.params
        if isinstance(param, click.Option) and (param.name in SHARED) is shared
        for name in (*param.opts, *param.secondary_opts)
    }


def test_every_command_has_its_place() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_is_told(name: str) -> None:
    text = SECTIONS[name]
    missing = [option for option in _options(COMMANDS[name], shared=False) if f"`{option}" not in text]

    assert not missing


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_told_that_is_not_there(name: str) -> None:
    said = set(OPTION.findall(re.sub(r"```.*?```", "", SECTIONS[name], flags=re.DOTALL)))
    known = {option for command in COMMANDS.values() for option in _options(command, shared=True)}
    # a heading may stand for several commands
    together = [COMMANDS[other] for other, text in SECTIONS.items() if text == SECTIONS[name]]
    known |= {option for command in together for option in _options(command, shared=False)}

    assert said <= known


def test_the_options_that_all_share_are_told_once() -> None:
    part = PAGE.partition("## Options of every client command")[2].partition("\n## ")[0]
    some = next(command for command in COMMANDS.values() if isinstance(command, RemoteCommand))

    assert set(OPTION.findall(part)) == {
        name for name in _options(some, shared=True) if name.startswith("--")
    }


def test_every_exit_code_is_told() -> None:
    part = PAGE.partition("## Exit codes")[2].partition("\n## ")[0]

    assert [int(code) for code in re.findall(r"^\| (\d+) \|", part, re.MULTILINE)] == [
        DONE, FAILED, USAGE, RESUMABLE, BROKEN_PIPE,
    ]  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_says_in_a_line_what_it_does(name: str) -> None:
    assert COMMANDS[name].get_short_help_str()
    undescribed = [
        param.name for param in COMMANDS[name].params if isinstance(param, click.Option) and not param.help
    ]
    assert not undescribed
