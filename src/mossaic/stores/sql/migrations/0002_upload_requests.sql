-- Upload-request links: somebody without an account may put files into one place, within limits. `secret_hash` is SHA-256, hex.
-- `creator` is the id of the account or of the user `creator_user`. `held_bytes` are the parts of the link's open uploads;
-- `used_objects` and `used_bytes` what was ever published through it. All are kept in the transactions that change them.
CREATE TABLE upload_requests (
    request_id       TEXT PRIMARY KEY,
    secret_hash      TEXT NOT NULL,
    bucket_id        INTEGER NOT NULL,
    prefix           TEXT NOT NULL,
    title            TEXT NOT NULL,
    note             TEXT NOT NULL,
    creator          TEXT NOT NULL,
    creator_user     TEXT,
    creator_key_id   TEXT NOT NULL,
    max_object_bytes INTEGER NOT NULL,
    max_total_bytes  INTEGER NOT NULL,
    max_objects      INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    revoked_at       INTEGER,
    used_objects     INTEGER NOT NULL,
    used_bytes       INTEGER NOT NULL,
    held_bytes       INTEGER NOT NULL CHECK (held_bytes >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX upload_requests_by_bucket ON upload_requests (bucket_id, created_at);

-- An upload that was begun through a link belongs to it, and to the visit that began it.
ALTER TABLE uploads ADD COLUMN request_id TEXT;
ALTER TABLE uploads ADD COLUMN visit TEXT;
CREATE INDEX uploads_by_request ON uploads (request_id) WHERE request_id IS NOT NULL;
