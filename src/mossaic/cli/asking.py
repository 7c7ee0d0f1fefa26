"""Questions before something is deleted for good: asked on a terminal, refused without one."""

from __future__ import annotations

import sys

import click


def sure(question: str, *, yes: bool, command: str) -> bool:
    """Whether to go on. `yes`: it was said on the command line. Raises click.UsageError where nobody can be asked."""
    if yes:
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise click.UsageError(f"`mossaic {command}` asks before it deletes; without a terminal, say --yes")
    return click.confirm(question, err=True)
