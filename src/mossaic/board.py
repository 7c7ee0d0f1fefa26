"""What worker processes tell each other: a piece of memory that all of them share, with a place for each.

A worker writes in its own place only, so nothing has to be locked. A place outlives its worker: whoever takes it after goes on
from the counts and the text that it finds there.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from enum import IntEnum, auto
from typing import Final

from mossaic.ledger import Ledger, LedgerTally

_TEXT: Final = 256 * 1024  # bytes; a place has two texts, and pages that nobody touched cost nothing
_HEAD: Final = struct.Struct("=II")  # length and CRC-32 of a text
_TRIES: Final = 100


class Cell(IntEnum):
    """The numbers of a place."""

    LISTENS = 0  # 1: it takes connections
    CONNECTIONS = auto()
    LEASES = auto()
    BUCKETS = auto()  # how often it changed one
    LINKS = auto()  # how often it ended one
    SIDE = auto()  # which of its texts is the current one


class Board:
    """Made by the parent before workers are; `places`: how many of them there may be at a time."""

    def __init__(self, places: int = 1) -> None:
        self.places = places
        self._texts_at = len(Cell) * places * 8
        self._memory = mmap.mmap(-1, self._texts_at + places * 2 * _TEXT)  # shared with whoever is forked
        self._cells = memoryview(self._memory)[: self._texts_at].cast("q")
        self.rows = {cell: self._cells[cell * places : (cell + 1) * places] for cell in Cell}
        self.guesses = Ledger(places)
        self.flights = Ledger(places)

    def place(self, number: int) -> Place:
        """For the worker that has it now."""
        self.vacate(number)
        return Place(self, number)

    def vacate(self, number: int) -> None:
        """Its worker is gone: what it counted stays, what it held does not."""
        for cell in (Cell.LISTENS, Cell.CONNECTIONS, Cell.LEASES):
            self.rows[cell][number] = 0
        self.guesses.vacate(number)
        self.flights.vacate(number)

    def write(self, number: int, text: bytes) -> None:
        """Beside the current one, which readers may be reading; a worker that is killed meanwhile leaves that one in force.

        Raises ValueError: the text is too long.
        """
        if len(text) > _TEXT - _HEAD.size:
            raise ValueError(f"a place has room for {_TEXT - _HEAD.size} bytes")
        sides = self.rows[Cell.SIDE]
        side = 1 - sides[number]
        at = self._at(number, side)
        _HEAD.pack_into(self._memory, at, len(text), zlib.crc32(text))
        self._memory[at + _HEAD.size : at + _HEAD.size + len(text)] = text
        sides[number] = side

    def read(self, number: int) -> bytes:
        """The current text; none is empty."""
        for _ in range(_TRIES):  # its worker may have written twice while we read
            at = self._at(number, self.rows[Cell.SIDE][number])
            length, crc = _HEAD.unpack_from(self._memory, at)
            text = self._memory[at + _HEAD.size : at + _HEAD.size + length]
            if zlib.crc32(text) == crc:
                return text
        return b""

    def _at(self, number: int, side: int) -> int:
        return self._texts_at + (2 * number + side) * _TEXT


class Place:
    """One worker's side of the board."""

    def __init__(self, board: Board, number: int) -> None:
        self._board = board
        self._number = number

    def put(self, cell: Cell, value: int) -> None:
        self._board.rows[cell][self._number] = value

    def total(self, cell: Cell) -> int:
        """Of all places."""
        return sum(self._board.rows[cell])

    def write(self, text: bytes) -> None:
        """Raises ValueError: the text is too long."""
        self._board.write(self._number, text)

    def read(self) -> bytes:
        return self._board.read(self._number)

    def others(self) -> list[bytes]:
        """The texts of all other places."""
        return [self._board.read(number) for number in range(self._board.places) if number != self._number]

    def news(self, cell: Cell) -> BoardNews:
        return BoardNews(self._board, self._number, cell)

    def crowd(self) -> BoardCrowd:
        return BoardCrowd(self._board, self._number)

    def guesses(self) -> LedgerTally:
        """Of upload-request links, by address."""
        return self._board.guesses.tally(self._number)

    def flights(self) -> LedgerTally:
        """Bytes on their way through upload-request links."""
        return self._board.flights.tally(self._number)


class BoardNews:
    """`mossaic.service.news.News` for all workers."""

    def __init__(self, board: Board, number: int, cell: Cell) -> None:
        self._row = board.rows[cell]
        self._number = number

    def tell(self) -> None:
        self._row[self._number] += 1

    def heard(self) -> bytes:
        return self._row.tobytes()


class BoardCrowd:
    """`mossaic.gateway.http.site.Crowd` for all workers."""

    def __init__(self, board: Board, number: int) -> None:
        self._rows = board.rows
        self._number = number

    def listens(self, is_listening: bool) -> None:
        self._rows[Cell.LISTENS][self._number] = int(is_listening)

    def have(self, connections: int) -> None:
        self._rows[Cell.CONNECTIONS][self._number] = connections

    def lend(self, leases: int) -> None:
        self._rows[Cell.LEASES][self._number] = leases

    def has_lent(self) -> bool:
        return any(self._rows[Cell.LEASES])

    def others(self) -> int:
        row = self._rows[Cell.CONNECTIONS]
        return sum(row) - row[self._number]

    def least(self) -> int | None:
        both = zip(self._rows[Cell.LISTENS], self._rows[Cell.CONNECTIONS], strict=True)
        found = [count for number, (listens, count) in enumerate(both) if listens and number != self._number]
        return min(found, default=None)
