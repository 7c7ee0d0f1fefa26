"""How the processes of the service count together what each of them counts for itself."""

from __future__ import annotations

from typing import Protocol


class Tally(Protocol):
    """Numbers by name. What a process told is forgotten when it ends, however it ends."""

    def put(self, name: str, number: int, at_s: float = 0.0) -> None:
        """This process's own number; 0 is none. `at_s`: since when it holds, Unix time."""
        ...

    def others(self, name: str, after_s: float = -1.0) -> int:
        """The sum of what the other processes told that holds since a time after this one."""
        ...


class OwnTally:
    """For a service of one process: there are no others."""

    def put(self, name: str, number: int, at_s: float = 0.0) -> None:
        """Nobody asks."""

    def others(self, name: str, after_s: float = -1.0) -> int:  # noqa: ARG002  # the protocol's
        return 0
