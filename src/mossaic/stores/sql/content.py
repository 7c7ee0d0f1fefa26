"""Who holds which blob: every part and every content row counts one reference on each blob that it names.

A blob that comes to 0 references is garbage for good: it is never taken up again, so its bytes may go at once. Content
of objects may still be read when its last version goes; it is retired and gives its references back after the grace.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from mossaic.model.manifest import EXTENT_BYTES
from mossaic.ports import Damaged
from mossaic.protocol.records import WORD_BYTES
from mossaic.stores.sql.rows import BLOB_ID_BYTES, NO_MD5, StoredManifest, signed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.model.manifest import Manifests
    from mossaic.model.object import Blob, ObjectVersion
    from mossaic.stores.sql.statements import Transaction

_ADD_BLOB = "INSERT INTO blobs (blob_id, size, md5, crc64, refs) VALUES (?, ?, ?, ?, ?)"
_HOLD = "UPDATE blobs SET refs = refs + ? WHERE blob_id = ? AND refs > 0"
_RELEASE = "UPDATE blobs SET refs = refs - ? WHERE blob_id = ?"
_ADD_CONTENT = "INSERT INTO content (refs, packed, inline) VALUES (1, ?, ?)"
_SHARE = "UPDATE content SET refs = refs + 1 WHERE content_id = ? AND refs > 0 AND packed = ?"
_UNSHARE = """UPDATE content SET refs = refs - 1, retired_at = CASE refs WHEN 1 THEN ? END
    WHERE content_id = ? AND (refs > 1 OR inline IS NULL)"""  # the last reference on inline content is not given back: it goes
_DROP = "DELETE FROM content WHERE content_id = ?"


def blob_ids(packed: bytes) -> set[bytes]:
    """The blobs that a packed manifest names."""
    if len(packed) == EXTENT_BYTES:
        return {packed[:BLOB_ID_BYTES]}
    return {packed[at : at + BLOB_ID_BYTES] for at in range(0, len(packed), EXTENT_BYTES)}


def holding(packed: bytes) -> dict[bytes, int]:
    """References that a holder with this packed manifest counts: one on each blob."""
    return dict.fromkeys(blob_ids(packed), 1)


def held(manifests: Manifests) -> Counter[bytes]:
    """References that these manifests count on each blob: one a manifest."""
    if manifests.are_single:
        whole = manifests.whole
        return Counter([whole[at : at + BLOB_ID_BYTES] for at in range(0, len(whole), EXTENT_BYTES)])
    counts = Counter[bytes]()
    for packed in manifests:
        counts.update(blob_ids(packed))
    return counts


def are_handed_on(manifests: Manifests, packed: bytes) -> bool:
    """Content of that packed manifest will hold just what these manifests hold, each blob once: the holder changes, no count does."""
    if not manifests.are_single or manifests.whole != packed:
        return False
    tails = memoryview(packed).cast("Q")[
        1 :: EXTENT_BYTES // WORD_BYTES
    ]  # the second half of each id: when they differ, all do
    return len(set(tails)) == len(tails)


def change_holders(
    tx: Transaction,
    *,
    gone: Mapping[bytes, int],
    come: Mapping[bytes, int],
    new_blobs: tuple[Blob, ...] = (),
) -> None:
    """Move references from holders that go to holders that come; blobs in both are not touched.

    `new_blobs` are made known first. Raises Damaged: a blob that is to be shared is unknown or already garbage.
    """
    fresh = {bytes.fromhex(blob.blob_id): blob for blob in new_blobs}
    for blob_id, blob in fresh.items():
        tx.run(_ADD_BLOB, blob_id, blob.size, blob.md5 or NO_MD5, signed(blob.crc64), come.get(blob_id, 0))
    down: list[tuple[int, bytes]] = []
    if come != gone:
        for blob_id in (come.keys() | gone.keys()) - fresh.keys():
            change = come.get(blob_id, 0) - gone.get(blob_id, 0)
            if change > 0 and tx.run(_HOLD, change, blob_id) == 0:
                raise Damaged(f"blob {blob_id.hex()} is gone")
            if change < 0:
                down.append((-change, blob_id))
    if down:
        tx.many(_RELEASE, down)
        tx.freed = True


def add_content(
    tx: Transaction,
    version: ObjectVersion,
    new_blobs: tuple[Blob, ...],
    *,
    gone: Mapping[bytes, int] | None = None,
    handed_on: bool = False,
) -> int | None:
    """Keep the content of `version`, with one reference; the content's id, None for an object without content.

    `gone`: references of holders that this content takes the place of; `handed_on`: they are its own (`are_handed_on`).
    Raises Damaged as change_holders.
    """
    manifest = version.manifest
    gone = {} if gone is None else gone
    is_copy = not gone and not new_blobs and not handed_on
    if (
        is_copy
        and isinstance(manifest, StoredManifest)
        and tx.run(_SHARE, manifest.content_id, manifest.packed)
    ):
        return manifest.content_id
    packed = manifest.packed if version.inline is None else b""
    if not handed_on and (packed or not is_copy):
        change_holders(tx, gone=gone, come=holding(packed), new_blobs=new_blobs)
    if packed:
        return tx.insert(_ADD_CONTENT, packed, None)
    if version.inline:
        return tx.insert(_ADD_CONTENT, None, version.inline)
    return None


def release_content(tx: Transaction, content_id: int | None, *, now: int) -> None:
    """One version of that content is gone (`now` in microseconds)."""
    if content_id is not None and not tx.run(_UNSHARE, now, content_id):
        tx.run(_DROP, content_id)


def drop_retired(tx: Transaction, content_id: int) -> int:
    """The grace of a retired content is over: give its references back. The number of blobs it held."""
    row = tx.one("SELECT packed FROM content WHERE content_id = ? AND refs = 0", content_id)
    if row is None:
        return 0
    gone = holding(row[0])
    change_holders(tx, gone=gone, come={})
    tx.run(_DROP, content_id)
    return len(gone)
