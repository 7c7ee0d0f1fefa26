"""Users, access keys, roles and policies of the account: made, shown, attached and deleted. Used by the command line."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from mossaic.model import policy as policies
from mossaic.model.identity import AccessKey, NamedPolicy, Role, Secret, User
from mossaic.model.policy import PolicyKind
from mossaic.ports import Conflict
from mossaic.protocol.errors import ErrorRow, OssError
from mossaic.protocol.sts import DEFAULT_SESSION_S, MAX_SESSION_S, MIN_SESSION_S
from mossaic.service.sts import random_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mossaic.ports import Identities

EXISTS: Final = ErrorRow("EntityAlreadyExists", 409, "There is one of that name already.")
MISSING: Final = ErrorRow("EntityNotExist", 404, "There is none of that name.")
IN_USE: Final = ErrorRow("DeleteConflict", 409, "It is still attached.")
INVALID: Final = ErrorRow("InvalidParameter", 400, "A value is not valid.")
MAX_KEYS_OF_A_USER: Final = 2
MAX_ATTACHED: Final = 20
_NAME: Final = r"[A-Za-z0-9._-]{1,64}"
_KEY_PREFIX: Final = "LTAI5t"  # as OSS's own; tools recognise and mask such ids


class Directory:
    """Every method raises OssError with one of this module's rows, or INVALID_POLICY_DOCUMENT."""

    def __init__(self, store: Identities, account_id: str) -> None:
        self._store = store
        self._account_id = account_id

    # --- users and their keys -----------------------------------------------------------------------------------------

    async def create_user(self, name: str, now: datetime) -> User:
        _check_name(name)
        if await self._store.user(name) is not None:
            raise OssError(EXISTS, f"There is a user {name} already.")
        user = User(name=name, user_id=_new_id("2"), created_at=now)
        await self._store.put_user(user)
        return user

    async def user(self, name: str) -> User:
        user = await self._store.user(name)
        if user is None:
            raise OssError(MISSING, f"There is no user {name}.")
        return user

    async def users(self) -> Sequence[User]:
        return await self._store.users()

    async def delete_user(self, name: str) -> None:
        """The user's access keys go as well."""
        await self.user(name)
        await self._store.delete_user(name)

    async def create_key(self, user: str | None, now: datetime) -> AccessKey:
        """A key pair of a user, or of the account itself. The secret is shown now and never again."""
        if user is not None:
            await self.user(user)
            if len(await self._store.access_keys(user)) >= MAX_KEYS_OF_A_USER:
                raise OssError(INVALID, f"A user has at most {MAX_KEYS_OF_A_USER} access keys.")
        key = AccessKey(
            access_key_id=_KEY_PREFIX + random_text(18),
            secret=Secret(random_text(30)),
            user=user,
            created_at=now,
        )
        await self._store.put_access_key(key)
        return key

    async def keys(self, user: str | None) -> Sequence[AccessKey]:
        if user is not None:
            await self.user(user)
        return await self._store.access_keys(user)

    async def key(self, access_key_id: str) -> AccessKey:
        key = await self._store.access_key(access_key_id)
        if key is None:
            raise OssError(MISSING, f"There is no access key {access_key_id}.")
        return key

    async def set_key_active(self, access_key_id: str, *, active: bool) -> AccessKey:
        key = replace(await self.key(access_key_id), active=active)
        await self._store.put_access_key(key)
        return key

    async def delete_key(self, access_key_id: str) -> None:
        await self.key(access_key_id)
        await self._store.delete_access_key(access_key_id)

    # --- roles --------------------------------------------------------------------------------------------------------

    async def create_role(
        self, name: str, trust: str, now: datetime, *, max_session_s: int = DEFAULT_SESSION_S
    ) -> Role:
        """`trust`: who may assume it (a trust policy). `max_session_s`: 900 … 43,200 seconds."""
        _check_name(name)
        policies.parse(trust, PolicyKind.TRUST)
        if not MIN_SESSION_S <= max_session_s <= MAX_SESSION_S:
            raise OssError(INVALID, f"A session lasts {MIN_SESSION_S} to {MAX_SESSION_S} seconds.")
        if await self._store.role(name) is not None:
            raise OssError(EXISTS, f"There is a role {name} already.")
        role = Role(name=name, role_id=_new_id("3"), trust=trust, created_at=now, max_session_s=max_session_s)
        await self._store.put_role(role)
        return role

    async def role(self, name: str) -> Role:
        role = await self._store.role(name)
        if role is None:
            raise OssError(MISSING, f"There is no role {name}.")
        return role

    async def roles(self) -> Sequence[Role]:
        return await self._store.roles()

    async def delete_role(self, name: str) -> None:
        """Ends all of its sessions at once."""
        await self.role(name)
        await self._store.delete_role(name)

    def role_arn(self, role: Role) -> str:
        return f"acs:ram::{self._account_id}:role/{role.name}"

    def user_arn(self, user: User) -> str:
        return f"acs:ram::{self._account_id}:user/{user.name}"

    # --- policies -----------------------------------------------------------------------------------------------------

    async def create_policy(
        self, name: str, document: str, now: datetime, *, description: str = ""
    ) -> NamedPolicy:
        _check_name(name)
        policies.parse(document)
        if await self._store.policy(name) is not None:
            raise OssError(EXISTS, f"There is a policy {name} already.")
        made = NamedPolicy(name=name, document=compact(document), created_at=now, description=description)
        await self._store.put_policy(made)
        return made

    async def change_policy(self, name: str, document: str) -> NamedPolicy:
        """Whoever has the policy attached has the new one within a second."""
        policies.parse(document)
        changed = replace(await self.policy(name), document=compact(document))
        await self._store.put_policy(changed)
        return changed

    async def policy(self, name: str) -> NamedPolicy:
        found = await self._store.policy(name)
        if found is None:
            raise OssError(MISSING, f"There is no policy {name}.")
        return found

    async def policies(self) -> Sequence[NamedPolicy]:
        return await self._store.policies()

    async def delete_policy(self, name: str) -> None:
        await self.policy(name)
        try:
            await self._store.delete_policy(name)
        except Conflict:
            raise OssError(IN_USE, f"The policy {name} is still attached to a user or role.") from None

    async def attach_to_user(self, user: str, policy: str) -> User:
        await self.policy(policy)
        found = await self.user(user)
        changed = replace(found, policies=_with(found.policies, policy))
        await self._store.put_user(changed)
        return changed

    async def detach_from_user(self, user: str, policy: str) -> User:
        found = await self.user(user)
        changed = replace(found, policies=_without(found.policies, policy))
        await self._store.put_user(changed)
        return changed

    async def attach_to_role(self, role: str, policy: str) -> Role:
        await self.policy(policy)
        found = await self.role(role)
        changed = replace(found, policies=_with(found.policies, policy))
        await self._store.put_role(changed)
        return changed

    async def detach_from_role(self, role: str, policy: str) -> Role:
        found = await self.role(role)
        changed = replace(found, policies=_without(found.policies, policy))
        await self._store.put_role(changed)
        return changed


def compact(document: str) -> str:
    """The same JSON without blanks."""
    return json.dumps(json.loads(document), separators=(",", ":"), ensure_ascii=False)


def _with(attached: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name in attached:
        return attached
    if len(attached) >= MAX_ATTACHED:
        raise OssError(INVALID, f"At most {MAX_ATTACHED} policies can be attached.")
    return (*attached, name)


def _without(attached: tuple[str, ...], name: str) -> tuple[str, ...]:
    if name not in attached:
        raise OssError(MISSING, f"The policy {name} is not attached.")
    return tuple(each for each in attached if each != name)


def _check_name(name: str) -> None:
    if re.fullmatch(_NAME, name) is None:
        raise OssError(INVALID, f"{name!r} is not a name: 1 to 64 letters, digits, '.', '_' and '-'.")


def _new_id(first: str) -> str:
    """18 digits; users begin with 2, roles with 3."""
    return first + f"{secrets.randbelow(10**17):017d}"
