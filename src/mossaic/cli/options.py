"""Options that several commands share, and settings from them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from mossaic.config import Loaded, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")  # Any: click commands have any shape

data_option = click.option("--data", metavar="DIR", help="Data directory [default: ./mossaic-data].")
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Settings in TOML; MOSSAIC_* variables and options come after it.",
)


def settings_options(command: F) -> F:
    """`--data` and `--config`."""
    return data_option(config_option(command))


def load_settings(config_file: Path | None, overrides: Mapping[str, object]) -> Loaded:
    """Raises click.ClickException with what is wrong."""
    try:
        return load(file=config_file, overrides=overrides)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None
