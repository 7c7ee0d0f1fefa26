"""Temporary credentials: fetched once for many threads, renewed in time, kept while they last."""

from __future__ import annotations

import logging
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mossaic.client.credentials import Credentials, Missing, Sts
from mossaic.client.credentials.sts import RETRY_PAUSE
from mossaic.client.errors import Cancelled, CredentialsError
from mossaic.client.http import Scope
from mossaic.client.http.scope import current_scope
from tests.unit.client_credentials.leaks import SECRET, TOKEN, assert_keeps_secrets

if TYPE_CHECKING:
    from collections.abc import Callable

WAIT_S = 20.0
START = datetime(2024, 3, 5, 6, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


class HandClock:
    """A clock that stands until it is moved, and on which one can wait for others to look at it."""

    def __init__(self) -> None:
        self._moment = START
        self._looks = 0
        self._seen = threading.Condition()

    def __call__(self) -> datetime:
        with self._seen:
            self._looks += 1
            self._seen.notify_all()
            return self._moment

    def advance(self, by: timedelta) -> None:
        with self._seen:
            self._moment += by

    def looks(self) -> int:
        with self._seen:
            return self._looks

    def wait_for_looks(self, count: int) -> None:
        with self._seen:
            assert self._seen.wait_for(lambda: self._looks >= count, WAIT_S)


class Source:
    """Hands out pairs `pair-1`, `pair-2`, … that last an hour; can be held up and can fail."""

    def __init__(self, clock: HandClock, lifetime: timedelta | None = HOUR) -> None:
        self.clock = clock
        self.lifetime = lifetime
        self.error: BaseException | None = None
        self.same = False
        self.fetched = 0
        self.entered = threading.Semaphore(0)
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> Credentials:
        self.entered.release()
        assert self.gate.wait(WAIT_S)
        self.fetched += 1
        if self.error is not None:
            raise self.error
        now = self.clock()
        return Credentials(
            access_key_id=f"pair-{1 if self.same else self.fetched}",
            access_key_secret=SECRET,
            security_token=TOKEN,
            expires_at=None if self.lifetime is None else now + self.lifetime,
        )

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=WAIT_S)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def source(clock: HandClock) -> Source:
    return Source(clock)


@pytest.fixture
def provider(source: Source, clock: HandClock) -> Sts:
    return Sts(source, now=clock)


def in_threads(
    count: int, work: Callable[[], Credentials]
) -> tuple[ThreadPoolExecutor, list[Future[Credentials]]]:
    pool = ThreadPoolExecutor(count)
    return pool, [pool.submit(work) for _ in range(count)]


# --- in time ----------------------------------------------------------------------------------------------------------


def test_a_pair_is_used_until_a_fifth_of_its_life_is_left(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    provider.get()
    clock.advance(0.8 * HOUR - timedelta(seconds=1))

    assert provider.get().access_key_id == "pair-1"
    clock.advance(timedelta(seconds=1))
    assert provider.get().access_key_id == "pair-2"
    assert source.fetched == 2


@pytest.mark.parametrize(("share", "used_for"), [(0.0, 1.0), (0.5, 0.5), (0.9, 0.1)])
def test_refresh_before_says_how_much_is_left(clock: HandClock, share: float, used_for: float) -> None:
    source = Source(clock)
    provider = Sts(source, share, now=clock)
    provider.get()

    clock.advance(used_for * HOUR - timedelta(seconds=1))
    assert provider.get().access_key_id == "pair-1"
    clock.advance(timedelta(seconds=2))
    assert provider.get().access_key_id == "pair-2"


@pytest.mark.parametrize("share", [-0.1, 1.0, 20])
def test_refresh_before_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="share of the lifetime"):
        Sts(dict, share)


def test_a_pair_without_an_end_is_used_until_it_is_refused(clock: HandClock) -> None:
    source = Source(clock, lifetime=None)
    provider = Sts(source, now=clock)
    first = provider.get()

    clock.advance(1000 * HOUR)

    assert provider.get() is first
    assert provider.renew(first).access_key_id == "pair-2"


def test_a_pair_that_has_ended_by_a_wrong_clock_is_used_until_it_is_refused(clock: HandClock) -> None:
    source = Source(clock, lifetime=-HOUR)
    provider = Sts(source, now=clock)

    first = provider.get()

    assert provider.get() is first
    assert provider.renew(first).access_key_id == "pair-2"
    assert source.fetched == 2


