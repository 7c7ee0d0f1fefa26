"""Authenticated encryption of tokens; a module of its own because the library behind it is loaded on demand."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM


class Seal:
    """AES-GCM with one key. `nonce`: never twice with one key; `head` is not encrypted, but nobody can change it."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, nonce: bytes, text: bytes, head: bytes) -> bytes:
        return self._cipher.encrypt(nonce, text, head)

    def open(self, nonce: bytes, sealed: bytes, head: bytes) -> bytes | None:
        """None: it was not sealed with this key, nonce and head."""
        try:
            return self._cipher.decrypt(nonce, sealed, head)
        except InvalidTag:
            return None
