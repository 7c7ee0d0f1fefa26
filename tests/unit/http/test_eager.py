"""A coroutine that is begun without a task behaves as one that was a task from the start."""

from __future__ import annotations

import asyncio

import pytest

from mossaic.gateway.http.eager import begun
from tests.unit.http.harness import GET, House


async def test_what_never_waits_is_done_at_once() -> None:
    done: list[str] = []

    async def quick() -> None:
        done.append("done")

    assert begun(quick()) is None
    assert done == ["done"]


async def test_what_waits_goes_on_in_a_task() -> None:
    loop = asyncio.get_running_loop()
    first, second = loop.create_future(), loop.create_future()
    heard: list[object] = []

    async def slow() -> None:
        heard.append(await first)
        try:
            await second
        except KeyError as error:
            heard.append(error)
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            heard.append("in a task")

    rest = begun(slow())
    assert rest is not None
    task = loop.create_task(rest)
    first.set_result("one")
    await asyncio.sleep(0)
    second.set_exception(refused := KeyError("two"))
    await task

    assert heard == ["one", refused, "in a task"]


async def test_a_cancelled_task_cancels_what_was_begun() -> None:
    heard: list[str] = []

    async def slow() -> None:
        try:
            await asyncio.get_running_loop().create_future()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    rest = begun(slow())
    assert rest is not None
    task = asyncio.get_running_loop().create_task(rest)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert heard == ["cancelled"]


async def test_an_error_before_the_first_wait_is_the_callers() -> None:
    async def broken() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        begun(broken())


async def test_a_thousand_reads_in_one_packet_are_answered_in_order(house: House) -> None:
    client = await house.connect()

    await client.send(GET * 1000)

    assert {(await client.answer()).body for _ in range(1000)} == {b"hello"}
