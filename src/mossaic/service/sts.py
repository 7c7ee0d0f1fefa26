"""Temporary credentials: AssumeRole and GetCallerIdentity.

A session may do what its role's policies allow *and* its session policy allows; whoever asks needs `sts:AssumeRole` on the role
by their own policies *and* the role's trust. Source: STS API 2015-04-01.
"""

from __future__ import annotations

import re
import secrets
import string
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mossaic.model import policy
from mossaic.model.identity import PrincipalKind, Secret
from mossaic.model.policy import Effect, PolicyKind, Question
from mossaic.protocol import sts
from mossaic.protocol.errors import OssError
from mossaic.quick import dataclass
from mossaic.service.identity import STS_PREFIX
from mossaic.service.token import Session

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from mossaic.model.identity import Principal, Role
    from mossaic.ports import Identities
    from mossaic.service.token import Tokens

ASSUME_ROLE: Final = "sts:AssumeRole"
_ROLE_ARN: Final = r"acs:ram::([0-9]+):role/([A-Za-z0-9._-]{1,64})"
_SESSION_NAME: Final = r"[A-Za-z0-9.@_-]{2,64}"
_LETTERS: Final = string.ascii_letters + string.digits


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleRequest:
    """The parameters of AssumeRole as text, None where absent. `context`: what conditions may ask about the call."""

    role_arn: str | None
    session_name: str | None
    duration: str | None
    policy: str | None
    context: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AssumedRole:
    """`arn` is `acs:ram::<account>:role/<role>/<session>`; `assumed_role_id` is `<role id>:<session>`."""

    arn: str
    assumed_role_id: str
    session: Session
    token: str


def random_text(length: int) -> str:
    """Letters and digits from the system's random source."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


class StsService:
    """Hands out sessions. Nothing of a session is stored: its token carries it, sealed."""

    def __init__(self, *, store: Identities, tokens: Tokens, account_id: str) -> None:
        self._store = store
        self._tokens = tokens
        self._account_id = account_id

    async def assume_role(self, caller: Principal, asked: RoleRequest, now: datetime) -> AssumedRole:
        """Raises OssError with a row of `protocol.sts`: INVALID_PARAMETER_…, NO_PERMISSION, NO_SUCH_ROLE."""
        if caller.kind is PrincipalKind.ACCOUNT:
            raise OssError(sts.NO_PERMISSION, "Roles may not be assumed by root accounts.")
        match = re.fullmatch(_ROLE_ARN, asked.role_arn or "")
        if match is None:
            raise OssError(sts.INVALID_PARAMETER_ROLE_ARN)
        if re.fullmatch(_SESSION_NAME, asked.session_name or "") is None:
            raise OssError(sts.INVALID_PARAMETER_SESSION_NAME)
        _check_policy(asked.policy)
        role = await self._permitted_role(caller, asked, match)
        seconds = _duration(asked.duration, role)
        session = Session(
            access_key_id=STS_PREFIX + random_text(25),
            secret=Secret(random_text(44)),
            role=role.name,
            role_id=role.role_id,
            name=asked.session_name or "",
            policy=asked.policy or None,
            expires_at=(now + timedelta(seconds=seconds)).replace(microsecond=0),
        )
        return AssumedRole(
            arn=f"acs:ram::{self._account_id}:role/{role.name}/{session.name}",
            assumed_role_id=f"{role.role_id}:{session.name}",
            session=session,
            token=await self._tokens.seal(session),
        )

    async def _permitted_role(self, caller: Principal, asked: RoleRequest, match: re.Match[str]) -> Role:
        """The caller's own permission is asked first: who may not assume a role does not learn whether it exists."""
        question = Question(
            principal=caller, action=ASSUME_ROLE, resource=match.string, context=asked.context
        )
        ram = [policy.parse(each) for each in caller.policies]
        boundary = policy.parse(caller.boundary) if caller.boundary is not None else None
        if policy.decide(question, ram=ram, boundary=boundary).effect is not Effect.ALLOW:
            raise OssError(sts.NO_PERMISSION)
        role = await self._store.role(match[2]) if match[1] == self._account_id else None
        if role is None:
            raise OssError(sts.NO_SUCH_ROLE)
        if not policy.trusts(policy.parse(role.trust, PolicyKind.TRUST), trusted_arn(caller), question):
            raise OssError(
                sts.NO_PERMISSION,
                "No permission perform sts:AssumeRole on this Role. Maybe you are not authorized to perform"
                " sts:AssumeRole or the specified role does not trust you",
            )
        return role


def trusted_arn(principal: Principal) -> str:
    """How trust policies name a caller: a session by its role."""
    if principal.kind is PrincipalKind.ROLE:
        return f"acs:ram::{principal.account_id}:role/{principal.name}"
    return principal.arn


def caller_identity(principal: Principal) -> dict[str, str]:
    """The fields of GetCallerIdentity's answer."""
    fields = {"AccountId": principal.account_id, "Arn": principal.arn, "PrincipalId": principal.principal_id}
    match principal.kind:
        case PrincipalKind.ROLE:
            role_id = principal.principal_id.partition(":")[0]
            return {"IdentityType": "AssumedRoleUser", **fields, "RoleId": role_id}
        case PrincipalKind.USER:
            return {"IdentityType": "RAMUser", **fields, "UserId": principal.principal_id}
        case _:
            return {"IdentityType": "Account", **fields, "UserId": principal.principal_id}


def _check_policy(text: str | None) -> None:
    if not text:
        return
    if len(text.encode("utf-8", "replace")) > sts.MAX_SESSION_POLICY:
        raise OssError(sts.INVALID_PARAMETER_POLICY_SIZE)
    try:
        policy.parse(text)
    except OssError as error:
        raise OssError(
            sts.INVALID_PARAMETER_POLICY, f"{sts.INVALID_PARAMETER_POLICY.message} {error.message}"
        ) from None


def _duration(text: str | None, role: Role) -> int:
    """Seconds. Without a wish the default, or less where the role allows less."""
    if not text:
        return min(sts.DEFAULT_SESSION_S, role.max_session_s)
    valid = text.isascii() and text.isdigit() and len(text) <= 9
    if not valid or not sts.MIN_SESSION_S <= int(text) <= role.max_session_s:
        raise OssError(sts.INVALID_PARAMETER_DURATION)
    return int(text)
