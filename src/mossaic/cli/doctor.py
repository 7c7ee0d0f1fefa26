"""`mossaic doctor`: why does it not work, or not fast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.outcome import FAILED
from mossaic.cli.remote import RemoteCommand
from mossaic.cli.urls import PLACE_URL

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell
    from mossaic.cli.urls import Remote
    from mossaic.client.diagnosis import Finding

_MARKS: Final = {
    "ok": ("ok", "green"),
    "warning": ("warn", "yellow"),
    "failed": ("FAIL", "red"),
    "skipped": ("-", None),
}


@click.command(cls=RemoteCommand)
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/PREFIX]")
@click.option(
    "--origin",
    default="https://www.example.com",
    show_default=True,
    metavar="ORIGIN",
    help="The web page that is to upload, for the CORS check.",
)
@click.pass_obj
def doctor(shell: Shell, url: Remote, *, origin: str) -> int | None:
    """Check DNS, connection, TLS, clock, signature, CORS with ETag exposure and the round trip of a part, and advise.

    Prints the part size, parallelism and time-out that fit the line, and the exact CORS rule to set. Exit code 1 when something failed.
    """
    url = shell.at(url)
    output = shell.output
    output.note(f"endpoint {shell.client.endpoint}, bucket {url.bucket}")
    failed = False
    for finding in shell.client.diagnose(url.key, origin=origin, bucket=url.bucket):
        failed = failed or finding.verdict == "failed"
        _tell(shell, finding)
    return FAILED if failed else None


def _tell(shell: Shell, finding: Finding) -> None:
    output = shell.output
    mark, colour = _MARKS[finding.verdict]
    output.event(
        "finding",
        f"{mark:<5} {finding.check:<11} {finding.words}",
        check=finding.check,
        verdict=finding.verdict,
        found=finding.words,
        advice=list(finding.advice),
        **({"facts": dict(finding.facts)} if output.face == "json" else {}),
    )
    if output.face == "human":
        for line in finding.advice:
            output.write(f"      {output.paint(line, fg=colour) if colour else line}")
