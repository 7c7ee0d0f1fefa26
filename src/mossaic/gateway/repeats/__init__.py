"""Requests that repeat earlier ones: same client, same kind of request, same headers, but for what each of them says anew."""

from __future__ import annotations

from mossaic.gateway.repeats.repeats import Repeats

__all__ = ["Repeats"]
