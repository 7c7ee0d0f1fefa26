"""Counts everything again that the tables keep incrementally, and lets SQLite check its file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from mossaic.stores.sql.content import blob_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.stores.sql.database import Database

MAX_PROBLEMS = 1_000  # of each kind

_HOLDERS = """SELECT packed FROM parts WHERE upload_num NOT IN (SELECT upload_num FROM closed_uploads)
    UNION ALL SELECT packed FROM content WHERE packed IS NOT NULL"""
_COUNTED = "INSERT INTO held VALUES (?, 1) ON CONFLICT (blob_id) DO UPDATE SET refs = refs + 1"

# Each finds rows (text) that must not be there.
_RULES: tuple[str, ...] = (
    """SELECT 'blob ' || lower(hex(blob_id)) || ': ' || b.refs || ' references kept, ' || coalesce(h.refs, 0) || ' found'
        FROM main.blobs AS b LEFT JOIN held AS h USING (blob_id) WHERE b.refs <> coalesce(h.refs, 0)""",
    """SELECT 'blob ' || lower(hex(blob_id)) || ' is referenced but not known'
        FROM held AS h LEFT JOIN main.blobs AS b USING (blob_id) WHERE b.blob_id IS NULL""",
    """SELECT 'content ' || content_id || ': ' || c.refs || ' references kept, ' || count(v.content_id) || ' found'
        FROM main.content AS c LEFT JOIN (SELECT content_id FROM objects UNION ALL SELECT content_id FROM history) AS v
        USING (content_id) GROUP BY content_id HAVING c.refs <> count(v.content_id)""",
    """SELECT 'version ' || version_id || ' of ' || CAST(key AS TEXT) || ' has no content'
        FROM (SELECT * FROM objects UNION ALL SELECT * FROM history) WHERE content_id IS NOT NULL
        AND content_id NOT IN (SELECT content_id FROM content)""",
    """SELECT 'version ' || version_id || ' of ' || CAST(key AS TEXT) || ' has ' || size || ' bytes but no content'
        FROM (SELECT * FROM objects UNION ALL SELECT * FROM history) WHERE content_id IS NULL AND size > 0""",
    """SELECT 'upload ' || upload_id || ' is open and completed' FROM uploads JOIN receipts USING (upload_id)""",
    """SELECT 'part ' || number || ' belongs to no open upload' FROM parts
        WHERE upload_num NOT IN (SELECT upload_num FROM uploads)
        AND upload_num NOT IN (SELECT upload_num FROM closed_uploads)""",
    """SELECT 'upload ' || upload_id || ' is open and closed' FROM uploads JOIN closed_uploads USING (upload_num)""",
    """SELECT 'row of ' || CAST(key AS TEXT) || ' belongs to no bucket' FROM (SELECT bucket_id, key FROM objects
        UNION ALL SELECT bucket_id, key FROM history UNION ALL SELECT bucket_id, key FROM uploads)
        WHERE bucket_id NOT IN (SELECT bucket_id FROM buckets)""",
    """SELECT CAST(h.key AS TEXT) || ' has a newer version than its current one' FROM history AS h
        JOIN objects AS o USING (bucket_id, key) WHERE h.seq >= o.seq""",
    """SELECT CAST(h.key AS TEXT) || ' has versions but none is current' FROM history AS h
        WHERE NOT EXISTS (SELECT 1 FROM objects AS o WHERE o.bucket_id = h.bucket_id AND o.key = h.key)
        AND NOT EXISTS (SELECT 1 FROM history AS n WHERE n.bucket_id = h.bucket_id AND n.key = h.key AND n.seq > h.seq)
        AND h.type <> 'DeleteMarker'""",
    """SELECT 'bucket ' || bucket_id || ', ' || storage_class || ': totals ' || t.size || ' bytes, ' || t.count
        || ' versions; found ' || coalesce(f.size, 0) || ', ' || coalesce(f.count, 0) FROM class_totals AS t
        LEFT JOIN (SELECT bucket_id, storage_class, sum(size) AS size, count(*) AS count FROM (SELECT * FROM objects
        UNION ALL SELECT * FROM history) WHERE type <> 'DeleteMarker' GROUP BY bucket_id, storage_class) AS f
        USING (bucket_id, storage_class) WHERE t.size <> coalesce(f.size, 0) OR t.count <> coalesce(f.count, 0)""",
    """SELECT 'bucket ' || bucket_id || ' counts uploads, parts or delete markers wrongly' FROM bucket_counts AS c
        WHERE upload_count <> (SELECT count(*) FROM uploads AS u WHERE u.bucket_id = c.bucket_id)
        OR delete_marker_count <> (SELECT count(*) FROM history AS h WHERE h.bucket_id = c.bucket_id
            AND h.type = 'DeleteMarker')
        OR (part_count, part_size) <> (SELECT count(*), coalesce(sum(size), 0) FROM parts JOIN uploads AS u
            USING (upload_num) WHERE u.bucket_id = c.bucket_id)""",
    """SELECT 'upload request ' || request_id || ': ' || held_bytes || ' bytes held, but its open uploads have others'
        FROM upload_requests AS r WHERE held_bytes <> (SELECT coalesce(sum(size), 0) FROM parts JOIN uploads AS u
            USING (upload_num) WHERE u.request_id = r.request_id)""",
)


def check(database: Database) -> list[str]:
    """Problems in words; none is an empty list. Blocks, for as long as reading everything takes; memory is bounded by
    SQLite's temporary files. Writers are not held up, but the WAL grows meanwhile."""
    with closing(database.connect_reader()) as connection:
        connection.execute("PRAGMA query_only = OFF")  # for the temporary table
        connection.execute("PRAGMA temp_store = FILE")
        connection.execute(
            "CREATE TEMP TABLE held (blob_id BLOB PRIMARY KEY, refs INTEGER NOT NULL) WITHOUT ROWID"
        )
        try:
            return list(_problems(connection))
        except sqlite3.DatabaseError as error:
            return [f"the metadata cannot be read: {error}"]


def _problems(connection: sqlite3.Connection) -> Iterator[str]:
    connection.execute("BEGIN")
    for (text,) in connection.execute("PRAGMA integrity_check"):
        if text != "ok":
            yield f"SQLite: {text}"
    holders = connection.execute(_HOLDERS)
    connection.executemany(_COUNTED, ((blob_id,) for (packed,) in holders for blob_id in blob_ids(packed)))
    for rule in _RULES:
        for (text,) in connection.execute(rule + f" LIMIT {MAX_PROBLEMS}"):
            yield str(text)
    connection.execute("ROLLBACK")
