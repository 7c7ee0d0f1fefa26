"""Security tokens of temporary credentials: what a session may do, sealed with a key that only this installation has.

A token is AES-256-GCM over the session, so that it can be neither read nor changed; nothing of it is kept. The keys live in
the metadata store's settings under increasing numbers: the newest one seals, older ones still open.

The first three bytes tell the format: MT1 is a session of a role, as ever; MT2 has a field `kind`, and a program that only
knows MT1 takes it for a token that it did not make.
"""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import json
import os
from base64 import b64decode, b64encode
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from mossaic.model.identity import Secret
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from mossaic.ports import Identities
    from mossaic.service.seal import Seal

_ROLES: Final = b"MT1"
_KINDS: Final = b"MT2"
_FORMAT_BYTES: Final = 3
_NONCE_BYTES: Final = 12
_KEY_BYTES: Final = 32
_HEAD_BYTES: Final = _FORMAT_BYTES + 2
_MAX_TOKEN: Final = 8192  # characters; a session policy has at most 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Temporary credentials of a role. `role_id` tells a role from a later one of the same name."""

    access_key_id: str
    secret: Secret
    role: str
    role_id: str
    name: str
    policy: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySession:
    """Temporary credentials with the rights of an access key. `parent_mark` is `mark_of` the key's secret: a key that was
    made anew under the same id is not the parent."""

    access_key_id: str
    secret: Secret
    parent: str
    parent_mark: str
    signed_in_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSession:
    """Temporary credentials of a visit of an upload-request link; `folder` is the beginning of the keys it may write."""

    access_key_id: str
    secret: Secret
    request_id: str
    visit: str
    folder: str
    expires_at: datetime


AnySession = Session | KeySession | RequestSession


def mark_of(secret: Secret) -> str:
    """Tells one secret from another without being one; only ever kept sealed."""
    return hashlib.sha256(secret.reveal().encode()).hexdigest()[:32]


class Tokens:
    """Seals and opens tokens."""

    def __init__(self, store: Identities) -> None:
        self._store = store
        self._keys: dict[int, Seal] = {}

    async def seal(self, session: AnySession) -> str:
        number = await self._newest()
        cipher = await self._cipher(number)
        assert cipher is not None, "the newest key was just found"
        kind = _ROLES if isinstance(session, Session) else _KINDS
        head, nonce = kind + number.to_bytes(2), os.urandom(_NONCE_BYTES)
        sealed = cipher.close(nonce, _packed(session), head)
        return b64encode(head + nonce + sealed).decode("ascii")

    async def open(self, token: str) -> AnySession | None:
        """None when this installation did not make the token, or somebody changed it. Expiry is not looked at."""
        if len(token) > _MAX_TOKEN:
            return None
        try:
            data = b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(data) < _HEAD_BYTES + _NONCE_BYTES or data[:_FORMAT_BYTES] not in (_ROLES, _KINDS):
            return None
        head, rest = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        cipher = await self._cipher(int.from_bytes(head[_FORMAT_BYTES:]))
        if cipher is None:
            return None
        opened = cipher.open(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head)
        if opened is None:
            return None
        fields = json.loads(opened)
        return _role_session(fields) if head[:_FORMAT_BYTES] == _ROLES else _other_session(fields)

    async def rotate(self) -> int:
        """Make a new sealing key; its number. Tokens of older keys stay valid until they expire."""
        number = await self._newest() + 1
        await self._make(number)
        return number

    async def _newest(self) -> int:
        """Probes upwards from the newest known number: another process may have rotated."""
        number = max(self._keys, default=1)
        while await self._store.setting(_name(number + 1)) is not None:
            number += 1
        if await self._store.setting(_name(number)) is None:
            await self._make(number)
        return number

    async def _make(self, number: int) -> None:
        await self._store.put_setting(_name(number), b64encode(os.urandom(_KEY_BYTES)).decode("ascii"))

    async def _cipher(self, number: int) -> Seal | None:
        if number not in self._keys:
            text = await self._store.setting(_name(number))
            if text is None:
                return None
            # Large: loaded when the first token comes, and beside the loop.
            module = await asyncio.to_thread(import_module, "mossaic.service.seal")
            self._keys[number] = module.Seal(b64decode(text))
        return self._keys[number]


def _name(number: int) -> str:
    return f"sts_key_{number}"


def _packed(session: AnySession) -> bytes:
    fields: dict[str, object] = {
        "id": session.access_key_id,
        "secret": session.secret.reveal(),
        "until": _seconds(session.expires_at),
    }
    match session:
        case Session():
            fields |= {
                "role": session.role,
                "role_id": session.role_id,
                "name": session.name,
                "policy": session.policy,
            }
        case KeySession():
            fields |= {
                "kind": "key",
                "parent": session.parent,
                "mark": session.parent_mark,
                "since": _seconds(session.signed_in_at),
            }
        case RequestSession():
            fields |= {
                "kind": "request",
                "request": session.request_id,
                "visit": session.visit,
                "folder": session.folder,
            }
    return json.dumps(fields).encode()


def _role_session(fields: dict[str, Any]) -> Session:  # Any: JSON that this module wrote
    return Session(
        access_key_id=fields["id"],
        secret=Secret(fields["secret"]),
        role=fields["role"],
        role_id=fields["role_id"],
        name=fields["name"],
        policy=fields["policy"],
        expires_at=_moment(fields["until"]),
    )


def _other_session(fields: dict[str, Any]) -> KeySession | RequestSession | None:  # Any: as above
    """None for a kind that only a newer program knows."""
    match fields["kind"]:
        case "key":
            return KeySession(
                access_key_id=fields["id"],
                secret=Secret(fields["secret"]),
                parent=fields["parent"],
                parent_mark=fields["mark"],
                signed_in_at=_moment(fields["since"]),
                expires_at=_moment(fields["until"]),
            )
        case "request":
            return RequestSession(
                access_key_id=fields["id"],
                secret=Secret(fields["secret"]),
                request_id=fields["request"],
                visit=fields["visit"],
                folder=fields["folder"],
                expires_at=_moment(fields["until"]),
            )
        case _:
            return None


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
