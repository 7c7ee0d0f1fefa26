"""What the service serves of its own under `/-/`: its web page, the page's JSON API, health, metrics, the callback's public key."""

from __future__ import annotations

from mossaic.gateway.console.api import ApiEndpoint, ConsoleFacts
from mossaic.gateway.console.assets import Assets
from mossaic.gateway.console.console import Console

__all__ = ["ApiEndpoint", "Assets", "Console", "ConsoleFacts"]
