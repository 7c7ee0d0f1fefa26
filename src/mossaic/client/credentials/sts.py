"""Temporary credentials from a function that fetches them: renewed before they end, by one thread at a time."""

from __future__ import annotations

import logging
import os
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from mossaic.client.credentials.pair import Credentials, read_credentials
from mossaic.client.errors import Cancelled, CredentialsError
from mossaic.client.http.scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

RETRY_PAUSE: Final = timedelta(seconds=5)  # after a failed fetch, while the pair is still valid
_CANCEL_STEP_S: Final = 0.25  # how soon a waiting thread notices that its work was cancelled

_log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """The pair in use. None: no end known, or one that had passed when the pair came."""

    pair: Credentials
    renew_at: datetime | None = None
    valid_until: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.valid_until is None or now < self.valid_until

    def due(self, now: datetime) -> bool:
        return self.renew_at is not None and now >= self.renew_at


def _hold(pair: Credentials, now: datetime, refresh_before: float) -> _Held:
    """A pair that has ended already by our clock is used until the server refuses it: of the two the clock is the likelier
    to be wrong, and a wrong clock must not stop an upload."""
    if pair.expires_at is None or pair.expires_at <= now:
        return _Held(pair=pair)
    lifetime = pair.expires_at - now
    return _Held(pair=pair, renew_at=pair.expires_at - lifetime * refresh_before, valid_until=pair.expires_at)


@dataclass(slots=True, kw_only=True)
class _Flight:
    """One fetch under way. Neither pair nor error at its end: the fetching thread was interrupted."""

    owner: int
    landed: threading.Event = field(default_factory=threading.Event)
    pair: Credentials | None = None
    error: Exception | None = None


class Sts:
    """Temporary credentials. `fetch` asks whoever hands them out, usually an application server, and returns Credentials or a
    mapping such as `{"AccessKeyId": …, "AccessKeySecret": …, "SecurityToken": …, "Expiration": "2024-03-05T07:07:08Z"}`; the
    other usual spellings are understood.

    They are fetched when first needed and again when less than `refresh_before` (0 … 1) of their lifetime is left; meanwhile
    other threads go on with the pair that is still valid. A failing fetch is repeated after 5 s as long as the pair lasts.
    A thread waits at most `wait_s` seconds for another one's fetch. `now` is the clock.
    """

    def __init__(
        self,
        fetch: Callable[[], Credentials | Mapping[str, object]],
        refresh_before: float = 0.2,
        *,
        wait_s: float = 60.0,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        if not 0 <= refresh_before < 1:
            raise ValueError(f"refresh_before is a share of the lifetime, 0 … 1, not {refresh_before}")
        self._fetch = fetch
        self._refresh_before = refresh_before
        self._wait_s = wait_s
        self._now = now
        self._pid = os.getpid()
        self._lock = threading.Lock()  # never held while fetching
        self._held: _Held | None = None
        self._flight: _Flight | None = None
        self._retry_at: datetime | None = None

    def get(self) -> Credentials:
        """Raises CredentialsError: no valid pair, and the fetch failed (its error is the cause); Cancelled."""
        self._mind_fork()
        while True:
            with self._lock:
                pair = self._good_enough()
                if pair is not None:
                    return pair
                flight, mine = self._join()
            self._await(flight, mine=mine)
            if flight.pair is not None:
                return flight.pair
            with self._lock:
                held = self._held
                if held is not None and held.valid(self._now()):
                    return held.pair
            if flight.error is not None:
                raise _failure(flight.error) from flight.error

    def renew(self, stale: Credentials) -> Credentials:
        """A pair other than `stale`; however many threads ask, it is fetched once. Raises CredentialsError."""
        self._mind_fork()
        while True:
            with self._lock:
                held = self._held
                if held is not None and not held.pair.same_keys(stale) and held.valid(self._now()):
                    return held.pair
                self._held = None  # nobody is to use a refused pair any more
                flight, mine = self._join()
            self._await(flight, mine=mine)
            if flight.pair is not None:
                if flight.pair.same_keys(stale):
                    raise CredentialsError(
                        f"the server refused {stale.access_key_id}, and the same credentials were fetched again"
                    )
                return flight.pair
            if flight.error is not None:
                raise _failure(flight.error) from flight.error

    def _mind_fork(self) -> None:
        if self._pid != os.getpid():
            # The fetching thread is the parent's; it may have held the lock.
            self._pid = os.getpid()
            self._lock = threading.Lock()
            self._flight = None

    def _good_enough(self) -> Credentials | None:
        held, now = self._held, self._now()
        if held is None or not held.valid(now):
            return None
        resting = self._retry_at is not None and now < self._retry_at
        return held.pair if not held.due(now) or self._flight is not None or resting else None

    def _join(self) -> tuple[_Flight, bool]:
        """The fetch under way, or a new one, which the caller then has to do."""
        if self._flight is not None:
            return self._flight, False
        self._flight = _Flight(owner=threading.get_ident())
        return self._flight, True

    def _await(self, flight: _Flight, *, mine: bool) -> None:
        """Raises CredentialsError, Cancelled."""
        if mine:
            self._fly(flight)
            return
        if flight.owner == threading.get_ident():
            raise CredentialsError("the function that fetches credentials asked for those very credentials")
        scope = current_scope.get()
        until = time.monotonic() + self._wait_s
        while not flight.landed.wait(min(_CANCEL_STEP_S, self._wait_s)):
            if scope is not None:
                scope.check()
            if time.monotonic() >= until:
                raise CredentialsError(
                    f"another thread has been fetching credentials for more than {self._wait_s:g} s"
                )

    def _fly(self, flight: _Flight) -> None:
        try:
            flight.pair = read_credentials(self._fetch())
        except Cancelled:
            raise  # the work that this thread does was cancelled, not that of those who wait
        except Exception as error:  # noqa: BLE001  # the caller's function; whatever it raises becomes the cause
            flight.error = error
            # Its text may quote a secret.
            _log.warning("fetching credentials failed: %s", type(error).__name__)
        finally:
            with self._lock:
                self._flight = None
                if flight.pair is not None:
                    self._held = _hold(flight.pair, self._now(), self._refresh_before)
                elif flight.error is not None:
                    self._retry_at = self._now() + RETRY_PAUSE
            flight.landed.set()


def _failure(error: Exception) -> CredentialsError:
    if isinstance(error, CredentialsError):
        return CredentialsError(f"temporary credentials could not be fetched: {error}")
    return CredentialsError(f"temporary credentials could not be fetched: {type(error).__name__}: {error}")
