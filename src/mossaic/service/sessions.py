"""Key sessions: somebody shows an access key once and works on with temporary credentials of the same rights.

A session renews itself until some time after the sign-in; then the key must be shown again. Nothing of it is stored.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from mossaic.model.identity import Secret, SignIn
from mossaic.protocol.errors import INVALID_REQUEST, OssError
from mossaic.quick import dataclass
from mossaic.service.identity import STS_PREFIX
from mossaic.service.sts import random_text
from mossaic.service.token import KeySession, mark_of

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.model.identity import Principal
    from mossaic.service.identity import IdentityService
    from mossaic.service.token import Tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A session and its token. It can be renewed until `renewable_until`, and lasts no longer than that itself."""

    session: KeySession
    token: str
    renewable_until: datetime


class KeySessions:
    """`session_s`: how long temporary credentials last; `max_s`: how long after the sign-in they can be renewed."""

    def __init__(self, *, identity: IdentityService, tokens: Tokens, session_s: float, max_s: float) -> None:
        self._identity = identity
        self._tokens = tokens
        self._session = timedelta(seconds=session_s)
        self._max = timedelta(seconds=max_s)

    async def begin(self, caller: Principal, now: datetime) -> Begun:
        """Credentials with the rights of the key that `caller` signed with, or that its session began with.

        Raises OssError: INVALID_REQUEST (other temporary credentials), INVALID_ACCESS_KEY_ID (the key went meanwhile).
        """
        sign_in = _sign_in(caller, now)
        parent = await self._identity.pair(sign_in.access_key_id)
        ends_at = sign_in.at + self._max
        session = KeySession(
            access_key_id=STS_PREFIX + random_text(25),
            secret=Secret(random_text(44)),
            parent=sign_in.access_key_id,
            parent_mark=mark_of(parent.secret),
            signed_in_at=sign_in.at,
            expires_at=min((now + self._session).replace(microsecond=0), ends_at),
        )
        return Begun(session=session, token=await self._tokens.seal(session), renewable_until=ends_at)

    def is_renewable(self, caller: Principal, now: datetime) -> bool:
        """Whether a renewal would last longer than what there is."""
        if caller.sign_in is None or caller.expires_at is None:
            return False
        return now < caller.sign_in.at + self._max and caller.expires_at < caller.sign_in.at + self._max


def _sign_in(caller: Principal, now: datetime) -> SignIn:
    if caller.sign_in is not None:
        return caller.sign_in
    if caller.expires_at is not None:
        raise OssError(
            INVALID_REQUEST,
            "A session begins with an access key; temporary credentials of another kind cannot.",
        )
    return SignIn(access_key_id=caller.access_key_id, at=now.replace(microsecond=0))
