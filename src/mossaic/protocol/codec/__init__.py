"""Shape ↔ message, in both directions: the server reads requests and writes answers, a client the reverse.

The annotations of a shape are compiled once into a plan (`plan.py`); `values.py` turns single values into text and back,
`document.py` does XML bodies.
"""

from __future__ import annotations

from mossaic.protocol.codec.answer import read_answer, write_answer
from mossaic.protocol.codec.request import needs_body, read_request, write_request

__all__ = ["needs_body", "read_answer", "read_request", "write_answer", "write_request"]
