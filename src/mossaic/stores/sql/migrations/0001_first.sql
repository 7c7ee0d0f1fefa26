-- Keys are BLOBs (UTF-8), so that they sort by bytes. Times are microseconds since 1970 UTC. CRC-64 values are stored
-- as signed 64-bit integers. Blob ids are 16 bytes. `packed` is a Manifest: 32 bytes an extent.

CREATE TABLE buckets (
    bucket_id     INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL UNIQUE,
    region        TEXT NOT NULL,
    owner_id      TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    acl           TEXT NOT NULL,
    storage_class TEXT NOT NULL,
    redundancy    TEXT NOT NULL,
    versioning    TEXT NOT NULL,
    documents     TEXT NOT NULL,
    revision      INTEGER NOT NULL
) STRICT;

-- What GetBucketStat says; kept in the transactions that change it.
CREATE TABLE class_totals (
    bucket_id     INTEGER NOT NULL,
    storage_class TEXT NOT NULL,
    size          INTEGER NOT NULL,
    count         INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL,
    PRIMARY KEY (bucket_id, storage_class)
) STRICT, WITHOUT ROWID;

CREATE TABLE bucket_counts (
    bucket_id           INTEGER PRIMARY KEY,
    upload_count        INTEGER NOT NULL DEFAULT 0,
    part_count          INTEGER NOT NULL DEFAULT 0,
    part_size           INTEGER NOT NULL DEFAULT 0,
    delete_marker_count INTEGER NOT NULL DEFAULT 0
) STRICT;

-- Bytes in the blob store. `refs` counts the parts and contents that name the blob; at 0 it is garbage for good.
CREATE TABLE blobs (
    blob_id BLOB PRIMARY KEY,
    size    INTEGER NOT NULL,
    md5     TEXT NOT NULL,
    crc64   INTEGER NOT NULL,
    refs    INTEGER NOT NULL CHECK (refs >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX garbage_blobs ON blobs (blob_id) WHERE refs = 0;

-- The content of one or more object versions, never changed once written. `refs` counts the versions. At 0 inline
-- content goes at once; a manifest is retired: it keeps its blobs until nobody can still be reading them.
CREATE TABLE content (
    content_id INTEGER PRIMARY KEY,
    refs       INTEGER NOT NULL CHECK (refs >= 0),
    retired_at INTEGER,
    packed     BLOB,
    inline     BLOB,
    CHECK ((packed IS NULL) <> (inline IS NULL)),
    CHECK ((refs = 0) = (retired_at IS NOT NULL))
) STRICT;
CREATE INDEX retired_content ON content (retired_at) WHERE retired_at IS NOT NULL;

-- The current version of each key that has a live one: what ListObjects walks through.
CREATE TABLE objects (
    bucket_id     INTEGER NOT NULL,
    key           BLOB NOT NULL,
    seq           INTEGER NOT NULL,
    version_id    TEXT NOT NULL,
    type          TEXT NOT NULL,
    size          INTEGER NOT NULL,
    etag          TEXT NOT NULL,
    crc64         INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL,
    storage_class TEXT NOT NULL,
    content_id    INTEGER,
    md5           TEXT,
    acl           TEXT NOT NULL,
    target        TEXT,
    tags          TEXT,
    headers       TEXT,
    PRIMARY KEY (bucket_id, key)
) STRICT, WITHOUT ROWID;

-- All other versions, and every delete marker. A key without a row in `objects` has a marker as its newest row here.
CREATE TABLE history (
    bucket_id     INTEGER NOT NULL,
    key           BLOB NOT NULL,
    seq           INTEGER NOT NULL,
    version_id    TEXT NOT NULL,
    type          TEXT NOT NULL,
    size          INTEGER NOT NULL,
    etag          TEXT NOT NULL,
    crc64         INTEGER NOT NULL,
    modified_at   INTEGER NOT NULL,
    storage_class TEXT NOT NULL,
    content_id    INTEGER,
    md5           TEXT,
    acl           TEXT NOT NULL,
    target        TEXT,
    tags          TEXT,
    headers       TEXT,
    PRIMARY KEY (bucket_id, key, seq DESC)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX history_versions ON history (bucket_id, key, version_id);

-- Open uploads only; a closed one has no row here, a completed one has a receipt.
CREATE TABLE uploads (
    upload_num       INTEGER PRIMARY KEY AUTOINCREMENT,
    upload_id        TEXT NOT NULL UNIQUE,
    bucket_id        INTEGER NOT NULL,
    key              BLOB NOT NULL,
    initiated_at     INTEGER NOT NULL,
    initiator        TEXT NOT NULL,
    acl              TEXT NOT NULL,
    storage_class    TEXT NOT NULL,
    forbid_overwrite INTEGER NOT NULL,
    sequential       INTEGER NOT NULL,
    tags             TEXT,
    headers          TEXT
) STRICT;
CREATE INDEX uploads_by_key ON uploads (bucket_id, key, upload_id);
CREATE INDEX uploads_by_age ON uploads (bucket_id, initiated_at);

CREATE TABLE parts (
    upload_num INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    etag       TEXT NOT NULL,
    crc64      INTEGER NOT NULL,
    stored_at  INTEGER NOT NULL,
    packed     BLOB NOT NULL,
    PRIMARY KEY (upload_num, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipts (
    upload_id    TEXT PRIMARY KEY,
    bucket_id    INTEGER NOT NULL,
    key          BLOB NOT NULL,
    digest       TEXT NOT NULL,
    etag         TEXT NOT NULL,
    crc64        INTEGER NOT NULL,
    size         INTEGER NOT NULL,
    version_id   TEXT,
    completed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX receipts_by_age ON receipts (completed_at);

CREATE TABLE access_keys (
    access_key_id TEXT PRIMARY KEY,
    secret        TEXT NOT NULL,
    user          TEXT,
    active        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX access_keys_by_user ON access_keys (user);

CREATE TABLE users (
    name       TEXT PRIMARY KEY,
    user_id    TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    policies   TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE roles (
    name          TEXT PRIMARY KEY,
    role_id       TEXT NOT NULL,
    trust         TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    max_session_s INTEGER NOT NULL,
    policies      TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE policies (
    name        TEXT PRIMARY KEY,
    document    TEXT NOT NULL,
    created_at  INTEGER NOT NULL,
    description TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE leases (
    name       TEXT PRIMARY KEY,
    holder     TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
