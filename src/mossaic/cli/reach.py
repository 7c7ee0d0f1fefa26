"""What a recursive command reaches: everything in a folder, in the order of the listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.cli.urls import Remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.client.client import Client
    from mossaic.protocol.operations.listing import MarkerEntry, ObjectEntry, VersionEntry


def folder_of(url: Remote) -> Remote:
    """`oss://b/logs` as the folder `oss://b/logs/`: with -r a name means what is in it, not everything that begins like it."""
    return url if url.is_folder else Remote(url.bucket, f"{url.key}/")


def objects_in(client: Client, url: Remote, *, beginning: bool = False) -> Iterator[ObjectEntry]:
    """The objects in a folder; of `oss://b/logs` the object `logs`, too. `beginning`: all whose key begins so.

    Raises as `Client.list_objects`.
    """
    from mossaic.protocol.operations.listing import ObjectEntry  # noqa: PLC0415  # `--help` has no need of shapes

    for entry in client.list_objects(url.key, bucket=url.bucket):
        if isinstance(entry, ObjectEntry) and (beginning or _reached(entry.key, url)):
            yield entry


def versions_in(
    client: Client, url: Remote, *, beginning: bool = False
) -> Iterator[VersionEntry | MarkerEntry]:
    """The same with all versions and delete markers."""
    from mossaic.protocol.operations.listing import CommonPrefix  # noqa: PLC0415  # as above

    for entry in client.list_versions(url.key, bucket=url.bucket):
        if not isinstance(entry, CommonPrefix) and (beginning or _reached(entry.key, url)):
            yield entry


def _reached(key: str, url: Remote) -> bool:
    return url.is_folder or key == url.key or key.startswith(f"{url.key}/")
