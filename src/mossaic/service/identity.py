"""Who stands behind an access key: the account, a RAM user, or a session of a role, of a key or of an upload-request link."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.model.identity import Grant, Principal, PrincipalKind, Secret, SignIn
from mossaic.model.upload_request import not_valid
from mossaic.protocol.errors import (
    ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH,
    INVALID_ACCESS_KEY_ID,
    INVALID_REQUEST,
    INVALID_SECURITY_TOKEN,
    SECURITY_TOKEN_EXPIRED,
    OssError,
)
from mossaic.quick import dataclass
from mossaic.service.token import KeySession, RequestSession, Session, mark_of

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.model.identity import AccessKey, User
    from mossaic.ports import Identities, IdentityStore
    from mossaic.service.token import Tokens

STS_PREFIX: Final = "STS."
ACCOUNT_ID: Final = "account_id"  # a setting of the store
# The command line changes the store while the server runs: a deleted key may work for this long, a new one works at once.
CACHE_S: Final = 1.0
_CACHE_ENTRIES: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """The account's own key pair, which lives in the settings and not in the store."""

    account_id: str
    access_key_id: str
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A secret to verify with, and who signs with it."""

    secret: Secret
    principal: Principal


class Presented(NamedTuple):
    """What a request shows of its credentials. `in_url`: the signature is in the URL."""

    access_key_id: str
    token: str | None = None
    in_url: bool = False


async def account_id(store: Identities, configured: str | None) -> str:
    """The id of the account: the configured one, else the one of an earlier start, else 16 random digits that are kept."""
    held = await store.setting(ACCOUNT_ID) or await store.put_setting(ACCOUNT_ID, configured or random_id())
    return configured or held


def random_id() -> str:
    return f"1{secrets.randbelow(10**15):015d}"


class IdentityService:
    """Finds credentials by access key id; answers are kept for `CACHE_S` seconds."""

    def __init__(self, store: IdentityStore, tokens: Tokens, root: Root) -> None:
        self._store = store
        self._tokens = tokens
        self._root = root
        self._cache: dict[tuple[str, str | None], tuple[datetime, Credentials]] = {}

    @property
    def account_id(self) -> str:
        return self._root.account_id

    async def credentials(self, presented: Presented, now: datetime) -> Credentials:
        """Raises OssError: INVALID_ACCESS_KEY_ID, INVALID_SECURITY_TOKEN, SECURITY_TOKEN_EXPIRED,
        ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH, INVALID_REQUEST (a URL of temporary credentials without token),
        ACCESS_DENIED (of an upload-request link that has ended)."""
        cache_key = (presented.access_key_id, presented.token)
        kept = self._cache.get(cache_key)
        if kept is not None and now < kept[0]:
            return kept[1]
        until = now + timedelta(seconds=CACHE_S)
        if presented.access_key_id.startswith(STS_PREFIX):
            found, ends = await self._session(presented, now)
            until = min(until, ends)
        else:
            if presented.token:
                raise _unknown(presented.access_key_id, ec="0002-00000002")
            found = await self.pair(presented.access_key_id)
        if len(self._cache) >= _CACHE_ENTRIES:
            self._cache.clear()
        self._cache[cache_key] = (until, found)
        return found

    async def pair(self, access_key_id: str) -> Credentials:
        """The secret and owner of a long-lived key. Raises OssError INVALID_ACCESS_KEY_ID (unknown or disabled)."""
        if access_key_id == self._root.access_key_id:
            return Credentials(secret=self._root.secret, principal=self._account(access_key_id))
        key = await self._store.access_key(access_key_id)
        if key is None:
            raise _unknown(access_key_id, ec="0002-00000902")
        if not key.active:
            raise OssError(
                INVALID_ACCESS_KEY_ID,
                "The OSS Access Key Id you provided is disabled.",
                ec="0002-00000902",
                OSSAccessKeyId=access_key_id,
            )
        return Credentials(secret=key.secret, principal=await self._owner_of(key))

    async def _owner_of(self, key: AccessKey) -> Principal:
        if key.user is None:
            return self._account(key.access_key_id)
        user = await self._store.user(key.user)
        if user is None:
            raise _unknown(key.access_key_id, ec="0002-00000902")
        return await self._user(user, key.access_key_id)

    async def _session(self, presented: Presented, now: datetime) -> tuple[Credentials, datetime]:
        """The credentials of a token and when they end. They end at once with what they come from."""
        session = await self._tokens.open(presented.token) if presented.token else None
        if session is None:
            raise _no_session(presented)
        if session.access_key_id != presented.access_key_id:
            raise OssError(ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH, ec="0002-00000004")
        if now >= session.expires_at:
            raise OssError(SECURITY_TOKEN_EXPIRED, ec="0002-00000007")
        match session:
            case Session():
                principal = await self._of_role(session)
            case KeySession():
                principal = await self._of_key(session)
            case RequestSession():
                principal = await self._of_link(session, now)
        return Credentials(secret=session.secret, principal=principal), session.expires_at

    async def _of_role(self, session: Session) -> Principal:
        role = await self._store.role(session.role)
        if role is None or role.role_id != session.role_id:
            raise _ended()
        return Principal(
            kind=PrincipalKind.ROLE,
            account_id=self.account_id,
            principal_id=f"{role.role_id}:{session.name}",
            name=role.name,
            session=session.name,
            access_key_id=session.access_key_id,
            policies=await self._documents(role.policies),
            boundary=session.policy,
            expires_at=session.expires_at,
        )

    async def _of_key(self, session: KeySession) -> Principal:
        """As the key itself, which must still be there, active, and the same."""
        try:
            parent = await self.pair(session.parent)
        except OssError:
            raise _ended() from None
        if not hmac.compare_digest(mark_of(parent.secret), session.parent_mark):
            raise _ended()
        return replace(
            parent.principal,
            access_key_id=session.access_key_id,
            expires_at=session.expires_at,
            sign_in=SignIn(access_key_id=session.parent, at=session.signed_in_at),
        )

    async def _of_link(self, session: RequestSession, now: datetime) -> Principal:
        """As who made the link, with what they may do now, narrowed to the visit; `Admission` looks at the grant."""
        link = await self._store.upload_request(session.request_id)
        if link is None or link.has_ended(now):
            raise not_valid()
        maker = self._account(session.access_key_id)
        if link.creator.user is not None:
            user = await self._store.user(link.creator.user)
            if user is None or user.user_id != link.creator.id:
                raise not_valid()
            maker = await self._user(user, session.access_key_id)
        grant = Grant(
            request_id=link.request_id, visit=session.visit, bucket=link.bucket, folder=session.folder
        )
        return replace(maker, expires_at=session.expires_at, grant=grant)

    async def _user(self, user: User, access_key_id: str) -> Principal:
        return Principal(
            kind=PrincipalKind.USER,
            account_id=self.account_id,
            principal_id=user.user_id,
            name=user.name,
            access_key_id=access_key_id,
            policies=await self._documents(user.policies),
        )

    def _account(self, access_key_id: str) -> Principal:
        return Principal(
            kind=PrincipalKind.ACCOUNT,
            account_id=self.account_id,
            principal_id=self.account_id,
            access_key_id=access_key_id,
        )

    async def _documents(self, names: tuple[str, ...]) -> tuple[str, ...]:
        found = [await self._store.policy(name) for name in names]
        return tuple(policy.document for policy in found if policy is not None)


def _unknown(access_key_id: str, *, ec: str) -> OssError:
    return OssError(INVALID_ACCESS_KEY_ID, ec=ec, OSSAccessKeyId=access_key_id)


def _ended() -> OssError:
    return OssError(INVALID_SECURITY_TOKEN, ec="0002-00000006")


def _no_session(presented: Presented) -> OssError:
    if presented.token:
        return OssError(INVALID_SECURITY_TOKEN, ec="0002-00000006")
    if presented.in_url:
        return OssError(INVALID_REQUEST, "Security-token must be provided by query string parameter.")
    return OssError(
        INVALID_ACCESS_KEY_ID,
        "The OSS Access Key Id you provided does not exist in our records."
        " The Security Token may be lost to specify that it is a STS Access Id.",
        ec="0002-00000003",
        OSSAccessKeyId=presented.access_key_id,
    )
