"""What a client has learnt of the line to its service; the next upload's part size follows from it."""

from __future__ import annotations


class Line:
    """Remembers the speed of one connection, in bytes a second. Written by uploads as they end; a torn update cannot be."""

    def __init__(self) -> None:
        self.goodput: float | None = None

    def saw(self, wire_bytes: int, seconds: float, parallel: int) -> None:
        """`wire_bytes` went over `parallel` connections in `seconds`. Short moments say nothing."""
        if seconds >= 0.5 and wire_bytes:
            self.goodput = wire_bytes / seconds / max(1, parallel)
