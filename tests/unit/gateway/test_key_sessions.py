"""Key sessions: the rights of the key, for a while, renewed by themselves, ended with the key."""

from __future__ import annotations

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.identity import PrincipalKind, Secret
from mossaic.protocol.errors import OssError
from mossaic.service.identity import CACHE_S, Presented
from mossaic.service.sessions import KeySessions
from mossaic.service.token import KeySession, RequestSession, Session, Tokens
from tests.unit.gateway.identity_support import (
    ACCOUNT_ID,
    NOW,
    ROOT_ID,
    document,
    given_role,
    given_user,
    open_world,
)

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.model.identity import Principal
    from mossaic.service.sessions import Begun
    from tests.unit.gateway.identity_support import World

HOUR = timedelta(hours=1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return open_world(tmp_path)


def sessions(world: World) -> KeySessions:
    return KeySessions(identity=world.identity, tokens=world.tokens, session_s=3600, max_s=43_200)


async def who(world: World, begun: Begun) -> Principal:
    shown = Presented(access_key_id=begun.session.access_key_id, token=begun.token)
    return (await world.identity.credentials(shown, world.clock.now())).principal


async def signed_in(world: World, access_key_id: str) -> Begun:
    found = await world.identity.credentials(Presented(access_key_id=access_key_id), world.clock.now())
    return await sessions(world).begin(found.principal, world.clock.now())


def later(world: World, by: timedelta) -> None:
    world.clock.moment += by


async def test_a_session_of_the_account_is_the_account(world: World) -> None:
    begun = await signed_in(world, ROOT_ID)

    principal = await who(world, begun)

    assert (principal.kind, principal.arn) == (PrincipalKind.ACCOUNT, f"acs:ram::{ACCOUNT_ID}:root")
    assert begun.session.access_key_id.startswith("STS.")
    assert principal.access_key_id == begun.session.access_key_id
    assert principal.expires_at == NOW + HOUR
    assert begun.renewable_until == NOW + 12 * HOUR


async def test_a_session_of_a_user_has_what_the_user_has_now(world: World) -> None:
    key_id, _ = await given_user(world, "ann", document("Allow", "oss:*"))
    begun = await signed_in(world, key_id)

    await world.directory.detach_from_user("ann", "ann-0")
    later(world, timedelta(seconds=CACHE_S))

    principal = await who(world, begun)
    assert (principal.kind, principal.name, principal.policies) == (PrincipalKind.USER, "ann", ())


async def test_a_session_renews_itself_until_twelve_hours_after_the_sign_in(world: World) -> None:
    begun = await signed_in(world, ROOT_ID)
    for _ in range(13):
        later(world, timedelta(minutes=55))
        begun = await sessions(world).begin(await who(world, begun), world.clock.now())

    assert begun.session.expires_at == NOW + 12 * HOUR
    assert begun.session.signed_in_at == NOW
    assert not sessions(world).is_renewable(await who(world, begun), world.clock.now())
    later(world, 6 * timedelta(minutes=1))
    with pytest.raises(OssError, match="SecurityTokenExpired"):
        await who(world, begun)


async def test_a_session_ends_with_its_key(world: World) -> None:
    key_id, _ = await given_user(world, "ann", document("Allow", "oss:*"))
    begun = await signed_in(world, key_id)
    await who(world, begun)

    key = await world.store.access_key(key_id)
    assert key is not None
    await world.store.put_access_key(replace(key, active=False))
    later(world, timedelta(seconds=CACHE_S))
    with pytest.raises(OssError, match="InvalidSecurityToken"):
        await who(world, begun)

    await world.store.put_access_key(replace(key, secret=Secret("another secret of the same id")))
    later(world, timedelta(seconds=CACHE_S))
    with pytest.raises(OssError, match="InvalidSecurityToken"):
        await who(world, begun)


async def test_a_session_ends_with_its_user(world: World) -> None:
    key_id, _ = await given_user(world, "ann", document("Allow", "oss:*"))
    begun = await signed_in(world, key_id)

    await world.store.delete_user("ann")

    with pytest.raises(OssError, match="InvalidSecurityToken"):
        await who(world, begun)


async def test_credentials_of_a_role_begin_no_session(world: World) -> None:
    await given_role(world, document("Allow", "oss:*"))
    role = await world.store.role("upload-role")
    assert role is not None
    token_session = Session(
        access_key_id="STS.x",
        secret=Secret("s"),
        role=role.name,
        role_id=role.role_id,
        name="me",
        policy=None,
        expires_at=NOW + HOUR,
    )
    shown = Presented(access_key_id="STS.x", token=await world.tokens.seal(token_session))
    found = await world.identity.credentials(shown, NOW)

    with pytest.raises(OssError, match="InvalidRequest"):
        await sessions(world).begin(found.principal, NOW)


async def test_only_new_kinds_of_session_have_the_new_format(world: World) -> None:
    common = {"access_key_id": "STS.x", "secret": Secret("s"), "expires_at": NOW + HOUR}
    role = Session(**common, role="r", role_id="1", name="n", policy=None)  # type: ignore[arg-type]  # a mixed dict
    key = KeySession(**common, parent="AK", parent_mark="m", signed_in_at=NOW)  # type: ignore[arg-type]  # as above
    visit = RequestSession(**common, request_id="q", visit="v", folder="in/")  # type: ignore[arg-type]  # as above
    tokens = Tokens(world.store)

    for session, form in ((role, b"MT1"), (key, b"MT2"), (visit, b"MT2")):
        token = await tokens.seal(session)

        assert b64decode(token)[:3] == form
        assert await tokens.open(token) == session


async def test_a_token_does_not_pass_as_one_of_the_other_format(world: World) -> None:
    key = KeySession(
        access_key_id="STS.x",
        secret=Secret("s"),
        parent="AK",
        parent_mark="m",
        signed_in_at=NOW,
        expires_at=NOW + HOUR,
    )
    token = await world.tokens.seal(key)

    assert token.startswith("TVQy")  # base64 of MT2
    assert await world.tokens.open("TVQx" + token[4:]) is None
