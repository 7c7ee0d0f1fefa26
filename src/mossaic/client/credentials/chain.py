"""Several places to look for credentials, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from mossaic.client.credentials.files import AliyunCli, Ossutil, Profile
from mossaic.client.credentials.fixed import Env
from mossaic.client.credentials.pair import Missing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.credentials.pair import Credentials, Provider


@runtime_checkable
class _Place(Protocol):
    def look(self) -> str: ...


class Chain:
    """The first of `providers` that has credentials, and from then on always that one.

    A place where there are none is passed over; a place that is broken (half a pair, a file that cannot be read, a role that
    is refused) is an error, so that nobody works under another name unawares.
    """

    def __init__(self, *providers: Provider) -> None:
        if not providers:
            raise ValueError("a chain needs at least one provider")
        self._providers = providers
        self._chosen: Provider | None = None

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self._providers))})"

    def look(self) -> str:
        """The place that has credentials, in words. Raises CredentialsError, Missing; asks no network."""
        missed: list[str] = []
        for provider in self._providers:
            try:
                return provider.look() if isinstance(provider, _Place) else repr(provider)
            except Missing as missing:
                missed.append(str(missing))
        raise _nowhere(missed)

    def get(self) -> Credentials:
        """Raises CredentialsError; Missing lists every place that was looked at."""
        return self._choice()[1]

    def renew(self, stale: Credentials) -> Credentials:
        return self._choice()[0].renew(stale)

    def _choice(self) -> tuple[Provider, Credentials]:
        # Two threads may choose at once; they choose alike.
        if self._chosen is not None:
            return self._chosen, self._chosen.get()
        missed: list[str] = []
        for provider in self._providers:
            try:
                pair = provider.get()
            except Missing as missing:
                missed.append(str(missing))
            else:
                self._chosen = provider
                return provider, pair
        raise _nowhere(missed)


def _nowhere(missed: list[str]) -> Missing:
    return Missing(f"no credentials found. Looked at: {'; '.join(missed)}")


def default(profile: str | None = None, *, environ: Mapping[str, str] | None = None) -> Chain:
    """Where credentials are looked for when none are given: environment, Mossaic's profile, ossutil, the aliyun command line.

    A `profile` asked for by name goes before the environment, and other programs' files are not asked then.
    """
    if profile is not None:
        return Chain(Profile(profile, environ=environ), Env(environ))
    return Chain(Env(environ), Profile(environ=environ), Ossutil(environ=environ), AliyunCli(environ=environ))
