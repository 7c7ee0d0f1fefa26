"""`mossaic serve`: run the service until it is told to stop, and say how to reach it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mossaic.app import App, StartError
from mossaic.claim import Taken, claim
from mossaic.cli.options import load_settings, settings_options
from mossaic.config import load
from mossaic.team import Team
from mossaic.workers import run, serve_with_workers

if TYPE_CHECKING:
    from mossaic.config import Settings
    from mossaic.root_key import RootKey

DEMO: Final = {
    "demo_bucket": "examplebucket",
    "callback.allow_loopback": True,
}


@click.command()
@click.option("--listen", metavar="HOST:PORT", help="Address to listen on [default: 127.0.0.1:9280].")
@click.option(
    "--workers",
    metavar="N",
    help="Processes that share the work, or `auto` for one a core, at most 8 [default: auto].",
)
@settings_options
@click.option(
    "--demo",
    is_flag=True,
    help="Make a bucket with browser access, allow callbacks to loopback, print how to use it.",
)
def serve(
    listen: str | None, workers: str | None, data: str | None, config_file: Path | None, demo: bool
) -> None:
    """Run the service. Stops on SIGTERM or Ctrl-C after requests in flight have finished."""
    overrides: dict[str, object] = {"listen": listen, "workers": workers, "data": data}
    if demo:
        settings = load_settings(config_file, overrides).settings
        defaults = DEMO | {"log.access": str(settings.data_dir / "access.log")}
        overrides |= defaults
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    loaded = load_settings(config_file, overrides)
    try:
        lock = claim(loaded.settings.data_dir)
        app = App.open(loaded.settings, Team(lock=lock))
    except (StartError, Taken) as error:
        raise click.ClickException(str(error)) from None

    def announce(endpoint: str) -> None:
        text = _demo_text(app, endpoint) if demo else _short_text(app, endpoint)
        click.echo(text, err=not demo)

    def reread() -> Settings:
        return load(file=config_file, overrides=overrides).settings

    try:
        count = loaded.settings.worker_count
        if count == 1 or (loaded.settings.workers == "auto" and lock is None):
            run(app.run(announce))
            return
        code = serve_with_workers(app, count, reread=reread, announce=announce)
    except StartError as error:
        raise click.ClickException(str(error)) from None
    raise SystemExit(code)


def _short_text(app: App, endpoint: str) -> str:
    lines = [f"mossaic: serving {endpoint} from {app.settings.data_dir}"]
    if app.settings.console.enabled:
        lines.append(f"mossaic: the web page is {page_url(endpoint)}")
    key = app.root_key
    if key.fresh:
        lines += [
            f"mossaic: made a key pair, kept in {key.file}",
            f"  access key id      {key.access_key_id}",
            f"  access key secret  {key.secret.reveal()}",
        ]
    return "\n".join(lines)


def _demo_text(app: App, endpoint: str) -> str:
    key, bucket = app.root_key, app.settings.demo_bucket
    host, port = endpoint.removeprefix("http://").rsplit(":", 1)
    signed = app.presign("PUT", endpoint, bucket, "hello.txt", seconds=3600)
    secret = key.secret.reveal()
    pair = f'accessKeyId: "{key.access_key_id}", accessKeySecret: "{secret}"'
    region = app.settings.region
    local = f"http://localhost:{port}" if host in ("127.0.0.1", "localhost") else endpoint
    return f"""
Mossaic is serving {endpoint}

  access key id      {key.access_key_id}
  access key secret  {secret}
  bucket             {bucket}   (any web page may use it: CORS is open on this bucket)
  data               {app.settings.data_dir}
  callbacks          may go to 127.0.0.1, because this is the demo{_page_line(app, endpoint)}

One line for each client:

  ali-oss   new OSS({{ endpoint: "{local}", {pair}, bucket: "{bucket}", cname: false, sldEnable: true }}).put("hello.txt", Buffer.from("hello"))
  oss2      python -c 'import oss2; print(oss2.Bucket(oss2.Auth("{key.access_key_id}", "{secret}"), "{endpoint}", "{bucket}", is_path_style=True).put_object("hello.txt", b"hello").etag)'
  oss-v2    python -c 'import alibabacloud_oss_v2 as oss; c = oss.config.load_default(); c.region = "{region}"; c.endpoint = "{endpoint}"; c.use_path_style = True; c.credentials_provider = oss.credentials.StaticCredentialsProvider("{key.access_key_id}", "{secret}"); print(oss.Client(c).put_object(oss.PutObjectRequest(bucket="{bucket}", key="hello.txt", body=b"hello")).etag)'
  ossutil   ossutil -e {endpoint} -i {key.access_key_id} -k {secret} --force-path-style cp README.md oss://{bucket}/hello.txt
  curl      echo hello | curl -f -T - '{signed}'
  mossaic   echo hello | OSS_ACCESS_KEY_ID={key.access_key_id} OSS_ACCESS_KEY_SECRET={secret} {_command()} cp - oss://{bucket}/hello.txt -e {endpoint}

Stop with Ctrl-C.
"""


def page_url(endpoint: str) -> str:
    return f"{endpoint}/-/console/"


def _page_line(app: App, endpoint: str) -> str:
    if not app.settings.console.enabled:
        return ""
    return f"\n  web page           {page_url(endpoint)}   (sign in with the key pair above)"


def _command() -> str:
    """As this shell can call it: `make run` has it in a virtual environment."""
    import shutil  # noqa: PLC0415  # only for the demo

    return shutil.which("mossaic") or str(Path(sys.executable).with_name("mossaic"))


def describe_key(key: RootKey) -> str:
    return f"{key.access_key_id} ({key.file or 'from the settings'})"
