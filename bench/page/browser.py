"""One upload in a fresh Chromium, and what all of its processes took for it."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from playwright.sync_api import sync_playwright

from bench.clients.machine import cpu_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

FLAGS: Final = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --no-proxy-server --disable-background-networking "
    "--disable-component-update --disable-sync --disable-dev-shm-usage "
    # The popup of the address bar is a page of its own in each window. The other names are those that Playwright turns off.
    "--disable-features=WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup,AimEnabled,AvoidCorsURLLoaderRestartOnRedirect,"
    "AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose,HttpsFirstBalancedModeAutoEnable,HttpsUpgrades,LensOverlay,"
    "MediaRouter,NetworkTimeServiceQuerying,OptimizationHints,PaintHolding,PreconnectToSearch,ThirdPartyStoragePartitioning"
).split()
RUN_MS: Final = 120_000


class Took(NamedTuple):
    """Seconds from the first request to the object, and CPU seconds of the browser, all of its processes, meanwhile."""

    seconds: float
    cpu_s: float
    peak_mib: float


@contextmanager
def tab(origin: str, file: Path) -> Iterator[tuple[Page, str]]:
    """A page with the file picked, and the browser's version."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path is not None, "chromium is not installed"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=FLAGS)
        try:
            page = browser.new_page()
            page.set_default_timeout(RUN_MS)
            page.goto(f"{origin}/tab/index.html")
            page.wait_for_function("() => Boolean(window.ready)")
            page.set_input_files("#file", str(file))
            yield page, browser.version
        finally:
            browser.close()


def took(page: Page, uploader: str, *, part_size: int, parallel: int) -> Took:
    page.evaluate(
        "([name, job]) => window.ready(name, job)",
        [uploader, {"partSize": part_size, "parallel": parallel}],
    )
    processes = _below(os.getpid())
    before = {pid: cpu_of(pid) or 0.0 for pid in processes}
    _forget_peaks(processes)
    seconds: float = page.evaluate("window.measured()")
    now = _below(os.getpid())
    cpu = sum((cpu_of(pid) or 0.0) - before.get(pid, 0.0) for pid in now)
    return Took(seconds, cpu, sum(map(_peak_mib, now)))


def _below(parent: int) -> list[int]:
    """Chromium's processes among all descendants: Playwright's own driver is not the browser."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [parent]
    while waiting:
        for pid in children.get(waiting.pop(), []):
            waiting.append(pid)
            if _is_chromium(pid):
                found.append(pid)
    return found


def _is_chromium(pid: int) -> bool:
    try:
        return "chrom" in Path(f"/proc/{pid}/comm").read_text()
    except OSError:
        return False


def _forget_peaks(processes: list[int]) -> None:
    for pid in processes:
        try:
            Path(f"/proc/{pid}/clear_refs").write_text("5")
        except OSError:
            continue


def _peak_mib(pid: int) -> float:
    """Resident memory at most; pages that processes share count in each."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    line = next((line for line in text.splitlines() if line.startswith("VmHWM")), "")
    return int(line.split()[1]) / 1024 if line else 0.0
