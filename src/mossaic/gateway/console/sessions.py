"""Sessions of the page: signing in with an access key, renewing, and who is signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.gateway.console.api import api
from mossaic.protocol.signing.verify import iso

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall
    from mossaic.model.identity import Principal

# What a page may ask of this version of the service.
FEATURES: Final = ("sessions", "requests", "callbacks", "cors-test")


@api.on("POST", "session")
async def begin_session(call: ApiCall) -> dict[str, object]:
    """Temporary credentials with the rights of the access key that signed, or that the signing session began with."""
    begun = await call.sessions.begin(call.principal, call.now)
    session = begun.session
    return {
        "accessKeyId": session.access_key_id,
        "accessKeySecret": session.secret.reveal(),
        "securityToken": begun.token,
        "expiration": iso(session.expires_at),
        "renewable_until": iso(begun.renewable_until),
        "principal": _shown(call.principal),
    }


@api.on("GET", "session")
async def get_session(call: ApiCall) -> dict[str, object]:
    principal = call.principal
    return {
        "principal": _shown(principal),
        "account_id": principal.account_id,
        "expiration": None if principal.expires_at is None else iso(principal.expires_at),
        "renewable": call.sessions.is_renewable(principal, call.now),
        "region": call.facts.region,
        "public_endpoint": call.endpoint,
        "features": list(FEATURES),
    }


def _shown(principal: Principal) -> dict[str, object]:
    return {"arn": principal.arn, "kind": principal.kind.value, "name": principal.name}
