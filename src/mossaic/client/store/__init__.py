"""Where journals rest, so that a transfer goes on after a crash: files, one SQLite file, memory, nothing, or your own object.

A journal is the log of one upload or download: records are appended while it runs, read again when it is resumed, and discarded
when it is done. While open it is held: nobody else, in this process or another, can open the same name.
"""

from __future__ import annotations

from mossaic.client.store.disk import user_state_dir
from mossaic.client.store.file import File
from mossaic.client.store.journal import Held, Journal, Store, StoreError
from mossaic.client.store.keyvalue import KeyValue, Values
from mossaic.client.store.memory import Memory, Null
from mossaic.client.store.sqlite import SQLite

__all__ = [
    "File",
    "Held",
    "Journal",
    "KeyValue",
    "Memory",
    "Null",
    "SQLite",
    "Store",
    "StoreError",
    "Values",
    "user_state_dir",
]
