"""Credentials that are simply there: given, none at all, or in environment variables."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.client.credentials.pair import Credentials, Missing
from mossaic.client.errors import CredentialsError

if TYPE_CHECKING:
    from collections.abc import Mapping


_NOBODY: Final = Credentials(access_key_id="", access_key_secret="")


class Static:
    """A given pair, with a token where it is a temporary one. Raises ValueError as Credentials does."""

    def __init__(self, access_key_id: str, access_key_secret: str, security_token: str | None = None) -> None:
        self._pair = Credentials(
            access_key_id=access_key_id,
            access_key_secret=access_key_secret,
            security_token=security_token or None,
        )
        if self._pair.anonymous:
            raise ValueError("access_key_id is empty; Anonymous() is for requests without a signature")

    def __repr__(self) -> str:
        return f"Static({self._pair.access_key_id!r})"

    def get(self) -> Credentials:
        return self._pair

    def renew(self, stale: Credentials) -> Credentials:
        raise CredentialsError(f"the credentials {stale.access_key_id} are fixed and cannot be renewed")


class Anonymous:
    """No credentials: requests go out unsigned and may do what a bucket allows to everybody."""

    def __repr__(self) -> str:
        return "Anonymous()"

    def get(self) -> Credentials:
        return _NOBODY

    def renew(self, stale: Credentials) -> Credentials:  # noqa: ARG002  # the protocol's name
        raise CredentialsError("anonymous requests have no credentials to renew")


class _Names(NamedTuple):
    key_id: str
    secret: str
    tokens: tuple[str, ...]


_FAMILIES: Final = (
    _Names("MOSSAIC_ACCESS_KEY_ID", "MOSSAIC_ACCESS_KEY_SECRET", ("MOSSAIC_SECURITY_TOKEN",)),
    _Names("OSS_ACCESS_KEY_ID", "OSS_ACCESS_KEY_SECRET", ("OSS_SESSION_TOKEN", "OSS_SECURITY_TOKEN")),
    _Names(
        "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET", ("ALIBABA_CLOUD_SECURITY_TOKEN",)
    ),
)


class Env:
    """Environment variables, looked at anew for every request: the first of these families of which anything is set.

    MOSSAIC_ACCESS_KEY_ID, MOSSAIC_ACCESS_KEY_SECRET, MOSSAIC_SECURITY_TOKEN; OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET,
    OSS_SESSION_TOKEN or OSS_SECURITY_TOKEN; ALIBABA_CLOUD_ACCESS_KEY_ID, …_SECRET, ALIBABA_CLOUD_SECURITY_TOKEN.
    """

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        self._environ: Mapping[str, str] = os.environ if environ is None else environ

    def __repr__(self) -> str:
        return "Env()"

    def look(self) -> str:
        """The place that has credentials, in words. Raises CredentialsError, Missing."""
        return f"${self._family().key_id}"

    def get(self) -> Credentials:
        """Raises CredentialsError (half a pair), Missing."""
        names = self._family()
        token = next((text for name in names.tokens if (text := self._value(name))), None)
        try:
            return Credentials(
                access_key_id=self._value(names.key_id),
                access_key_secret=self._value(names.secret),
                security_token=token,
            )
        except ValueError as error:
            raise CredentialsError(f"${names.key_id} and its companions: {error}") from None

    def renew(self, stale: Credentials) -> Credentials:
        fresh = self.get()
        if fresh.same_keys(stale):
            raise CredentialsError(
                f"the server refused the credentials in {self.look()}, and there are no newer ones"
            )
        return fresh

    def _family(self) -> _Names:
        for names in _FAMILIES:
            has_id, has_secret = bool(self._value(names.key_id)), bool(self._value(names.secret))
            if has_id and has_secret:
                return names
            if has_id or has_secret:
                there, absent = (names.key_id, names.secret) if has_id else (names.secret, names.key_id)
                raise CredentialsError(f"${there} is set, but ${absent} is not")
        raise Missing(f"{', '.join(f'${names.key_id}' for names in _FAMILIES)}: not set")

    def _value(self, name: str) -> str:
        return self._environ.get(name, "").strip()
