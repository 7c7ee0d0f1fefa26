"""Every row once a round, limit and work in turn, so that a noisy minute falls on all of them."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bench.server import fill, growth, works
from bench.server.figure import Reading
from bench.server.limits.listing import Keys
from bench.server.limits.nginx import nginx
from bench.server.load.message import WrongAnswer
from bench.server.service import make_bucket, many_files, service
from bench.server.stage import Stage, contents
from bench.server.works import downloads, listing, small

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from pathlib import Path

    from bench.server.plan import Plan


def readings(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[Reading]:
    """All rounds. Raises NoStart."""
    many_files()
    contents()
    yield from _rounds(plan, folder, say)
    if plan.growth_works:
        yield from growth.readings(plan, folder, say)


def _rounds(plan: Plan, folder: Path, say: Callable[[str], None]) -> Iterator[Reading]:
    chosen = {names: work for names, work in works.WORKS.items() if plan.wanted.intersection(names)}
    if not chosen:
        return
    say("filling the bucket")
    with _prepared(plan, folder, {name for names in chosen for name in names}) as stages:
        for turn in range(plan.rounds):
            for names, work in chosen.items():
                say(f"round {turn + 1} of {plan.rounds}: {names[0]}")
                try:
                    yield from work(stages(turn))
                except WrongAnswer as error:
                    yield from (Reading(row=name, error=str(error)) for name in names)


@contextmanager
def _prepared(plan: Plan, folder: Path, wanted: set[str]) -> Generator[Callable[[int], Stage]]:
    scale = plan.scale
    with ExitStack() as stack:
        running = stack.enter_context(service(folder / "server", plan.command))
        make_bucket(running)
        files = folder / "nginx" / "files"
        if wanted & {"get4k", "mixed"}:
            small.fill(running, contents())
            _files(files, ((small.key(index), index, small.SIZE) for index in range(small.COUNT)))
        for size, count in downloads.COUNTS.items():
            if wanted & {f"get{size // 2**20}"}:
                downloads.fill(running, contents(), size)
                _files(files, ((downloads.key(index, size), index, size) for index in range(count)))
        pages = wanted & {"list", "prefixes", "prefixes-again", "listparts", "listuploads"}
        if wanted & {"list", "prefixes", "prefixes-again"}:
            fill.objects(running.data, scale.keys)
        if "listparts" in wanted:
            fill.parts(running.data, [listing.LISTED_PARTS])
        if "listuploads" in wanted:
            fill.uploads(running.data, scale.uploads)
        listed = [fill.object_key(index).encode() for index in range(scale.keys if pages else 0)]
        keys = Keys(folder / "keys.db", listed)
        stack.callback(keys.close)
        port = stack.enter_context(nginx(folder / "nginx"))

        def stage(turn: int) -> Stage:
            return Stage(
                service=running,
                command=plan.command,
                folder=folder,
                scale=scale,
                turn=turn,
                nginx=port,
                keys=keys,
                contents=contents(),
            )

        yield stage


def _files(folder: Path, wanted: Iterator[tuple[str, int, int]]) -> None:
    """For nginx and sendfile: the same objects as files."""
    for key, index, size in wanted:
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(contents().of(index, size))
