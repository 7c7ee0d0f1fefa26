"""Options that several commands share, and settings from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from mossaic.config import Loaded, SettingsError, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

F = TypeVar("F", bound="Callable[..., Any]")  # Any: click commands have any shape

# Variables of the client: the server's settings, which begin with MOSSAIC_ as well, know nothing of them.
CLIENT_VARIABLES: Final = frozenset(
    "MOSSAIC_ENDPOINT MOSSAIC_BUCKET MOSSAIC_PROFILE MOSSAIC_CONFIG_FILE MOSSAIC_STATE_DIR MOSSAIC_SECURITY_TOKEN MOSSAIC_DEBUG".split()
)

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
        return load(file=config_file, environ=server_environment(), overrides=overrides)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


def server_environment() -> dict[str, str]:
    """The environment as the server's settings are to see it."""
    return {name: text for name, text in os.environ.items() if name not in CLIENT_VARIABLES}
