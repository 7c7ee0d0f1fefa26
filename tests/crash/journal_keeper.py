"""A process that works on a journal until it is killed: `python -m tests.crash.journal_keeper WORK KIND FOLDER`.

It says on standard output what it has done, one JSON value a line; a line is there only after the deed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from mossaic.client.store import File, Held, SQLite

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.store import Journal, Store

NAME = "upload\nbucket\nbig.bin"
STORES: dict[str, Callable[[Path], Store]] = {
    "File": File,
    "File with lock files": lambda folder: File(folder, locking="file"),
    "SQLite": lambda folder: SQLite(folder / "journals.db"),
}
THREADS = 3
TURNS = 33
RECORDS_A_TURN = 20
_saying = threading.Lock()


def say(value: object) -> None:
    with _saying:
        os.write(1, json.dumps(value).encode() + b"\n")


def hold(store: Store, _: Path) -> None:
    """Says "held", lets go when standard input ends; or says who has it."""
    try:
        journal = store.open(NAME)
    except Held as held:
        say({"held by": held.pid})
        return
    say("held")
    sys.stdin.read()
    journal.close()


def begin(store: Store, folder: Path) -> None:
    """A journal of its own, made when all are ready: when the last of eight has come."""
    arrived = folder.parent / "arrived"
    with arrived.open("ab") as file:
        file.write(b".")
    while arrived.stat().st_size < 8:
        os.sched_yield()
    name = f"{NAME}\n{os.getpid()}"
    journal = store.open(name)
    journal.append({"of": name}, durable=True)
    journal.close()
    say(name)


def append(store: Store, _: Path) -> None:
    """Appends from several threads for ever."""
    journal = store.open(NAME)
    before = len(journal.records())

    def work(thread: int) -> None:
        number = 0
        while True:
            record = {"run": before, "thread": thread, "number": number, "pad": "x" * (number % 300)}
            journal.append(record, durable=number % 10 == 9)
            say([before, thread, number])
            number += 1

    for thread in range(THREADS):
        threading.Thread(target=work, args=(thread,)).start()


def replace(store: Store, _: Path) -> None:
    """Replaces all by the next turn's for ever, and appends one."""
    journal = store.open(NAME)
    turn = max((int(str(record["turn"])) for record in journal.records()), default=0)
    while True:
        turn += 1
        journal.replace([{"turn": turn, "number": number} for number in range(RECORDS_A_TURN)])
        journal.append({"turn": turn, "number": RECORDS_A_TURN})
        say(turn)


def contend(store: Store, folder: Path) -> None:
    """Opens, writes, replaces and discards in turn with others; a witness file shows whether it is alone."""
    witness = folder.parent / "witness"
    done = waited = 0
    while done < TURNS:
        try:
            journal = store.open(NAME)
        except Held:
            waited += 1
            os.sched_yield()
            continue
        os.close(os.open(witness, os.O_CREAT | os.O_EXCL))  # fails when another is inside
        _one_turn(journal, done)
        witness.unlink()
        if done % 11 == 10:
            journal.discard()
        else:
            journal.close()
        done += 1
    say({"done": done, "waited": waited})


def _one_turn(journal: Journal, turn: int) -> None:
    """Every record is numbered by its place, or somebody else has been at it."""
    records = journal.records()
    if turn % 7 == 6:
        journal.replace(records[: len(records) // 2])
    count = len(journal.records())
    journal.append({"number": count})
    assert [record["number"] for record in journal.records()] == list(range(count + 1))


def open_once(store: Store, _: Path) -> None:
    """A first durable record, a replacement, and the end of the work: for watching the kernel's calls."""
    journal = store.open(NAME)
    journal.append({"number": 1}, durable=True)
    journal.append({"number": 2}, durable=True)
    journal.replace([{"number": 3}])
    journal.discard()


WORKS = {work.__name__: work for work in (hold, begin, append, replace, contend, open_once)}

if __name__ == "__main__":
    chosen, kind, place = sys.argv[1:]
    WORKS[chosen](STORES[kind](Path(place)), Path(place))
