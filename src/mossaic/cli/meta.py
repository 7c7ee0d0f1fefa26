"""`mossaic meta`: headers and user metadata of an object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from mossaic.cli.outcome import DONE
from mossaic.cli.pairs import read_pairs
from mossaic.cli.remote import Family
from mossaic.cli.urls import OBJECT_URL, Remote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.cli.remote import Shell
    from mossaic.client.results import ObjectInfo

# option → field of ObjectInfo
_HEADERS: Final = {
    "Content-Type": "content_type",
    "Cache-Control": "cache_control",
    "Content-Disposition": "content_disposition",
    "Content-Encoding": "content_encoding",
    "Content-Language": "content_language",
    "Expires": "expires",
}


@click.group(cls=Family)
def meta() -> None:
    """Headers and user metadata of an object."""


@meta.command("get")
@click.argument("url", type=OBJECT_URL, metavar="oss://BUCKET/KEY")
@click.option("--version-id", metavar="ID", help="This version.")
@click.pass_obj
def get_meta(shell: Shell, url: Remote, *, version_id: str | None) -> None:
    """Show them. User metadata are told as `meta.NAME` in plain lines and under `meta` in JSON."""
    url = shell.at(url)
    info = shell.client.head(url.key, version_id=version_id, bucket=url.bucket)
    headers = {name.lower(): text for name, text in _headers(info).items()}
    record: dict[str, object] = {**headers, "storage_class": info.storage_class, "meta": dict(info.meta)}
    words = {name: (name, text) for name, text in _headers(info).items()}
    words["storage_class"] = ("storage class", info.storage_class or "Standard")
    words |= {f"meta.{name}": (f"meta {name}", text) for name, text in info.meta.items()}
    shell.output.facts(record, words)


@meta.command("set")
@click.argument("url", type=OBJECT_URL, metavar="oss://BUCKET/KEY")
@click.argument("pairs", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--content-type", metavar="TYPE", help="Media type.")
@click.option("--cache-control", metavar="TEXT", help="How long readers may keep it.")
@click.option("--content-disposition", metavar="TEXT", help="Such as 'attachment; filename=x.pdf'.")
@click.option("--content-encoding", metavar="TEXT", help="Such as gzip.")
@click.option("--content-language", metavar="TEXT", help="Such as zh-CN.")
@click.option("--expires", metavar="TEXT", help="HTTP's Expires.")
@click.option(
    "--storage-class", metavar="CLASS", help="Standard, IA, Archive, ColdArchive or DeepColdArchive."
)
@click.option(
    "--remove", multiple=True, metavar="NAME", help="Take away user metadata of this name, or a header."
)
@click.option("--replace", is_flag=True, help="Forget everything that is not named here.")
@click.pass_obj
def set_meta(
    shell: Shell,
    /,
    url: Remote,
    pairs: tuple[str, ...],
    *,
    storage_class: str | None,
    remove: tuple[str, ...],
    replace: bool,
    **headers: str | None,
) -> int:
    """Set user metadata (NAME=VALUE) and headers; what is not named stays.

    The object is copied onto itself inside the service, because OSS knows no other way: its time of modification changes. Tags and ACL stay.
    """
    given = read_pairs(pairs)
    named = {
        name: text for name in _HEADERS if (text := headers.get(name.lower().replace("-", "_"))) is not None
    }
    if not (given or named or remove or replace or storage_class):
        raise click.UsageError("nothing to set: give NAME=VALUE, a header, --remove or --replace")
    url = shell.at(url)
    client = shell.client
    info = client.head(url.key, bucket=url.bucket)
    acl = client.get_acl(url.key, bucket=url.bucket).acl
    taken = {name.lower().removeprefix("x-oss-meta-") for name in remove}
    kept_meta = {} if replace else {name: text for name, text in info.meta.items() if name not in taken}
    kept = (
        {} if replace else {name: text for name, text in _headers(info).items() if name.lower() not in taken}
    )
    done = client.copy(
        url.key,
        url.key,
        bucket=url.bucket,
        replace=True,
        if_match=info.etag,
        meta={**kept_meta, **{name.lower(): text for name, text in given.items()}},
        headers={**kept, **named},
        storage_class=storage_class or info.storage_class,
        acl=None if acl == "default" else acl,
    )
    shell.output.event("set", f"set the metadata of {url}", url=str(url), version_id=done.version_id)
    return DONE


def _headers(info: ObjectInfo) -> Mapping[str, str]:
    fields: dict[str, Any] = {
        name: getattr(info, field) for name, field in _HEADERS.items()
    }  # Any: texts or None
    return {name: text for name, text in fields.items() if text is not None}
