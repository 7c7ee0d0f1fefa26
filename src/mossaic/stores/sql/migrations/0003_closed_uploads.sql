-- Uploads that were completed or aborted, and whose rows in `parts` are still there: the references those rows counted were
-- moved or given back with the upload. The rows of many parts take longer to delete than all else that closes an upload.
CREATE TABLE closed_uploads (
    upload_num INTEGER PRIMARY KEY
) STRICT;
