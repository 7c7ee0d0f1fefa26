"""Bars of other libraries, fed by `progress=`. Nothing of theirs is imported: the bar is yours.

```python
from tqdm import tqdm
with tqdm(unit="B", unit_scale=True, unit_divisor=1024) as bar:
    client.multipart_upload("big.bin", "big.bin", progress=mossaic.bars.for_tqdm(bar))

from rich.progress import Progress
with Progress() as bars:
    client.multipart_upload("big.bin", "big.bin", progress=mossaic.bars.for_rich(bars, "big.bin"))
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.client.upload.progress import Progress


def for_tqdm(bar: Any) -> Callable[[Progress], None]:  # Any: a tqdm bar of any flavour
    """Moves a tqdm bar by bytes. What an earlier attempt stored is set as the bar's beginning, so that its speed is that of the line."""

    def tell(seen: Progress) -> None:
        if seen.total is not None and bar.total != seen.total:
            bar.total = seen.total
        if bar.n < seen.resumed and bar.initial == 0:
            bar.initial = bar.n = seen.resumed
        bar.set_postfix(_facts(seen), refresh=False)
        bar.update(seen.sent - bar.n)
        if seen.phase == "done":
            bar.refresh()

    return tell


def for_rich(
    bars: Any, description: str, **fields: Any
) -> Callable[[Progress], None]:  # Any: a rich.progress.Progress
    """Adds a task to rich's Progress and moves it by bytes; `phase`, `parts`, `retries` and `speed` are among its fields, and
    `fields` are added."""
    task = bars.add_task(description, total=None, **_SHOWN_BEFORE, **fields)

    def tell(seen: Progress) -> None:
        bars.update(task, completed=seen.sent, total=seen.total, speed=seen.speed, **_facts(seen))

    return tell


_SHOWN_BEFORE: Final = {"phase": "checking", "parts": "", "retries": 0, "speed": None}


def _facts(seen: Progress) -> dict[str, Any]:  # Any: for templates
    parts = f"{seen.parts_done}/{seen.parts_total}" if seen.parts_total is not None else str(seen.parts_done)
    return {"phase": seen.phase, "parts": parts, "retries": seen.retries}
