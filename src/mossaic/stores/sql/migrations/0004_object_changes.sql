-- How many transactions have changed rows of `objects`, each counted in itself: one row. What a process keeps of the versions that
-- it has read holds for as long as this number stays, whatever else is committed.
CREATE TABLE object_changes (
    times INTEGER NOT NULL
) STRICT;
INSERT INTO object_changes VALUES (0);
