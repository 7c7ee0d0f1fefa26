"""Choosing files in the Upload view and following them in the list of transfers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import FileChooser, Locator, Page

    from tests.browser.console.driver import Console

# Playwright drives the file chooser of an <input>, not the pickers that give handles.
NO_HANDLES = "delete window.showOpenFilePicker; delete window.showDirectoryPicker;"
# A picker that gives the handle of a file in the origin's private file system: it can be stored as that of a real one can.
OWN_FILES = """
window.showOpenFilePicker = async () => [await (await navigator.storage.getDirectory()).getFileHandle("kept.bin")];
"""
WHOLE_MS = 40_000
CALL = 131_072  # bytes a second: the preset "Video call"


@dataclass(frozen=True, kw_only=True)
class Uploader:
    """The Upload view of the console's bucket."""

    console: Console

    @property
    def page(self) -> Page:
        return self.console.page

    def open(self, prefix: str = "") -> Uploader:
        self.console.go(f"/b/BUCKET/upload/{prefix}")
        return self

    def slow(self, rate: int = CALL) -> None:
        """Begin anew as in a tab that was reloaded with this limit (bytes a second).

        The presets show only while something is sent, and without a limit that may have ended before one is clicked.
        """
        self.page.evaluate("rate => sessionStorage.setItem('mossaic.upload.limit', rate)", str(rate))
        self.page.reload()
        self.page.locator("nav.nav").wait_for()

    def choose(self, *paths: Path, button: str = "Choose files") -> None:
        """Pick files, or one folder, in the browser's own dialog."""
        self.chooser(self.page.get_by_role("button", name=button)).set_files([str(path) for path in paths])
        self.page.locator(".send-bar").wait_for()

    def chooser(self, button: Locator) -> FileChooser:
        """Press a button that opens the browser's dialog."""
        with self.page.expect_file_chooser() as opened:
            button.click()
        return opened.value

    def group(self, name: str) -> Locator:
        """A group of options, open."""
        group = self.page.locator(f"details[data-group={name}]")
        if not group.evaluate("group => group.open"):
            group.locator("summary").click()
        return group

    def pair(self, label: str, name: str, value: str) -> None:
        """One more row of tags, metadata or variables."""
        editor = self.page.get_by_role("group", name=label, exact=True)
        editor.get_by_role("button", name="Add a row").click()
        editor.get_by_label("Name", exact=True).last.fill(name)
        editor.get_by_label("Value", exact=True).last.fill(value)

    def send(self) -> None:
        self.page.locator(".send-bar").get_by_role("button", name=re.compile("^Upload")).click()

    def transfer(self, key: str) -> Transfer:
        """The row of a key, in whichever view it is."""
        return Transfer(
            row=self.page.locator("li.transfer").filter(has=self.page.get_by_title(key, exact=True))
        )

    def until(self, words: str) -> None:
        """Until all uploads together are so far: "3 uploaded"."""
        expect(self.page.locator(".overall-counts")).to_have_text(words, timeout=WHOLE_MS)

    def limit(self, preset: str) -> None:
        self.page.get_by_role("group", name="Presets").get_by_role("button", name=preset).click()


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """A row of the list of transfers."""

    row: Locator

    def until(self, state: str) -> Transfer:
        expect(self.row.locator(".transfer-word")).to_have_text(state, timeout=WHOLE_MS)
        return self

    def until_stored(self, parts: int) -> None:
        """Until the map's words tell of so many stored parts at least."""
        self.row.page.wait_for_function(
            "([row, least]) => Number(/([\\d,]+) (stored|kept)/.exec(row.querySelector('.part-map')?.getAttribute('aria-label'))?.[1]) >= least",
            arg=[self.row.element_handle(), parts],
            timeout=WHOLE_MS,
        )

    def press(self, name: str) -> None:
        self.row.get_by_role("button", name=re.compile(f"^{name}")).click()

    def open(self) -> None:
        """Show everything that is known of it."""
        self.row.get_by_role("button", name=re.compile("^Details")).click()

    def menu(self, item: str) -> None:
        self.row.get_by_role("button", name=re.compile("^More")).click()
        self.row.page.get_by_role("menu").get_by_text(item, exact=True).click()

    def fact(self, name: str) -> str:
        fact = self.row.locator(".fact").filter(has=self.row.page.get_by_text(name, exact=True))
        return fact.locator("dd").inner_text().strip()

    @property
    def trouble(self) -> str:
        """What the row says of a problem."""
        return self.row.locator(".transfer-trouble").inner_text()
