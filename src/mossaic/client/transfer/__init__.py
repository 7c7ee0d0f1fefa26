"""What uploads and downloads have in common: the handle, the workers, pauses, events, the journal's writing side."""
