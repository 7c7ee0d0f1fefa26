"""What is measured: one row a work, with its unit, its limits and its goals."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

CEILING: Final = "ceiling"
MD5: Final = "MD5, all cores"
SYNC: Final = "write + sync"
STORING: Final = "bytes alone"
LOOPBACK: Final = "loopback"
SENDFILE: Final = "bare sendfile"
NGINX: Final = "nginx"
BARE_ANSWER: Final = "bare answer"
DURABLE_ROWS: Final = "durable rows"
COMMIT: Final = "durable commit"
SQLITE: Final = "SQLite alone"
INTERPRETER: Final = "bare interpreter"

FLAT: Final = 0.2  # growth: a figure may be this much worse than at the smallest size


@dataclass(frozen=True, slots=True)
class Goal:
    """`wanted` times the limit of that name; without a name the figure itself, in its unit."""

    wanted: float
    limit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`limits`: names, the first is the one that ratios are remembered for. `lower`: less is better. `per`: what CPU time is given
    for ("GiB" or "op"). `tolerance`: how much worse than remembered is no regression yet (0.25: a quarter). `absolute`: without a limit, and still compared with an earlier run."""

    name: str
    title: str
    unit: str
    limits: tuple[str, ...] = ()
    goals: tuple[Goal, ...] = ()
    lower: bool = False
    per: str = ""
    tolerance: float = 0.25
    absolute: bool = False


def _throughput() -> tuple[Row, ...]:
    upload = (CEILING, STORING, MD5, SYNC, LOOPBACK)
    download = (SENDFILE, NGINX)
    return (
        Row(
            name="parts8",
            title="UploadPart 8 MiB, 4 connections",
            unit="MB/s",
            per="GiB",
            limits=upload,
            goals=(Goal(0.9, CEILING),),
        ),
        Row(
            name="parts1",
            title="UploadPart 1 MiB, 4 connections",
            unit="MB/s",
            per="GiB",
            limits=upload,
            goals=(Goal(0.6, CEILING),),
        ),
        Row(
            name="put4k",
            title="PutObject 4 KiB, 16 connections",
            unit="/s",
            per="op",
            limits=(DURABLE_ROWS, BARE_ANSWER),
        ),
        Row(
            name="get4k",
            title="GetObject 4 KiB, 16 connections",
            unit="/s",
            per="op",
            limits=(BARE_ANSWER, NGINX),
        ),
        Row(
            name="get8",
            title="GetObject 8 MiB, 4 connections",
            unit="MB/s",
            per="GiB",
            limits=download,
            goals=(Goal(1.1, NGINX),),
        ),
        Row(
            name="get64",
            title="GetObject 64 MiB, 4 connections",
            unit="MB/s",
            per="GiB",
            limits=download,
            goals=(Goal(1.1, NGINX),),
        ),
        Row(
            name="mixed",
            title="mixed: 4 uploads of 8 MiB beside 8 small GET",
            unit="MB/s",
            per="GiB",
            limits=(CEILING,),
        ),
        Row(
            name="mixed-p99",
            title="mixed: small GET, p99",
            unit="ms",
            lower=True,
            goals=(Goal(10.0),),
            tolerance=1.0,
            absolute=True,
        ),
    )


def _completions() -> tuple[Row, ...]:
    return tuple(
        Row(
            name=f"complete{count}{suffix}",
            title=f"Complete, {count:,} parts of {size}",
            unit="ms",
            lower=True,
            limits=(COMMIT,),
            goals=(Goal(wanted),),
            tolerance=0.5,
        )
        for count, wanted in ((10, 2.0), (1_000, 10.0), (10_000, 60.0))
        for suffix, size in (("", "100 KiB"), ("-large", "100 MiB"))
    )


def _pages() -> tuple[Row, ...]:
    return tuple(
        Row(
            name=name,
            title=title,
            unit="pages/s",
            per="op",
            limits=(SQLITE,),
            goals=(Goal(wanted),) if wanted else (),
        )
        for name, title, wanted in (
            ("list", "ListObjects, pages of 1,000", 500.0),
            ("prefixes", "ListObjects, 1,000 common prefixes", 150.0),
            ("prefixes-again", "ListObjects, the same 1,000 prefixes again", None),
            ("listparts", "ListParts, pages of 1,000 of 10,000", 300.0),
            ("listuploads", "ListMultipartUploads, pages of 1,000", 300.0),
        )
    )


ROWS: Final = (
    *_throughput(),
    *_completions(),
    *_pages(),
    Row(
        name="start",
        title="start to first answer",
        unit="ms",
        lower=True,
        limits=(INTERPRETER,),
        goals=(Goal(300.0),),
    ),
    Row(
        name="memory",
        title="idle memory",
        unit="MiB",
        lower=True,
        limits=(INTERPRETER,),
        goals=(Goal(45.0),),
        tolerance=0.1,
    ),
    Row(
        name="connection",
        title="an idle connection",
        unit="KiB",
        lower=True,
        goals=(Goal(20.0),),
        absolute=True,
    ),
)


def _growing() -> tuple[Row, ...]:
    """The works of growth, most of them as in the table above."""
    same = {row.name: row for row in ROWS}
    return (
        Row(name="put", title="PutObject 4 KiB", unit="/s"),
        Row(name="get", title="GetObject", unit="/s"),
        Row(name="list", title="ListObjects", unit="pages/s"),
        Row(name="complete", title="Complete, 1,000 parts", unit="ms", lower=True),
        replace(same["prefixes"], title="ListObjects, 500 common prefixes"),
        *(same[name] for name in "parts8 get8 mixed listparts listuploads start".split()),
    )


_GROWING: Final = _growing()
GROWTH_WORKS: Final = tuple(row.name for row in _GROWING)


def growth_name(work: str, size: int) -> str:
    return f"growth-{work}-{size}"


def growth_rows(sizes: tuple[int, ...]) -> tuple[Row, ...]:
    """One for each work and size; the limit is what the same work does at the smallest size in the same round."""
    limit = among(sizes[0])
    return tuple(
        replace(
            row,
            name=growth_name(row.name, size),
            title=f"{row.title} among {size:,} objects",
            limits=(limit,) if size != sizes[0] else (),
            goals=(flat(limit, lower=row.lower),) if size != sizes[0] else (),
        )
        for row in _GROWING
        for size in sizes
    )


def among(size: int) -> str:
    return f"among {size:,}"


def flat(limit: str, *, lower: bool) -> Goal:
    return Goal(1 + FLAT if lower else 1 - FLAT, limit)
