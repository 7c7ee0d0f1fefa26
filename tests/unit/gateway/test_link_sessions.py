"""Sessions of upload-request links: whose rights they have, and what ends them."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.board import Board, Cell
from mossaic.model.identity import PrincipalKind
from mossaic.model.names import BucketName, ObjectKey, UploadId
from mossaic.model.upload import Upload
from mossaic.protocol.errors import OssError
from mossaic.service.identity import CACHE_S, Presented
from mossaic.service.intake import Expected
from mossaic.service.link_limits import LinkLimits
from mossaic.service.requests import Failures, Key, RequestService, Wish, abort_ended
from tests.unit.gateway.identity_support import (
    ACCOUNT_ID,
    NOW,
    ROOT_ID,
    document,
    given_bucket,
    given_role,
    given_user,
    open_world,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Principal
    from mossaic.service.requests import Made, Opened
    from tests.unit.gateway.identity_support import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return open_world(tmp_path)


@pytest.fixture
def limits(world: World) -> LinkLimits:
    return LinkLimits(metadata=world.store, clock=world.clock)


@pytest.fixture
def service(world: World, limits: LinkLimits) -> RequestService:
    return RequestService(metadata=world.store, tokens=world.tokens, limits=limits)


async def caller(world: World, access_key_id: str) -> Principal:
    found = await world.identity.credentials(Presented(access_key_id=access_key_id), world.clock.now())
    return found.principal


async def given_link(world: World, service: RequestService, key_id: str = ROOT_ID, **wish: object) -> Made:
    bucket = await given_bucket(world, "drops")
    return await service.create(await caller(world, key_id), bucket, Wish(**wish), NOW)  # type: ignore[arg-type]  # fields of Wish


async def opened(world: World, service: RequestService, made: Made, token: str | None = None) -> Opened:
    key = Key(request_id=made.request.request_id, secret=made.secret.reveal(), token=token)
    return await service.open(key, "10.0.0.1", world.clock.now())


async def who(world: World, visit: Opened) -> Principal:
    shown = Presented(access_key_id=visit.session.access_key_id, token=visit.token)
    return (await world.identity.credentials(shown, world.clock.now())).principal


async def test_a_visit_is_who_made_the_link_within_its_folder(world: World, service: RequestService) -> None:
    made = await given_link(world, service, prefix="in")

    principal = await who(world, await opened(world, service, made))

    assert principal.kind is PrincipalKind.ACCOUNT
    assert principal.grant is not None
    assert principal.grant.folder.startswith("in/20240305-0607-")
    assert principal.grant.bucket == "drops"
    assert principal.arn.startswith(f"acs:sts::{ACCOUNT_ID}:upload-request/{made.request.request_id}/")
    assert principal.expires_at == NOW + timedelta(minutes=15)


async def test_a_session_ends_with_the_link(world: World, service: RequestService) -> None:
    made = await given_link(world, service, life_s=600)

    visit = await opened(world, service, made)

    assert visit.session.expires_at == NOW + timedelta(minutes=10)


async def test_revoking_ends_the_session_at_once(world: World, service: RequestService) -> None:
    made = await given_link(world, service)
    visit = await opened(world, service, made)
    await who(world, visit)

    await service.revoke(made.request.request_id, world.clock.now())
    world.clock.moment += timedelta(seconds=CACHE_S)

    with pytest.raises(OssError, match="AccessDenied"):
        await who(world, visit)


async def test_what_another_worker_revoked_stops_what_comes_here(world: World) -> None:
    board = Board(2)
    here, there = (
        LinkLimits(metadata=world.store, clock=world.clock, news=board.place(number).news(Cell.LINKS))
        for number in range(2)
    )
    elsewhere = RequestService(metadata=world.store, tokens=world.tokens, limits=there)
    made = await given_link(world, elsewhere)
    link = made.request.request_id
    bucket = await world.store.bucket(BucketName("drops"))
    assert bucket is not None
    async with here.object_coming(link, bucket, ObjectKey("visit/file"), Expected()) as expected:
        assert expected.watch is not None
        await here.look_again()
        expected.watch(1)

        await elsewhere.revoke(link, world.clock.now())
        await here.look_again()

        with pytest.raises(OssError, match="AccessDenied"):
            expected.watch(2)


async def test_a_link_ends_with_its_user_and_not_with_the_key(world: World, service: RequestService) -> None:
    key_id, _ = await given_user(world, "ann", document("Allow", "oss:*"))
    made = await given_link(world, service, key_id)
    visit = await opened(world, service, made)
    await world.store.delete_access_key(key_id)
    assert (await who(world, visit)).name == "ann"

    await world.store.delete_user("ann")
    await given_user(world, "ann")  # another one of that name
    world.clock.moment += timedelta(seconds=CACHE_S)

    with pytest.raises(OssError, match="AccessDenied"):
        await who(world, visit)
    with pytest.raises(OssError, match="AccessDenied"):
        await opened(world, service, made)


async def test_a_link_ends_with_its_bucket(world: World, service: RequestService) -> None:
    made = await given_link(world, service)
    visit = await opened(world, service, made)

    await world.store.delete_bucket(made.request.bucket)
    await given_bucket(world, "drops")

    with pytest.raises(OssError, match="AccessDenied"):
        await who(world, visit)


async def test_the_token_of_another_link_begins_a_new_visit(world: World, service: RequestService) -> None:
    made = await given_link(world, service)
    other = await service.create(await caller(world, ROOT_ID), await bucket_of(world), Wish(), NOW)
    visit = await opened(world, service, made)

    again = await opened(world, service, made, visit.token)
    elsewhere = await opened(world, service, other, visit.token)

    assert again.session.folder == visit.session.folder
    assert elsewhere.session.folder != visit.session.folder


async def bucket_of(world: World) -> Bucket:
    found = await world.store.bucket(BucketName("drops"))
    assert found is not None
    return found


async def test_sessions_of_roles_and_visits_make_no_links(world: World, service: RequestService) -> None:
    made = await given_link(world, service)
    visitor = await who(world, await opened(world, service, made))
    await given_role(world, document("Allow", "oss:*"))
    root = await caller(world, ROOT_ID)
    of_role = replace(root, kind=PrincipalKind.ROLE, expires_at=NOW + timedelta(hours=1))

    for principal in (visitor, of_role):
        with pytest.raises(OssError, match="AccessDenied"):
            await service.create(principal, await bucket_of(world), Wish(), NOW)


async def test_whoever_fails_often_waits_for_a_minute(world: World) -> None:
    failures = Failures(allowed=2, addresses=2)
    now = world.clock.now()
    for _ in range(2):
        failures.check("a", now)
        failures.add("a", now)

    with pytest.raises(OssError, match="ServiceUnavailable"):
        failures.check("a", now)
    failures.check("b", now)
    failures.check("a", now + timedelta(seconds=60))


async def test_many_bodies_at_once_are_told_to_wait(
    world: World, service: RequestService, limits: LinkLimits
) -> None:
    mib = 1024 * 1024
    made = await given_link(world, service)
    small = replace(made.request.limits, total_bytes=100 * mib)
    await world.store.add_request(replace(made.request, request_id="small", limits=small))
    bucket = await bucket_of(world)

    async def come(name: str, size: int) -> AsyncExitStack:
        stack = AsyncExitStack()
        coming = limits.object_coming("small", bucket, ObjectKey(name), Expected())
        expected = await stack.enter_async_context(coming)
        assert expected.watch is not None
        expected.watch(size)
        return stack

    first, second = await come("a", 100 * mib), await come("b", 100 * mib)
    await come("c", 64 * mib)
    with pytest.raises(OssError, match="ServiceUnavailable"):
        await come("d", mib)
    await first.aclose()
    await second.aclose()
    await come("e", mib)


async def test_guesses_are_counted_over_all_workers(world: World) -> None:
    board = Board(3)
    workers = [Failures(allowed=4, tally=board.place(number).guesses()) for number in range(2)]
    now = world.clock.now()
    for turn in range(4):
        workers[turn % 2].check("a", now)
        workers[turn % 2].add("a", now)

    late = Failures(allowed=4, tally=board.place(2).guesses())
    for each in (*workers, late):
        with pytest.raises(OssError, match="ServiceUnavailable"):
            each.check("a", now)
        each.check("b", now)
        each.check("a", now + timedelta(seconds=60))


async def test_what_is_in_flight_is_counted_over_all_workers_that_live(
    world: World, service: RequestService
) -> None:
    mib = 1024 * 1024
    board = Board(2)
    here, there = (
        LinkLimits(metadata=world.store, clock=world.clock, tally=board.place(number).flights())
        for number in range(2)
    )
    made = await given_link(world, service)
    small = replace(made.request.limits, total_bytes=100 * mib)
    await world.store.add_request(replace(made.request, request_id="small", limits=small))
    bucket = await bucket_of(world)

    async def come(limits: LinkLimits, name: str, size: int) -> AsyncExitStack:
        async with AsyncExitStack() as stack:
            coming = limits.object_coming("small", bucket, ObjectKey(name), Expected())
            expected = await stack.enter_async_context(coming)
            assert expected.watch is not None
            expected.watch(size)
            return stack.pop_all()

    first = await come(here, "a", 100 * mib)
    await come(there, "b", 100 * mib)
    await come(there, "c", 64 * mib)
    for limits in (here, there):
        with pytest.raises(OssError, match="ServiceUnavailable"):
            await come(limits, "d", mib)
    await first.aclose()
    await come(there, "e", 100 * mib)
    with pytest.raises(OssError, match="ServiceUnavailable"):
        await come(here, "f", 100 * mib)

    board.vacate(1)  # it was killed

    await come(here, "g", 100 * mib)


async def test_what_an_expired_link_left_is_aborted(world: World, service: RequestService) -> None:
    made = await given_link(world, service, life_s=60)
    upload = Upload(
        upload_id=UploadId("A" * 32),
        bucket=made.request.bucket,
        key=ObjectKey("k"),
        initiated_at=NOW,
        initiator="1",
        request_id=made.request.request_id,
        visit="v",
    )
    await world.store.create_upload(upload)

    assert await abort_ended(world.store, NOW + timedelta(seconds=59)) == 0
    assert await abort_ended(world.store, NOW + timedelta(seconds=60)) == 1
    assert await world.store.upload(upload.bucket, upload.key, upload.upload_id) is None
