"""`mossaic check` and `mossaic fsck`: what is set, whether the stores work, and whether every byte is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from mossaic.app import App, StartError
from mossaic.cli.options import load_settings, settings_options
from mossaic.config import describe
from mossaic.service.fsck import fsck as run_fsck

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.config import Loaded


@click.command()
@settings_options
def check(data: str | None, config_file: Path | None) -> None:
    """Print every setting with its origin, then probe the stores. Exit code 1 when a probe fails."""
    loaded = load_settings(config_file, {"data": data})
    rows = list(describe(loaded))
    width = max(len(key) for key, _, _ in rows)
    for key, value, origin in rows:
        click.echo(f"{key:<{width}}  {value}  [{origin}]")
    app = _open(loaded)
    try:
        failed = asyncio.run(app.probe())
    finally:
        asyncio.run(app.close())
    for name, problem in failed.items():
        click.echo(f"{name}: {problem or 'ok'}")
    if any(failed.values()):
        raise SystemExit(1)


@click.command()
@settings_options
@click.option("--quick", is_flag=True, help="Look at sizes and references only, do not read the bytes.")
def fsck(data: str | None, config_file: Path | None, quick: bool) -> None:
    """Verify that every object and part reads back with its size, MD5 and CRC-64, and list unreferenced bytes.

    Exit code 1 when something is wrong; unreferenced bytes alone are not (the sweeper frees them).
    """
    loaded = load_settings(config_file, {"data": data})
    if not (loaded.settings.data_dir / "metadata.db").exists():
        raise click.ClickException(f"{loaded.settings.data_dir} is no data directory: it has no metadata.db")
    app = _open(loaded)

    async def run() -> bool:
        report = await run_fsck(app.metadata, app.blobs, read_bytes=not quick)
        await app.close()
        for line in report.lines():
            click.echo(line)
        return report.sound

    if not asyncio.run(run()):
        raise SystemExit(1)


def _open(loaded: Loaded) -> App:
    try:
        return App.open(loaded.settings)
    except StartError as error:
        raise click.ClickException(str(error)) from None
