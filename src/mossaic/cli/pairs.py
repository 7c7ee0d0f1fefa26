"""`NAME=VALUE` arguments and `NAME: VALUE` headers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable


def read_pairs(given: Iterable[str], what: str = "NAME=VALUE") -> dict[str, str]:
    """Raises click.UsageError."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise click.UsageError(f"{text!r} is not of the form {what}")
        if name in found:
            raise click.UsageError(f"{name!r} is given twice")
        found[name] = value
    return found


def read_headers(given: Iterable[str]) -> dict[str, str]:
    """Raises click.UsageError."""
    found: dict[str, str] = {}
    for text in given:
        name, sign, value = text.partition(":")
        if not sign or not name.strip():
            raise click.UsageError(f"{text!r} is not of the form 'Name: value'")
        found[name.strip()] = value.strip()
    return found
