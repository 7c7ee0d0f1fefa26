"""Starts a coroutine where it stands: one that never waits is done without a task, one that waits goes on in a task.

Python 3.12 has eager tasks; this is what a server on 3.11 needs of them. Until its first wait the coroutine runs outside of any
task: it may not use `asyncio.timeout` or `current_task` before.
"""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator


def begun(
    coroutine: Coroutine[Any, Any, None],
) -> Coroutine[Any, Any, None] | None:  # Any: what futures exchange with tasks
    """Run it up to its first wait; what is left of it, for a task, or None when it is done. Raises what it raised."""
    try:
        waiting = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waiting)


async def _rest(coroutine: Coroutine[Any, Any, None], waiting: Any) -> None:  # Any: as above
    await _go_on(coroutine, waiting)


@types.coroutine
def _go_on(coroutine: Coroutine[Any, Any, None], waiting: Any) -> Generator[Any, Any, None]:  # Any: as above
    while True:
        try:
            try:
                sent = yield waiting
            except BaseException as error:  # noqa: BLE001  # cancellation, too, is the coroutine's to deal with
                waiting = coroutine.throw(error)
            else:
                waiting = coroutine.send(sent)
        except StopIteration:
            return
