"""The command `mossaic`: a group whose commands are imported when they are called, so that the light ones start fast."""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import Any, Final

import click

from mossaic import __version__

# section → name → (module, attribute, one line for the list)
SECTIONS: Final[dict[str, dict[str, tuple[str, str, str]]]] = {
    "Objects": {
        "cp": ("mossaic.cli.cp", "cp", "Copy files, folders, objects and streams; resumable."),
        "sync": ("mossaic.cli.sync", "sync", "Make a folder there like the one here, or the other way."),
        "ls": ("mossaic.cli.ls", "ls", "List buckets, objects, versions."),
        "rm": ("mossaic.cli.rm", "rm", "Delete objects, versions, folders."),
        "mv": ("mossaic.cli.mv", "mv", "Move objects, or a file to oss://."),
        "cat": ("mossaic.cli.cat", "cat", "Write objects to standard output."),
        "stat": ("mossaic.cli.stat", "stat", "Show what is known of an object or a bucket."),
        "du": ("mossaic.cli.du", "du", "Add up sizes."),
        "meta": ("mossaic.cli.meta", "meta", "Headers and user metadata."),
    },
    "Uploads": {
        "uploads": (
            "mossaic.cli.uploads",
            "uploads",
            "List, show, resume, abort, hand over unfinished uploads.",
        ),
    },
    "Buckets": {
        "mb": ("mossaic.cli.buckets", "mb", "Make a bucket."),
        "rb": ("mossaic.cli.buckets", "rb", "Remove a bucket."),
        "cors": ("mossaic.cli.cors", "cors", "Which web pages may use a bucket."),
        "lifecycle": ("mossaic.cli.lifecycle", "lifecycle", "What a bucket does by itself with what is old."),
    },
    "Access": {
        "acl": ("mossaic.cli.acl", "acl", "Who may use an object or a bucket."),
        "tag": ("mossaic.cli.tag", "tag", "Tags of an object or a bucket."),
        "sign": ("mossaic.cli.sign", "sign", "A link that works without credentials."),
        "sts": ("mossaic.cli.sts", "sts", "Temporary credentials."),
        "request": ("mossaic.cli.request", "request", "Links with which others upload files to you."),
        "doctor": ("mossaic.cli.doctor", "doctor", "Find out why it does not work, or is slow."),
        "completion": ("mossaic.cli.completion", "completion", "Completion for bash, zsh and fish."),
    },
    "Server": {
        "serve": ("mossaic.cli.serve", "serve", "Run the service."),
        "check": ("mossaic.cli.check", "check", "Print the effective settings and probe the stores."),
        "fsck": (
            "mossaic.cli.check",
            "fsck",
            "Verify that every object and part reads back; list unreferenced bytes.",
        ),
        "user": ("mossaic.cli.identity", "user", "RAM users and their policies."),
        "key": ("mossaic.cli.identity", "key", "Access key pairs."),
        "role": ("mossaic.cli.identity", "role", "RAM roles, their trust policies and permissions."),
        "policy": ("mossaic.cli.identity", "policy", "Named policy documents."),
    },
}
COMPLETE: Final = "_MOSSAIC_COMPLETE"
_INTERRUPTED: Final = 130  # as in `outcome`, which the light commands do without
COMMANDS: Final = {name: row for rows in SECTIONS.values() for name, row in rows.items()}


def _open_closed_streams() -> None:
    """Put something in the place of each standard stream that the caller has closed: its number would go to the next file.

    What is written there is dropped; to read is an error, for nothing was meant to be uploaded.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_WRONLY)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            put = open(number, "w" if number else "r", encoding="utf-8", closefd=False)  # noqa: SIM115  # for good
            setattr(sys, name, put)


class LazyGroup(click.Group):
    """Knows its commands by name; loads one when it is asked for."""

    def main(self, *positional: Any, **named: Any) -> Any:  # Any: click's
        _open_closed_streams()
        if os.environ.get(COMPLETE):
            importlib.import_module("mossaic.cli.completion")  # bash needs ours
        return super().main(*positional, **named)

    def invoke(self, ctx: click.Context) -> Any:  # Any: click's
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # where no command tells of it, such as while one is being loaded
            raise click.exceptions.Exit(_INTERRUPTED) from None

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        gc.disable()  # modules are made to stay: looking for garbage among them is a tenth of the start
        try:
            command = getattr(importlib.import_module(module), attribute)
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("mossaic"):
                raise
            raise click.ClickException(
                f"`mossaic {cmd_name}` needs {error.name}: install the server with `pip install 'mossaic[server]'`"
            ) from None
        finally:
            gc.freeze()
            gc.enable()
        assert isinstance(command, click.Command)
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002  # click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        for title, rows in SECTIONS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, _, line) in rows.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="mossaic")
def main() -> None:
    """Mossaic: object storage that speaks the Alibaba Cloud OSS protocol, and a client for any such service."""
