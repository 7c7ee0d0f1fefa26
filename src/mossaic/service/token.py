"""Security tokens of temporary credentials: what a session may do, sealed with a key that only this installation has.

A token is AES-256-GCM over the session, so that it can be neither read nor changed; nothing of it is kept. The keys live in
the metadata store's settings under increasing numbers: the newest one seals, older ones still open.
"""

from __future__ import annotations

import binascii
import json
import os
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mossaic.model.identity import Secret

if TYPE_CHECKING:
    from mossaic.ports import Identities

_FORMAT: Final = b"MT1"
_NONCE_BYTES: Final = 12
_HEAD_BYTES: Final = len(_FORMAT) + 2
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


class Tokens:
    """Seals and opens tokens."""

    def __init__(self, store: Identities) -> None:
        self._store = store
        self._keys: dict[int, AESGCM] = {}

    async def seal(self, session: Session) -> str:
        number = await self._newest()
        cipher = await self._cipher(number)
        assert cipher is not None, "the newest key was just found"
        head, nonce = _FORMAT + number.to_bytes(2), os.urandom(_NONCE_BYTES)
        sealed = cipher.encrypt(nonce, _packed(session), head)
        return b64encode(head + nonce + sealed).decode("ascii")

    async def open(self, token: str) -> Session | None:
        """None when this installation did not make the token, or somebody changed it. Expiry is not looked at."""
        if len(token) > _MAX_TOKEN:
            return None
        try:
            data = b64decode(token, validate=True)
        except (binascii.Error, ValueError):
            return None
        if len(data) < _HEAD_BYTES + _NONCE_BYTES or data[: len(_FORMAT)] != _FORMAT:
            return None
        head, rest = data[:_HEAD_BYTES], data[_HEAD_BYTES:]
        cipher = await self._cipher(int.from_bytes(head[len(_FORMAT) :]))
        if cipher is None:
            return None
        try:
            return _unpacked(cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], head))
        except InvalidTag:
            return None

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
        await self._store.put_setting(_name(number), b64encode(AESGCM.generate_key(256)).decode("ascii"))

    async def _cipher(self, number: int) -> AESGCM | None:
        if number not in self._keys:
            text = await self._store.setting(_name(number))
            if text is None:
                return None
            self._keys[number] = AESGCM(b64decode(text))
        return self._keys[number]


def _name(number: int) -> str:
    return f"sts_key_{number}"


def _packed(session: Session) -> bytes:
    return json.dumps(
        {
            "id": session.access_key_id,
            "secret": session.secret.reveal(),
            "role": session.role,
            "role_id": session.role_id,
            "name": session.name,
            "policy": session.policy,
            "until": int(session.expires_at.timestamp()),
        }
    ).encode()


def _unpacked(data: bytes) -> Session:
    fields = json.loads(data)
    return Session(
        access_key_id=fields["id"],
        secret=Secret(fields["secret"]),
        role=fields["role"],
        role_id=fields["role_id"],
        name=fields["name"],
        policy=fields["policy"],
        expires_at=datetime.fromtimestamp(fields["until"], UTC),
    )
