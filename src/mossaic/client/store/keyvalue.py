"""Journals in an object of yours that gets, puts, deletes and lists bytes by name: a database, a cache, a bucket."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import TYPE_CHECKING, Protocol

from mossaic.client.store import lines
from mossaic.client.store.journal import SYNC_EVERY_S, Held, Journal, Log, StoreError, decode

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence


class Values(Protocol):
    """What a KeyValue store needs. Calls come from several threads, for one name one at a time; what they raise becomes a
    StoreError."""

    def get(self, name: str, /) -> bytes | None:
        """None when there is none."""
        ...

    def put(self, name: str, value: bytes, /) -> object:
        """Replace it as a whole; durable on return, if it is to be."""
        ...

    def delete(self, name: str, /) -> object:
        """Not an error when there is none."""
        ...

    def list(self) -> Iterable[str]: ...


class KeyValue:
    """Journals as values of `values`. A whole journal is put at durable appends, on close, and otherwise at most every
    `sync_every_s` seconds, so the end of this process may lose the last ones.

    Names are held against other threads with this same object only: `get` and `put` cannot keep other processes out.
    """

    def __init__(self, values: Values, *, sync_every_s: float = SYNC_EVERY_S) -> None:
        self._values = values
        self._sync_every_s = sync_every_s
        self._lock = threading.Lock()
        self._held: set[str] = set()

    def open(self, name: str) -> Journal:
        with self._lock:
            if name in self._held:
                raise Held(name, os.getpid())
            self._held.add(name)
        try:
            return _ValueJournal(self, name, self._values, self._sync_every_s)
        except BaseException:
            self.let_go(name)
            raise

    def names(self) -> Iterator[str]:
        with _failing("list"):
            found = list(self._values.list())
        for name in found:
            with contextlib.suppress(StoreError):  # something else that is kept there
                if _content(self._values, name).bodies:
                    yield name

    def peek(self, name: str) -> list[dict[str, object]]:
        return [decode(body) for body in _content(self._values, name).bodies]

    def let_go(self, name: str) -> None:
        """For its journals."""
        with self._lock:
            self._held.discard(name)


class _ValueJournal(Log):
    def __init__(self, store: KeyValue, name: str, values: Values, sync_every_s: float) -> None:
        super().__init__(name, sync_every_s=sync_every_s)
        self._store = store
        self._values = values
        self._bodies = _content(values, name).bodies

    def _read(self) -> list[bytes]:
        return list(self._bodies)

    def _write(self, body: bytes) -> None:
        self._bodies.append(body)

    def _rewrite(self, bodies: Sequence[bytes]) -> None:
        self._put(bodies)
        self._bodies = list(bodies)

    def _remove(self) -> None:
        with _failing("delete"):
            self._values.delete(self.name)

    def _sync(self) -> None:
        with self._writing:
            bodies = list(self._bodies)
        self._put(bodies)

    def _put(self, bodies: Sequence[bytes]) -> None:
        data, _ = lines.written(self.name, bodies)
        with _failing("put"):
            self._values.put(self.name, data)

    def _release(self) -> None:
        self._store.let_go(self.name)


def _content(values: Values, name: str) -> lines.Content:
    with _failing("get"):
        data = values.get(name)
    content = lines.read((data or b"").splitlines(keepends=True))
    if content.name in (name, None):
        return content
    raise StoreError(f"what is kept as {name!r} is the journal of {content.name!r}")


@contextlib.contextmanager
def _failing(verb: str) -> Generator[None]:
    try:
        yield
    except Exception as error:
        raise StoreError(f"the store's {verb} failed: {error}") from error
