"""`mossaic cors`: which web pages may use a bucket from a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.output import Column
from mossaic.cli.remote import Family
from mossaic.cli.units import counted
from mossaic.cli.urls import BUCKET_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from mossaic.cli.remote import Shell
    from mossaic.protocol.operations.settings import CorsConfiguration, CorsRule

# What ali-oss in a browser reads from answers; without ETag a multipart upload cannot be completed.
EXPOSED: Final = (
    "ETag",
    "x-oss-request-id",
    "x-oss-version-id",
    "x-oss-hash-crc64ecma",
    "x-oss-next-append-position",
)
_METHODS: Final = {"upload": ("GET", "HEAD", "PUT", "POST", "DELETE"), "read": ("GET", "HEAD")}
_MAX_AGE_S: Final = 600
_COLUMNS: Final = (
    Column(key="number", width=2, right=True),
    Column(key="origins", title="ORIGINS", width=32),
    Column(key="methods", title="METHODS", width=26),
    Column(key="headers", title="HEADERS", width=10),
    Column(key="max_age_s", title="MAX AGE", width=7, right=True),
    Column(key="exposes", title="EXPOSES"),
)


def rule_options(command: Callable[..., Any]) -> Callable[..., Any]:  # Any: click commands have any shape
    """The options that say one rule."""
    for option in reversed(
        (
            click.option(
                "--allow-origin",
                "origins",
                multiple=True,
                metavar="ORIGIN",
                help="A page's origin (https://app.example.com), or *.",
            ),
            click.option(
                "--preset",
                type=click.Choice(["upload", "read"]),
                default="upload",
                show_default=True,
                help="What a page is for: methods and headers that the rule allows when nothing else is said.",
            ),
            click.option(
                "--allow-method",
                "methods",
                multiple=True,
                metavar="METHOD",
                help="GET, PUT, POST, DELETE or HEAD.",
            ),
            click.option(
                "--allow-header",
                "headers",
                multiple=True,
                metavar="NAME",
                help="A request header [default: *].",
            ),
            click.option(
                "--expose-header",
                "exposes",
                multiple=True,
                metavar="NAME",
                help="A header of answers that the page may read.",
            ),
            click.option(
                "--max-age",
                metavar="SECONDS",
                type=click.IntRange(min=0),
                help="How long browsers may remember it [default: 600].",
            ),
        )
    ):
        command = option(command)
    return command


@click.group(cls=Family)
def cors() -> None:
    """Which web pages may use a bucket from a browser."""


@cors.command("get")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option("--xml", is_flag=True, help="As OSS's XML, which `cors set` takes.")
@click.pass_obj
def get_cors(shell: Shell, url: Remote, *, xml: bool) -> None:
    """Show the rules in order: the first that fits a request counts. With --json it is the document that `cors set` takes."""
    from mossaic.cli.documents import to_json, to_xml  # noqa: PLC0415  # `--help` needs no codec

    found = shell.client.get_cors(bucket=shell.at(url).bucket)
    output = shell.output
    if xml:
        output.write(to_xml(found))
    elif output.face == "json":
        output.facts(to_json(found), {})
    else:
        table = output.table(_COLUMNS, header=True)
        for number, rule in enumerate(found.rules, 1):
            table.row({"number": number, **_row(rule)})


@cors.command("set")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.argument("file", required=False, metavar="[FILE]")
@rule_options
@click.pass_obj
def set_cors(
    shell: Shell, /, url: Remote, file: str | None, **rule: Any
) -> None:  # Any: the options of a rule
    """Replace all rules: by those of FILE (XML or JSON, - for standard input), or by one rule made of the options.

    `mossaic cors set oss://b --allow-origin https://app.example.com` is all that a page which uploads with ali-oss needs.
    """
    from mossaic.cli.documents import parse_document, read_file  # noqa: PLC0415  # as above
    from mossaic.protocol.operations.settings import CorsConfiguration  # noqa: PLC0415  # as above

    if (file is None) == (not rule["origins"]):
        raise click.UsageError("give a FILE, or --allow-origin")
    document = (
        CorsConfiguration(rules=(_rule(**rule),))
        if file is None
        else parse_document(read_file(file), CorsConfiguration, file)
    )
    _put(shell, shell.at(url), document)


@cors.command("add")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@rule_options
@click.pass_obj
def add_cors(shell: Shell, /, url: Remote, **rule: Any) -> None:  # Any: as above
    """Add a rule behind the others."""
    from dataclasses import replace  # noqa: PLC0415  # as above

    if not rule["origins"]:
        raise click.UsageError("give --allow-origin")
    url = shell.at(url)
    found = _found(shell, url)
    _put(shell, url, replace(found, rules=(*found.rules, _rule(**rule))))


@cors.command("rm")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option(
    "--number",
    type=click.IntRange(min=1),
    metavar="N",
    help="Only the rule of this number, as `cors get` shows it.",
)
@click.pass_obj
def remove_cors(shell: Shell, url: Remote, *, number: int | None) -> None:
    """Remove all rules, or one."""
    from dataclasses import replace  # noqa: PLC0415  # as above

    url = shell.at(url)
    rules = _found(shell, url).rules if number is not None else ()
    if number is not None and number > len(rules):
        raise click.UsageError(f"{url} has {len(rules)} rules")
    if number is not None and len(rules) > 1:
        found = _found(shell, url)
        _put(shell, url, replace(found, rules=(*rules[: number - 1], *rules[number:])))
        return
    shell.client.delete_cors(bucket=url.bucket)
    shell.output.event("set", f"{url} has no CORS rules", url=str(url), rules=0)


def _found(shell: Shell, url: Remote) -> CorsConfiguration:
    from mossaic.client.errors import NoSuchCORSConfiguration  # noqa: PLC0415  # as above
    from mossaic.protocol.operations.settings import CorsConfiguration  # noqa: PLC0415  # as above

    try:
        return shell.client.get_cors(bucket=url.bucket)
    except NoSuchCORSConfiguration:
        return CorsConfiguration()


def _rule(
    *,
    origins: tuple[str, ...],
    preset: str,
    methods: tuple[str, ...],
    headers: tuple[str, ...],
    exposes: tuple[str, ...],
    max_age: int | None,
) -> CorsRule:
    from mossaic.protocol.operations.settings import CorsRule  # noqa: PLC0415  # as above

    return CorsRule(
        allowed_origins=origins,
        allowed_methods=tuple(method.upper() for method in methods) or _METHODS[preset],
        allowed_headers=headers or ("*",),
        expose_headers=exposes or EXPOSED,
        max_age_s=_MAX_AGE_S if max_age is None else max_age,
    )


def _put(shell: Shell, url: Remote, document: CorsConfiguration) -> None:
    shell.client.put_cors(document, bucket=url.bucket)
    count = len(document.rules)
    words = f"{url} has {counted(count, 'CORS rule')}"
    shell.output.event("set", words, url=str(url), rules=count)


def _row(rule: CorsRule) -> dict[str, object]:
    return {
        "origins": ", ".join(rule.allowed_origins),
        "methods": " ".join(rule.allowed_methods),
        "headers": ", ".join(rule.allowed_headers),
        "max_age_s": rule.max_age_s,
        "exposes": ", ".join(rule.expose_headers),
    }
