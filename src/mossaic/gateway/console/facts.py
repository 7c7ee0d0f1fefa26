"""What a page must know before anybody has signed in: the region that signatures name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.console.api import api

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall


@api.on("GET", "service", unsigned=True)
async def service_facts(call: ApiCall) -> dict[str, object]:
    return {"region": call.facts.region, "public_endpoint": call.endpoint}
