"""Signatures of a PostObject form: over the base64 text of its policy field, V1 and V4."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.protocol.signing import v1, v4

if TYPE_CHECKING:
    from mossaic.protocol.signing.v4 import Scope


def signature_v1(secret: str, policy: str) -> str:
    """`policy` is the field's text as received, outer white space removed."""
    return v1.signature(secret, policy)


def signature_v4(secret: str, scope: Scope, policy: str) -> str:
    return v4.signature(secret, scope, policy)
