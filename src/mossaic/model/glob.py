"""Patterns of policies: `*` is any run of characters (also `/`), `?` is one character; matched without backtracking."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from re import Pattern


@lru_cache(maxsize=4096)
def _pieces(pattern: str) -> tuple[Pattern[str], ...]:
    """The fixed-length runs between stars."""
    return tuple(
        re.compile("".join("." if letter == "?" else re.escape(letter) for letter in run), re.DOTALL)
        for run in pattern.split("*")
    )


def matches(pattern: str, text: str) -> bool:
    """Whether `text` as a whole fits. Work grows with length of pattern x length of text, never faster."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text
    first, *rest = _pieces(pattern)
    if not rest:
        return first.fullmatch(text) is not None
    begin = first.match(text)
    if begin is None:
        return False
    *middle, last = rest
    position = begin.end()
    for run in middle:
        found = run.search(text, position)
        if found is None:
            return False
        position = found.end()
    # A run has a fixed length: one letter of it matches one character of the text.
    tail = len(text) - _length(pattern)
    return tail >= position and last.fullmatch(text, tail) is not None


def _length(pattern: str) -> int:
    return len(pattern) - pattern.rindex("*") - 1
