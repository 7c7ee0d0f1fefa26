"""What these tests share: the one who hands out tokens."""

from __future__ import annotations

from tests.e2e.broker import broker

__all__ = ["broker"]
