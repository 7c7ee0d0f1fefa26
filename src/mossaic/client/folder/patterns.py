"""Which files are wanted, by patterns on their path below the folder. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class Filter:
    """A file is taken when an `include` pattern matches it, or there is none, and no `exclude` pattern does.

    In a pattern `*` and `?` stand for characters of one name, `[…]` for one of a set, `**` for any number of folders. One without
    a slash matches a name at any depth, one with a slash the path from the top. What matches a folder takes in all that is below it;
    with a slash at its end it matches folders only. Raises ValueError for an empty pattern.
    """

    def __init__(self, include: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
        self._include = _one_of(include)
        self._exclude = _one_of(exclude)

    def takes(self, relative: str) -> bool:
        """Whether the file (or, with a slash at its end, the empty folder) is wanted."""
        if self._include is not None and self._include.fullmatch(relative) is None:
            return False
        return self._exclude is None or self._exclude.fullmatch(relative) is None

    def enters(self, relative: str) -> bool:
        """Whether anything below the folder, whose path ends with a slash, may be wanted."""
        return self._exclude is None or self._exclude.fullmatch(relative) is None


def _one_of(patterns: Sequence[str]) -> re.Pattern[str] | None:
    if isinstance(patterns, str):
        patterns = (patterns,)
    return re.compile("|".join(map(_expression, patterns)), re.DOTALL) if patterns else None


def _expression(pattern: str) -> str:
    path = pattern.strip("/")
    if not path:
        raise ValueError(f"an empty pattern: {pattern!r}")
    anywhere = "" if "/" in path or pattern.startswith("/") else "(?:.*/)?"
    below = "/.*" if pattern.endswith("/") else "(?:/.*)?"
    return f"(?:{anywhere}{_translated(path)}{below})"


def _translated(path: str) -> str:
    found: list[str] = []
    at = 0
    while at < len(path):
        if path.startswith("**/", at) and (at == 0 or path[at - 1] == "/"):
            found.append("(?:.*/)?")
            at += 3
        elif path.startswith("**", at):
            found.append(".*")
            at += 2
        elif path[at] == "*":
            found.append("[^/]*")
            at += 1
        elif path[at] == "?":
            found.append("[^/]")
            at += 1
        elif path[at] == "[" and (stop := path.find("]", at + 2)) > 0:
            found.append(_set(path[at + 1 : stop]))
            at = stop + 1
        else:
            found.append(re.escape(path[at]))
            at += 1
    return "".join(found)


def _set(inside: str) -> str:
    """`!abc` and `a-z` as in a shell; never a slash."""
    negated = inside[0] in "!^"
    members = re.sub(r"([\\\[\]^&~|])", r"\\\1", inside[1:] if negated else inside)
    return f"(?!/)[{'^' if negated else ''}{members}]"
