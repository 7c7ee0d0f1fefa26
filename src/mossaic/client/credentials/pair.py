"""A pair of keys with its token and end, what gives such pairs, and the spellings in which token services write them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol, cast

from mossaic.client.errors import CredentialsError

# Spellings without case, "_" and "-": AccessKeyId, accessKeyId, access_key_id, access-key-id are one name.
_ID: Final = ("accesskeyid",)
_SECRET: Final = ("accesskeysecret",)
_TOKEN: Final = ("securitytoken", "ststoken", "sessiontoken")
_END: Final = ("expiration", "expiresat")
_MILLISECONDS: Final = (
    100_000_000_000  # as seconds this is the year 5138; above it a number counts milliseconds
)


class Missing(CredentialsError):
    """There are none in this place. A Chain goes on to the next one; any other CredentialsError ends its search."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request is signed with. An empty `access_key_id` means: anonymous, the request is not signed.

    `security_token` belongs to temporary credentials; `expires_at` (aware) is when the server stops taking them, as far as known.
    Secret and token do not show in `repr`. Raises ValueError: half a pair, characters that cannot travel in a header, a naive end.
    """

    access_key_id: str
    access_key_secret: str = field(repr=False)
    security_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.access_key_id and (self.access_key_secret or self.security_token):
            raise ValueError("access_key_id is empty")
        if self.access_key_id and not self.access_key_secret:
            raise ValueError("access_key_secret is empty")
        for name in ("access_key_id", "access_key_secret", "security_token"):
            text: str | None = getattr(self, name)
            if text and not all("!" <= character <= "~" for character in text):
                raise ValueError(f"{name} has a blank, a control character or one outside ASCII")
        if self.expires_at is not None and self.expires_at.tzinfo is None:
            raise ValueError("expires_at has no time zone")

    @property
    def anonymous(self) -> bool:
        return not self.access_key_id

    def same_keys(self, other: Credentials) -> bool:
        """Whether both are the same to the server, whatever is known about their end."""
        return (
            self.access_key_id == other.access_key_id
            and self.access_key_secret == other.access_key_secret
            and self.security_token == other.security_token
        )


class Provider(Protocol):
    """Gives credentials, request by request. Thread-safe; both methods may block."""

    def get(self) -> Credentials:
        """Raises CredentialsError."""
        ...

    def renew(self, stale: Credentials) -> Credentials:
        """A newer pair than `stale`, which the server refused. Raises CredentialsError when there is none."""
        ...


def read_credentials(given: object) -> Credentials:
    """Credentials as token services write them: a Credentials, or a mapping in any of the usual spellings, the answer of
    AssumeRole with its `Credentials` inside among them. The end is ISO 8601 text (UTC when it names no zone), an aware
    datetime, or a number of seconds or milliseconds since 1970.

    Raises CredentialsError, which names fields and never values.
    """
    if isinstance(given, Credentials):
        return given
    if not isinstance(given, Mapping):
        raise CredentialsError(f"expected Credentials or a mapping, got {type(given).__name__}")
    fields = _plain_names(cast("Mapping[object, object]", given))
    inner = fields.get("credentials")
    if isinstance(inner, Mapping):
        fields = _plain_names(cast("Mapping[object, object]", inner))
    try:
        return Credentials(
            access_key_id=_text(fields, _ID) or _absent("AccessKeyId", fields),
            access_key_secret=_text(fields, _SECRET) or _absent("AccessKeySecret", fields),
            security_token=_text(fields, _TOKEN) or None,
            expires_at=_end(fields),
        )
    except ValueError as error:
        raise CredentialsError(str(error)) from None


def _plain_names(given: Mapping[object, object]) -> dict[str, object]:
    return {str(name).lower().replace("_", "").replace("-", ""): value for name, value in given.items()}


def _absent(wanted: str, fields: Mapping[str, object]) -> str:
    raise CredentialsError(f"no {wanted} among the fields {', '.join(sorted(fields)) or '(none)'}")


def _text(fields: Mapping[str, object], names: tuple[str, ...]) -> str:
    value = next((fields[name] for name in names if fields.get(name) is not None), "")
    if not isinstance(value, str):
        raise CredentialsError(f"{names[0]} is {type(value).__name__}, not text")
    return value.strip()


def _end(fields: Mapping[str, object]) -> datetime | None:
    value = next((fields[name] for name in _END if fields.get(name)), None)
    if value is None or isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if value >= _MILLISECONDS else value, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise CredentialsError("the expiration is neither ISO 8601 text, nor a datetime, nor seconds since 1970")
