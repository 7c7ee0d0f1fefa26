"""How one process of the service tells all of them that something has changed, before anybody else can know."""

from __future__ import annotations

from typing import Protocol


class News(Protocol):
    """One kind of change. What was read before `heard` gave another value must be read again."""

    def tell(self) -> None:
        """After the change is committed, before its answer is given."""
        ...

    def heard(self) -> object:
        """Equal to what it was as long as no process has told."""
        ...


class OwnNews:
    """For a service of one process."""

    def __init__(self) -> None:
        self._told = 0

    def tell(self) -> None:
        self._told += 1

    def heard(self) -> int:
        return self._told