# --- one flight -------------------------------------------------------------------------------------------------------


def test_ten_threads_without_a_pair_fetch_once(provider: Sts, source: Source, clock: HandClock) -> None:
    source.gate.clear()
    pool, asked = in_threads(10, provider.get)
    clock.wait_for_looks(10)  # each looks once before it fetches or waits
    source.gate.set()
    pool.shutdown()

    assert {future.result().access_key_id for future in asked} == {"pair-1"}
    assert source.fetched == 1


def test_while_one_thread_renews_the_others_go_on_with_the_valid_pair(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    provider.get()
    source.wait_until_entered()
    clock.advance(0.9 * HOUR)
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        renewing = pool.submit(provider.get)
        source.wait_until_entered()

        others = [provider.get().access_key_id for _ in range(5)]

        assert others == ["pair-1"] * 5
        assert not renewing.done()
        source.gate.set()
        assert renewing.result().access_key_id == "pair-2"
    assert provider.get().access_key_id == "pair-2"


def test_when_the_pair_ends_during_the_fetch_the_others_wait_for_the_new_one(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    provider.get()
    source.wait_until_entered()
    clock.advance(0.9 * HOUR)
    source.gate.clear()
    pool, asked = in_threads(1, provider.get)
    source.wait_until_entered()
    clock.advance(HOUR)
    seen = clock.looks()
    late, waiting = in_threads(4, provider.get)
    clock.wait_for_looks(seen + 4)
    assert not any(future.done() for future in waiting)
    source.gate.set()
    pool.shutdown()
    late.shutdown()

    assert {future.result().access_key_id for future in asked + waiting} == {"pair-2"}
    assert source.fetched == 2


def test_ten_threads_that_were_refused_renew_once(provider: Sts, source: Source) -> None:
    stale = provider.get()
    start = threading.Barrier(10)

    def refused() -> Credentials:
        start.wait(WAIT_S)
        return provider.renew(stale)

    pool, asked = in_threads(10, refused)
    pool.shutdown()

    assert {future.result().access_key_id for future in asked} == {"pair-2"}
    assert source.fetched == 2


def test_renewing_joins_a_fetch_that_is_under_way(provider: Sts, source: Source, clock: HandClock) -> None:
    stale = provider.get()
    source.wait_until_entered()
    clock.advance(0.9 * HOUR)
    source.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        early = pool.submit(provider.get)
        source.wait_until_entered()
        refused = pool.submit(provider.renew, stale)
        source.gate.set()

        assert {early.result().access_key_id, refused.result().access_key_id} == {"pair-2"}
    assert source.fetched == 2


def test_a_refused_pair_is_given_to_nobody_while_it_is_renewed(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    stale = provider.get()
    source.wait_until_entered()
    source.gate.clear()
    with ThreadPoolExecutor(2) as pool:
        refused = pool.submit(provider.renew, stale)
        source.wait_until_entered()
        seen = clock.looks()
        other = pool.submit(provider.get)
        clock.wait_for_looks(seen + 1)
        source.gate.set()

        assert {refused.result().access_key_id, other.result().access_key_id} == {"pair-2"}
    assert source.fetched == 2


def test_a_pair_that_is_older_than_the_present_one_is_not_renewed_again(
    provider: Sts, source: Source
) -> None:
    oldest = provider.get()
    provider.renew(oldest)

    assert provider.renew(oldest).access_key_id == "pair-2"
    assert source.fetched == 2


def test_a_newer_pair_that_has_ended_meanwhile_is_no_replacement(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    oldest = provider.get()
    provider.renew(oldest)
    clock.advance(HOUR)

    assert provider.renew(oldest).access_key_id == "pair-3"


def test_a_refused_pair_is_not_given_out_again(provider: Sts, source: Source) -> None:
    stale = provider.get()
    source.error = OSError("the token service is down")

    with pytest.raises(CredentialsError):
        provider.renew(stale)
    source.error = None

    assert provider.get().access_key_id == "pair-3"  # the failed fetch was the second


def test_fetching_the_refused_pair_again_is_an_error(provider: Sts, source: Source) -> None:
    source.same = True
    stale = provider.get()

    with pytest.raises(CredentialsError, match="refused pair-1, and the same credentials were fetched again"):
        provider.renew(stale)


# --- when it fails ----------------------------------------------------------------------------------------------------


def test_a_failing_fetch_leaves_the_valid_pair_and_is_repeated_after_a_pause(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    provider.get()
    clock.advance(0.9 * HOUR)
    source.error = OSError("down")

    assert provider.get().access_key_id == "pair-1"
    assert provider.get().access_key_id == "pair-1"
    assert source.fetched == 2  # the second get did not try

    clock.advance(RETRY_PAUSE)
    assert provider.get().access_key_id == "pair-1"
    assert source.fetched == 3

    clock.advance(RETRY_PAUSE)
    source.error = None
    assert provider.get().access_key_id == "pair-4"


def test_a_failing_fetch_without_a_valid_pair_is_an_error_with_the_cause(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    provider.get()
    clock.advance(HOUR)
    source.error = OSError("down")

    with pytest.raises(CredentialsError, match="could not be fetched: OSError: down") as failed:
        provider.get()

    assert failed.value.__cause__ is source.error


def test_every_thread_that_waits_for_a_failing_fetch_gets_an_error_of_its_own(
    provider: Sts, source: Source, clock: HandClock
) -> None:
    source.gate.clear()
    source.error = OSError("down")
    pool, asked = in_threads(5, provider.get)
    clock.wait_for_looks(5)
    source.gate.set()
    pool.shutdown()

    errors = [future.exception() for future in asked]
    assert all(isinstance(error, CredentialsError) for error in errors)
    assert len({id(error) for error in errors}) == 5
    assert {error.__cause__ for error in errors} == {source.error}
    assert source.fetched == 1


def test_no_credentials_for_the_fetch_are_not_none_at_all(provider: Sts, source: Source) -> None:
    source.error = Missing("nothing in the environment")

    with pytest.raises(CredentialsError, match="nothing in the environment") as failed:
        provider.get()

    assert not isinstance(failed.value, Missing)  # or a chain would go on to another identity


def test_what_is_no_credentials_is_an_error_that_shows_none(clock: HandClock) -> None:
    provider = Sts(lambda: {"AccessKeyId": "id", "secret": SECRET, "SecurityToken": TOKEN}, now=clock)

    with pytest.raises(CredentialsError, match="no AccessKeySecret among the fields") as failed:
        provider.get()

    assert_keeps_secrets(failed.value)


def test_a_mapping_is_as_good_as_credentials(clock: HandClock) -> None:
    provider = Sts(lambda: {"accessKeyId": "id", "accessKeySecret": SECRET, "stsToken": TOKEN}, now=clock)

    assert provider.get().security_token == TOKEN


def test_a_fetch_that_asks_for_its_own_result_is_told_so(clock: HandClock) -> None:
    def fetch() -> Credentials:
        return provider.get()

    provider = Sts(fetch, now=clock)

    with pytest.raises(CredentialsError, match="asked for those very credentials"):
        provider.get()


def test_waiting_for_another_thread_has_an_end(source: Source, clock: HandClock) -> None:
    provider = Sts(source, now=clock, wait_s=0.05)
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(provider.get)
        source.wait_until_entered()

        with pytest.raises(CredentialsError, match=r"more than 0\.05 s"):
            provider.get()

        source.gate.set()
        assert slow.result().access_key_id == "pair-1"


@pytest.mark.parametrize("interruption", [KeyboardInterrupt(), Cancelled("the upload was cancelled")])
def test_an_interrupted_fetch_is_taken_over_by_a_thread_that_waits(
    clock: HandClock, interruption: BaseException
) -> None:
    entered, gate = threading.Event(), threading.Event()
    calls: list[int] = []

    def fetch() -> dict[str, str]:
        calls.append(1)
        if len(calls) == 1:
            entered.set()
            assert gate.wait(WAIT_S)
            raise interruption
        return {"AccessKeyId": "second", "AccessKeySecret": SECRET}

    provider = Sts(fetch, now=clock)
    with ThreadPoolExecutor(2) as pool:
        cut = pool.submit(provider.get)
        assert entered.wait(WAIT_S)
        waiting = pool.submit(provider.get)
        clock.wait_for_looks(2)
        gate.set()

        assert cut.exception() is interruption
        assert waiting.result().access_key_id == "second"


def test_a_cancel_ends_the_wait_for_another_threads_fetch(provider: Sts, source: Source) -> None:
    source.gate.clear()
    scope = Scope()

    def work() -> Credentials:
        current_scope.set(scope)
        return provider.get()

    with ThreadPoolExecutor(1) as slow, ThreadPoolExecutor(1) as cancelled:
        fetching = slow.submit(provider.get)
        source.wait_until_entered()
        waiting = cancelled.submit(work)
        scope.cancel()

        assert isinstance(waiting.exception(), Cancelled)
        assert not fetching.done()
        source.gate.set()
        assert fetching.result().access_key_id == "pair-1"


@pytest.mark.filterwarnings(
    "ignore:This process:DeprecationWarning"
)  # a fork with threads is what this is about
def test_a_forked_child_does_not_wait_for_its_parents_thread(source: Source, clock: HandClock) -> None:
    provider = Sts(source, now=clock, wait_s=5)
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        fetching = pool.submit(provider.get)
        source.wait_until_entered()
        child = os.fork()
        if child == 0:
            status = 1
            try:
                source.gate = threading.Event()
                source.gate.set()
                status = 0 if provider.get().access_key_id == "pair-1" else 2
            finally:
                os._exit(status)

        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        source.gate.set()
        assert fetching.result().access_key_id == "pair-1"


def test_the_log_names_the_failure_and_not_its_text(
    provider: Sts, source: Source, caplog: pytest.LogCaptureFixture
) -> None:
    source.error = OSError(f"401 for {SECRET}")

    with caplog.at_level(logging.DEBUG), pytest.raises(CredentialsError):
        provider.get()

    assert "OSError" in caplog.text
    assert SECRET not in caplog.text


# --- any order --------------------------------------------------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("advance"), st.integers(0, 4000)),
        st.tuples(st.just("get"), st.just(0)),
        st.tuples(st.just("renew"), st.integers(0, 3)),  # how many pairs ago
        st.tuples(st.just("break"), st.just(0)),
        st.tuples(st.just("mend"), st.just(0)),
    ),
    max_size=40,
)


@given(steps=STEPS)
@settings(deadline=None, max_examples=200)
def test_in_any_order_of_events_what_is_given_is_valid_and_newer_than_what_was_refused(
    steps: list[tuple[str, int]],
) -> None:
    clock = HandClock()
    source = Source(clock)
    provider = Sts(source, now=clock)
    given_out: list[Credentials] = []
    refused: set[str] = set()
    for what, amount in steps:
        before = source.fetched
        try:
            if what == "advance":
                clock.advance(timedelta(seconds=amount))
            elif what == "break":
                source.error = OSError("down")
            elif what == "mend":
                source.error = None
            elif what == "get":
                given_out.append(provider.get())
            elif given_out:
                stale = given_out[-1 - min(amount, len(given_out) - 1)]
                refused.add(stale.access_key_id)
                given_out.append(provider.renew(stale))
        except CredentialsError:
            assert source.error is not None
            assert source.fetched == before + 1
            continue
        assert source.fetched - before <= 1
        if what in ("get", "renew") and given_out:
            last = given_out[-1]
            assert last.access_key_id not in refused
            assert last.expires_at is not None
            assert last.expires_at > clock()


def test_under_many_threads_and_a_moving_clock_there_is_never_more_than_one_fetch_at_a_time(
    clock: HandClock,
) -> None:
    source = Source(clock)
    inside = threading.Lock()
    overlaps: list[str] = []

    def fetch() -> Credentials:
        if not inside.acquire(blocking=False):
            overlaps.append("two at once")
            return source()
        try:
            clock.advance(timedelta(seconds=7))
            return source()
        finally:
            inside.release()

    provider = Sts(fetch, now=clock)

    def work(number: int) -> int:
        stale_given = 0
        for turn in range(200):
            asked_at = clock()
            pair = provider.get()
            assert pair.expires_at is not None
            stale_given += pair.expires_at <= asked_at
            if (turn + number) % 50 == 0:
                assert not provider.renew(pair).same_keys(pair)
            clock.advance(timedelta(seconds=20))
        return stale_given

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 0
    assert not overlaps
