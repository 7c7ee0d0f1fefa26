"""`mossaic lifecycle`: what a bucket does by itself with old objects, old versions and unfinished uploads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.output import Column
from mossaic.cli.remote import Family
from mossaic.cli.units import counted
from mossaic.cli.urls import BUCKET_URL, PLACE_URL, Remote

if TYPE_CHECKING:
    from mossaic.cli.remote import Shell
    from mossaic.protocol.operations.settings import LifecycleRule

_STALE_RULE: Final = "mossaic-abort-stale-uploads"
_COLUMNS: Final = (
    Column(key="id", title="ID", width=28),
    Column(key="status", title="STATUS", width=8),
    Column(key="prefix", title="PREFIX", width=20),
    Column(key="does", title="DOES"),
)


@click.group(cls=Family)
def lifecycle() -> None:
    """What a bucket does by itself with old objects, old versions and unfinished uploads."""


@lifecycle.command("get")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option("--xml", is_flag=True, help="As OSS's XML, which `lifecycle set` takes.")
@click.pass_obj
def get_lifecycle(shell: Shell, url: Remote, *, xml: bool) -> None:
    """Show the rules. With --json it is the document that `lifecycle set` takes."""
    from mossaic.cli.documents import to_json, to_xml  # noqa: PLC0415  # `--help` needs no codec

    found = shell.client.get_lifecycle(bucket=shell.at(url).bucket)
    output = shell.output
    if xml:
        output.write(to_xml(found))
    elif output.face == "json":
        output.facts(to_json(found), {})
    else:
        table = output.table(_COLUMNS, header=True)
        for rule in found.rules:
            table.row(
                {
                    "id": rule.rule_id,
                    "status": rule.status,
                    "prefix": rule.prefix,
                    "does": "; ".join(_does(rule)),
                }
            )


@lifecycle.command("set")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.argument("file", metavar="FILE")
@click.option("--allow-overlap", is_flag=True, help="Rules may do the same to the same objects.")
@click.pass_obj
def set_lifecycle(shell: Shell, url: Remote, file: str, *, allow_overlap: bool) -> None:
    """Replace all rules by those of FILE: XML or JSON, - for standard input."""
    from mossaic.cli.documents import parse_document, read_file  # noqa: PLC0415  # as above
    from mossaic.protocol.operations.settings import LifecycleConfiguration  # noqa: PLC0415  # as above

    document = parse_document(read_file(file), LifecycleConfiguration, file)
    _put(shell, shell.at(url), document.rules, allow_overlap=allow_overlap)


@lifecycle.command("rm")
@click.argument("url", type=BUCKET_URL, metavar="oss://BUCKET")
@click.option("--id", "rule_id", metavar="ID", help="Only the rule of this id.")
@click.pass_obj
def remove_lifecycle(shell: Shell, url: Remote, *, rule_id: str | None) -> None:
    """Remove all rules, or one."""
    url = shell.at(url)
    rules = _found(shell, url) if rule_id is not None else ()
    kept = tuple(rule for rule in rules if rule.rule_id != rule_id)
    if rule_id is not None and len(kept) == len(rules):
        raise click.UsageError(f"{url} has no rule {rule_id!r}")
    if kept:
        _put(shell, url, kept, allow_overlap=True)
        return
    shell.client.delete_lifecycle(bucket=url.bucket)
    shell.output.event("set", f"{url} has no lifecycle rules", url=str(url), rules=0)


@lifecycle.command("abort-stale-after")
@click.argument("days", type=click.IntRange(min=1), metavar="DAYS")
@click.argument("url", type=PLACE_URL, metavar="oss://BUCKET[/PREFIX]")
@click.pass_obj
def abort_stale_after(shell: Shell, url: Remote, days: int) -> None:
    """Let the bucket abort uploads that are not finished after DAYS. Other rules stay; this command's own rule of that prefix is replaced."""
    from mossaic.protocol.operations.settings import LifecycleAbort, LifecycleRule  # noqa: PLC0415  # as above

    url = shell.at(url)
    rule = LifecycleRule(
        rule_id=_STALE_RULE if not url.key else f"{_STALE_RULE}-{_hash(url.key)}",
        prefix=url.key,
        status="Enabled",
        abort_upload=LifecycleAbort(days=days),
    )
    others = tuple(each for each in _found(shell, url) if each.rule_id != rule.rule_id)
    _put(shell, url, (*others, rule), allow_overlap=True)  # the shorter time wins


def _hash(prefix: str) -> str:
    """A rule's id holds few characters, a prefix any."""
    from hashlib import sha256  # noqa: PLC0415  # as above

    return sha256(prefix.encode()).hexdigest()[:8]


def _found(shell: Shell, url: Remote) -> tuple[LifecycleRule, ...]:
    from mossaic.client.errors import NoSuchLifecycle  # noqa: PLC0415  # as above

    try:
        return shell.client.get_lifecycle(bucket=url.bucket).rules
    except NoSuchLifecycle:
        return ()


def _put(shell: Shell, url: Remote, rules: tuple[LifecycleRule, ...], *, allow_overlap: bool) -> None:
    shell.client.put_lifecycle(rules, allow_overlap=allow_overlap, bucket=url.bucket)
    bucket = Remote(url.bucket)
    words = f"{bucket} has {counted(len(rules), 'lifecycle rule')}"
    shell.output.event("set", words, url=str(bucket), rules=len(rules))


def _does(rule: LifecycleRule) -> list[str]:
    """What a rule does, in words."""
    said: list[str] = []
    expiration, abort = rule.expiration, rule.abort_upload
    if expiration is not None:
        when = _when(expiration.days, expiration.created_before or expiration.date)
        said.append("deletes delete markers without versions" if not when else f"deletes objects {when}")
    said += [f"to {each.storage_class} {_when(each.days, each.created_before)}" for each in rule.transitions]
    if abort is not None:
        said.append(f"aborts uploads {_when(abort.days, abort.created_before)}")
    if rule.noncurrent_expiration is not None:
        said.append(f"deletes older versions after {rule.noncurrent_expiration.noncurrent_days} days")
    said += [
        f"older versions to {each.storage_class} after {each.noncurrent_days} days"
        for each in rule.noncurrent_transitions
    ]
    if rule.tags:
        said.append("only tagged " + ", ".join(f"{tag.key}={tag.value}" for tag in rule.tags))
    if rule.filter is not None:
        said.append("with a filter")
    return said


def _when(days: int | None, before: str | None) -> str:
    return f"after {days} days" if days is not None else f"from before {before}" if before is not None else ""
