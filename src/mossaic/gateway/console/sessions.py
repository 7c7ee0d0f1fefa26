"""Sessions of the page: who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.gateway.console.api import api

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall

# What a page may ask of this version of the service.
FEATURES: Final = ("callbacks", "cors-test")


@api.on("GET", "session")
async def get_session(call: ApiCall) -> dict[str, object]:
    principal = call.principal
    return {
        "principal": {"arn": principal.arn, "kind": principal.kind.value, "name": principal.name},
        "account_id": principal.account_id,
        "expiration": None,
        "renewable": False,
        "region": call.facts.region,
        "public_endpoint": call.endpoint,
        "features": list(FEATURES),
    }
