"""Access keys, RAM users, roles, policies, and settings of the installation."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mossaic.model.identity import AccessKey, NamedPolicy, Role, Secret, User
from mossaic.ports import Conflict
from mossaic.stores.sql.rows import micros, moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mossaic.stores.sql.database import Database
    from mossaic.stores.sql.statements import Row, Transaction

_KEYS = "SELECT access_key_id, secret, user, active, created_at FROM access_keys"
_USERS = "SELECT name, user_id, created_at, policies FROM users"
_ROLES = "SELECT name, role_id, trust, created_at, max_session_s, policies FROM roles"
_POLICIES = "SELECT name, document, created_at, description FROM policies"
_ATTACHED = """SELECT 1 FROM users, json_each(users.policies) AS p WHERE p.value = ?1
    UNION ALL SELECT 1 FROM roles, json_each(roles.policies) AS p WHERE p.value = ?1 LIMIT 1"""


class IdentityTables:
    """`ports.Identities`. `put_…` replaces what has the name; `delete_…` of what is not there does nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def access_key(self, access_key_id: str) -> AccessKey | None:
        row = self._database.read.one(_KEYS + " WHERE access_key_id = ?", access_key_id)
        return None if row is None else _key(row)

    async def access_keys(self, user: str | None) -> Sequence[AccessKey]:
        """Those of a user; those of the account itself for None."""
        rows = self._database.read.all(_KEYS + " WHERE user IS ? ORDER BY access_key_id", user)
        return [_key(row) for row in rows]

    async def put_access_key(self, key: AccessKey) -> None:
        await self._run(
            "INSERT OR REPLACE INTO access_keys VALUES (?, ?, ?, ?, ?)",
            key.access_key_id,
            key.secret.reveal(),
            key.user,
            int(key.active),
            micros(key.created_at),
        )

    async def delete_access_key(self, access_key_id: str) -> None:
        await self._run("DELETE FROM access_keys WHERE access_key_id = ?", access_key_id)

    async def user(self, name: str) -> User | None:
        row = self._database.read.one(_USERS + " WHERE name = ?", name)
        return None if row is None else _user(row)

    async def users(self) -> Sequence[User]:
        return [_user(row) for row in self._database.read.all(_USERS + " ORDER BY name")]

    async def put_user(self, user: User) -> None:
        await self._run(
            "INSERT OR REPLACE INTO users VALUES (?, ?, ?, ?)",
            user.name,
            user.user_id,
            micros(user.created_at),
            json.dumps(user.policies),
        )

    async def delete_user(self, name: str) -> None:
        """The user's access keys go with it."""

        def step(tx: Transaction) -> None:
            tx.run("DELETE FROM access_keys WHERE user = ?", name)
            tx.run("DELETE FROM users WHERE name = ?", name)

        await self._database.write(step)

    async def role(self, name: str) -> Role | None:
        row = self._database.read.one(_ROLES + " WHERE name = ?", name)
        return None if row is None else _role(row)

    async def roles(self) -> Sequence[Role]:
        return [_role(row) for row in self._database.read.all(_ROLES + " ORDER BY name")]

    async def put_role(self, role: Role) -> None:
        await self._run(
            "INSERT OR REPLACE INTO roles VALUES (?, ?, ?, ?, ?, ?)",
            role.name,
            role.role_id,
            role.trust,
            micros(role.created_at),
            role.max_session_s,
            json.dumps(role.policies),
        )

    async def delete_role(self, name: str) -> None:
        await self._run("DELETE FROM roles WHERE name = ?", name)

    async def policy(self, name: str) -> NamedPolicy | None:
        row = self._database.read.one(_POLICIES + " WHERE name = ?", name)
        return None if row is None else _policy(row)

    async def policies(self) -> Sequence[NamedPolicy]:
        return [_policy(row) for row in self._database.read.all(_POLICIES + " ORDER BY name")]

    async def put_policy(self, policy: NamedPolicy) -> None:
        await self._run(
            "INSERT OR REPLACE INTO policies VALUES (?, ?, ?, ?)",
            policy.name,
            policy.document,
            micros(policy.created_at),
            policy.description,
        )

    async def delete_policy(self, name: str) -> None:
        """Raises Conflict while a user or role has it attached: a later policy of that name must not be theirs."""

        def step(tx: Transaction) -> None:
            if tx.one(_ATTACHED, name) is not None:
                raise Conflict(f"policy {name} is attached")
            tx.run("DELETE FROM policies WHERE name = ?", name)

        await self._database.write(step)

    async def setting(self, name: str) -> str | None:
        row = self._database.read.one("SELECT value FROM settings WHERE name = ?", name)
        return None if row is None else str(row[0])

    async def put_setting(self, name: str, value: str) -> str:
        def step(tx: Transaction) -> str:
            tx.run("INSERT OR IGNORE INTO settings VALUES (?, ?)", name, value)
            return str(tx.all("SELECT value FROM settings WHERE name = ?", name)[0][0])

        return await self._database.write(step)

    async def _run(self, sql: str, *values: object) -> None:
        await self._database.write(lambda tx: tx.run(sql, *values))


def _key(row: Row) -> AccessKey:
    access_key_id, secret, user, active, created_at = row
    return AccessKey(
        access_key_id=access_key_id,
        secret=Secret(secret),
        user=user,
        active=bool(active),
        created_at=moment(created_at),
    )


def _user(row: Row) -> User:
    name, user_id, created_at, policies = row
    return User(
        name=name, user_id=user_id, created_at=moment(created_at), policies=tuple(json.loads(policies))
    )


def _role(row: Row) -> Role:
    name, role_id, trust, created_at, max_session_s, policies = row
    return Role(
        name=name,
        role_id=role_id,
        trust=trust,
        created_at=moment(created_at),
        max_session_s=max_session_s,
        policies=tuple(json.loads(policies)),
    )


def _policy(row: Row) -> NamedPolicy:
    name, document, created_at, description = row
    return NamedPolicy(name=name, document=document, created_at=moment(created_at), description=description)
