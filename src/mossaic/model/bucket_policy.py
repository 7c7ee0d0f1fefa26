"""The policy document of a bucket: checking it, and whether it opens the bucket to everybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.model import documents, policy
from mossaic.protocol.errors import INVALID_POLICY_DOCUMENT, OssError

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket

# A condition that pins one of these to values leaves a closed circle (OSS API: GetBucketPolicyStatus).
_CLOSING_KEYS: Final = frozenset({"acs:sourceip", "acs:sourcevpc", "acs:accessid"})
_CLOSING_OPERATORS: Final = frozenset({"IpAddress", "StringEquals", "StringEqualsIgnoreCase", "StringLike"})
_ANYTHING: Final = frozenset({"*", "0.0.0.0/0", "::/0"})


def checked(body: bytes) -> str:
    """The text to store, as it was sent. Raises OssError INVALID_POLICY_DOCUMENT."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise OssError(INVALID_POLICY_DOCUMENT, "The policy is not UTF-8.") from None
    policy.parse(text, policy.PolicyKind.BUCKET)
    return text


def is_public(bucket: Bucket) -> bool:
    """Whether a statement allows something to everybody."""
    text = bucket.documents.get(documents.POLICY)
    if text is None:
        return False
    return any(map(_is_public, policy.parse(text, policy.PolicyKind.BUCKET).statements))


def _is_public(statement: policy.Statement) -> bool:
    if statement.effect is not policy.Effect.ALLOW or "*" not in (statement.principals or ()):
        return False
    return not any(
        condition.key in _CLOSING_KEYS
        and condition.operator in _CLOSING_OPERATORS
        and not _ANYTHING.intersection(condition.values)
        for condition in statement.conditions
    )
