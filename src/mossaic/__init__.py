"""Mossaic: a self-hosted object storage service that speaks the Alibaba Cloud OSS protocol, and its Python SDK.

`mossaic.Client`, `mossaic.AsyncClient` and what belongs to them are loaded when they are first used, so that the service starts
without them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from mossaic.client.public import *  # noqa: F403


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(name)
    from mossaic.client import public  # noqa: PLC0415  # when it is needed, see above

    try:
        value = getattr(public, name)
    except AttributeError:
        raise AttributeError(f"module 'mossaic' has no attribute {name!r}") from None
    globals()[name] = value
    return value
