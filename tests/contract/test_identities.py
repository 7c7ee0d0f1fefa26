"""Laws of access keys, users, roles, policies, settings and leases."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from mossaic.model.identity import AccessKey, NamedPolicy, Role, Secret, User
from mossaic.ports import Conflict
from tests.contract.given import NOW

if TYPE_CHECKING:
    from mossaic.ports import MetadataStore


def a_key(access_key_id: str, user: str | None = None) -> AccessKey:
    return AccessKey(access_key_id=access_key_id, secret=Secret("s3cret"), user=user, created_at=NOW)


async def test_access_keys_read_back_with_their_secret(metadata: MetadataStore) -> None:
    await metadata.put_access_key(a_key("ROOT"))
    await metadata.put_access_key(a_key("ANNA1", "anna"))
    inactive = AccessKey(
        access_key_id="ANNA2", secret=Secret("other"), user="anna", active=False, created_at=NOW
    )
    await metadata.put_access_key(a_key("ANNA2", "anna"))
    await metadata.put_access_key(inactive)

    found = await metadata.access_key("ANNA2")
    assert found == inactive
    assert found.secret.reveal() == "other"
    assert [one.access_key_id for one in await metadata.access_keys("anna")] == ["ANNA1", "ANNA2"]
    assert [one.access_key_id for one in await metadata.access_keys(None)] == ["ROOT"]
    await metadata.delete_access_key("ANNA2")
    await metadata.delete_access_key("ANNA2")
    assert await metadata.access_key("ANNA2") is None


async def test_a_users_keys_go_with_the_user(metadata: MetadataStore) -> None:
    user = User(name="anna", user_id="2", created_at=NOW, policies=("read",))
    await metadata.put_user(user)
    await metadata.put_access_key(a_key("ANNA1", "anna"))
    assert await metadata.user("anna") == user
    assert await metadata.users() == [user]

    await metadata.delete_user("anna")

    assert await metadata.user("anna") is None
    assert await metadata.access_key("ANNA1") is None


async def test_roles_read_back(metadata: MetadataStore) -> None:
    role = Role(name="up", role_id="3", trust="{}", created_at=NOW, max_session_s=900, policies=("a", "b"))
    await metadata.put_role(role)

    assert await metadata.role("up") == role
    assert await metadata.roles() == [role]
    await metadata.delete_role("up")
    assert await metadata.role("up") is None


async def test_an_attached_policy_stays(metadata: MetadataStore) -> None:
    policy = NamedPolicy(name="read", document="{}", created_at=NOW, description="d")
    await metadata.put_policy(policy)
    role = Role(name="up", role_id="3", trust="{}", created_at=NOW, policies=("read",))
    await metadata.put_role(role)

    with pytest.raises(Conflict):
        await metadata.delete_policy("read")
    assert await metadata.policy("read") == policy
    assert await metadata.policies() == [policy]
    await metadata.delete_role("up")
    await metadata.delete_policy("read")
    assert await metadata.policies() == []


async def test_a_setting_is_set_once(metadata: MetadataStore) -> None:
    assert await metadata.setting("account") is None
    assert await metadata.put_setting("account", "1") == "1"
    assert await metadata.put_setting("account", "2") == "1"
    assert await metadata.setting("account") == "1"


async def test_a_lease_has_one_holder(metadata: MetadataStore) -> None:
    soon, later = NOW + timedelta(seconds=29), NOW + timedelta(seconds=61)

    assert await metadata.lease("sweep", "a", now=NOW, seconds=30)
    assert not await metadata.lease("sweep", "b", now=soon, seconds=30)
    assert await metadata.lease("other", "b", now=soon, seconds=30)
    assert await metadata.lease("sweep", "a", now=soon, seconds=30)  # renewed
    assert not await metadata.lease("sweep", "b", now=NOW + timedelta(seconds=31), seconds=30)
    assert await metadata.lease("sweep", "b", now=later, seconds=30)
    assert not await metadata.lease("sweep", "a", now=later, seconds=30)
