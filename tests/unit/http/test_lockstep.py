"""Requests that begin in one turn of the event loop go in step; one that waits goes on as a task would."""

from __future__ import annotations

import asyncio

import pytest

from mossaic.gateway.lockstep import MOST, Lockstep, step
from tests.unit.http.harness import GET, House, request, until


async def turn() -> None:
    await asyncio.sleep(0)


async def test_all_take_a_step_before_any_takes_the_next() -> None:
    lockstep, steps = Lockstep(), list[str]()

    async def walk(name: str, length: int) -> None:
        for number in range(length):
            steps.append(f"{name}{number}")
            await step()

    for name, length in (("a", 2), ("b", 3), ("c", 1)):
        lockstep.begin(walk(name, length))
    assert steps == [], "the others of this turn may still come"
    await turn()

    assert steps == ["a0", "b0", "c0", "a1", "b1", "b2"]
    assert not lockstep.tasks, "nothing waited"


async def test_tasks_go_in_step_too() -> None:
    lockstep, steps = Lockstep(), list[str]()
    committed = asyncio.get_running_loop().create_future()

    async def walk(name: str) -> None:
        await committed
        for number in range(3):
            steps.append(f"{name}{number}")
            await step()

    for name in "ab":
        lockstep.begin(walk(name))
    await turn()
    committed.set_result(None)
    await asyncio.wait(list(lockstep.tasks))

    assert steps == ["a0", "b0", "a1", "b1", "a2", "b2"]


async def test_a_task_that_is_alone_takes_no_turn_for_a_step() -> None:
    lockstep, steps = Lockstep(), list[str]()
    committed = [asyncio.get_running_loop().create_future() for _ in range(2)]

    async def walk(name: str, committed: asyncio.Future[None]) -> None:
        await committed
        for number in range(4):
            steps.append(f"{name}{number}")
            await step()

    lockstep.begin(walk("a", committed[0]))
    lockstep.spawn(walk("b", committed[1]))
    await turn()
    await turn()
    committed[0].set_result(None)
    await turn()
    assert steps == ["a0"], "others may have been woken in the same turn"
    await turn()
    assert steps == ["a0", "a1", "a2", "a3"], "b waits"

    committed[1].set_result(None)
    await asyncio.wait(list(lockstep.tasks))
    assert steps[4:] == ["b0", "b1", "b2", "b3"]


async def test_a_task_that_was_cancelled_is_not_counted_among_those_that_are_awake() -> None:
    lockstep, steps = Lockstep(), list[str]()
    never = asyncio.get_running_loop().create_future()

    async def walk() -> None:
        for number in range(3):
            await step()
            steps.append(f"{number}")

    async def wait() -> None:
        try:
            await never
        finally:
            await step()

    lockstep.begin(wait())
    lockstep.spawn(wait())
    await turn()
    await turn()
    for task in lockstep.tasks:
        task.cancel()
    await asyncio.wait(list(lockstep.tasks))
    lockstep.spawn(walk())
    await turn()
    await turn()

    assert steps == ["0", "1", "2"]


async def test_a_task_begins_in_its_first_turn() -> None:
    lockstep, steps = Lockstep(), list[str]()

    async def walk() -> None:
        steps.append("begun")
        await asyncio.get_running_loop().create_future()

    lockstep.spawn(walk())
    await turn()

    assert steps == ["begun"]
    lockstep.tasks.pop().cancel()


async def test_only_so_many_are_in_step() -> None:
    lockstep, among, most = Lockstep(), set[int](), list[int]()

    async def walk(number: int) -> None:
        among.add(number)
        await step()
        most.append(len(among))
        among.discard(number)

    for number in range(3 * MOST):
        lockstep.begin(walk(number))
    for _ in range(4):
        await turn()

    assert len(most) == 3 * MOST
    assert max(most) == MOST


async def test_who_begins_inside_a_step_goes_in_the_next_turn() -> None:
    lockstep, steps = Lockstep(), list[str]()

    async def later() -> None:
        steps.append("later")

    async def walk() -> None:
        lockstep.begin(later())
        await step()
        steps.append("walked")

    lockstep.begin(walk())
    await turn()
    await turn()

    assert steps == ["walked", "later"]


async def test_the_loop_gives_way_to_bodies_when_all_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    has_bodies, steps = True, list[str]()
    monkeypatch.setattr("mossaic.gateway.lockstep._give_way", lambda: steps.append("gave way"))
    lockstep = Lockstep(lambda: has_bodies)

    async def walk(name: str) -> None:
        steps.append(f"{name} began")
        await step()
        steps.append(f"{name} answered")

    lockstep.begin(walk("a"))
    lockstep.begin(walk("b"))
    await turn()
    has_bodies = False
    lockstep.begin(walk("c"))
    await turn()

    assert steps == ["a began", "b began", "a answered", "b answered", "gave way", "c began", "c answered"]


async def test_reads_give_way_while_a_body_comes(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    given = list[str]()
    monkeypatch.setattr("mossaic.gateway.lockstep._give_way", lambda: given.append("way"))
    uploading, reading = await house.connect(), await house.connect()

    await reading.ask(GET)
    alone = len(given)
    await uploading.send(request("PUT", "/digest", "Content-Length: 100000"), bytes(50_000))
    await until(lambda: house.servers[0].leases == 1)
    await reading.ask(GET)
    await until(lambda: len(given) == 1)
    await uploading.ask(bytes(50_000))
    await reading.ask(GET)

    assert alone == 0
    assert len(given) == 1, "the body is here"


async def test_one_that_fails_is_alone_with_it(caplog: pytest.LogCaptureFixture) -> None:
    lockstep, steps = Lockstep(), list[str]()

    async def broken() -> None:
        await step()
        raise KeyError("broken")

    async def walk() -> None:
        await step()
        await step()
        steps.append("walked")

    lockstep.begin(broken())
    lockstep.begin(walk())
    await turn()

    assert steps == ["walked"]
    assert "KeyError: 'broken'" in caplog.text


async def test_what_waits_goes_on_in_a_task() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    lockstep, heard = Lockstep(), list[object]()

    async def slow() -> None:
        await step()
        heard.append(await first)
        try:
            await second
        except KeyError as error:
            heard.append(error)
        await step()
        async with asyncio.timeout(5):
            heard.append("in a task")

    lockstep.begin(slow())
    await turn()
    (task,) = lockstep.tasks
    first.set_result("one")
    await turn()
    second.set_exception(refused := KeyError("two"))
    await task

    assert heard == ["one", refused, "in a task"]
    await turn()
    assert not lockstep.tasks


async def test_a_cancelled_task_cancels_what_was_begun() -> None:
    lockstep, heard = Lockstep(), list[str]()

    async def slow() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    lockstep.begin(slow())
    await turn()
    (task,) = lockstep.tasks
    await turn()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert heard == ["cancelled"]


async def test_a_thousand_reads_in_one_packet_are_answered_in_order(house: House) -> None:
    client = await house.connect()

    await client.send(GET * 1000)

    assert {(await client.answer()).body for _ in range(1000)} == {b"hello"}
