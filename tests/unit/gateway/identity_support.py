"""A real metadata store with users, roles and keys, a clock that stands still, and requests as the HTTP server gives them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from mossaic.gateway.admit import Admission, AdmissionSettings
from mossaic.gateway.message import HttpRequest
from mossaic.gateway.sts import StsEndpoint
from mossaic.model.bucket import Bucket, BucketAcl
from mossaic.model.identity import Secret
from mossaic.model.names import BucketName
from mossaic.protocol.errors import ENTITY_TOO_LARGE, OssError
from mossaic.service.directory import Directory
from mossaic.service.identity import IdentityService, Root
from mossaic.service.sts import StsService
from mossaic.service.token import Tokens
from mossaic.stores.sql.sqlite import SqliteMetadata

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mossaic.ports import BodyReader

T = TypeVar("T")
NOW = datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC)
ACCOUNT_ID = "1234567890123456"
ROOT_ID, ROOT_SECRET = "LTAI5tRootKey", "RootSecret0123456789"
ROLE_ARN = f"acs:ram::{ACCOUNT_ID}:role/upload-role"


@dataclass(slots=True)
class StandingClock:
    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment


@dataclass(frozen=True, slots=True)
class GivenBody:
    """A body that is all there."""

    data: bytes = b""

    @property
    def length(self) -> int:
        return len(self.data)

    @property
    def received(self) -> int:
        return len(self.data)

    async def read(self, limit: int) -> bytes:
        if len(self.data) > limit:
            raise OssError(ENTITY_TOO_LARGE)
        return self.data

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        raise NotImplementedError("identity reads whole bodies")


@dataclass(slots=True, kw_only=True)
class World:
    store: SqliteMetadata
    directory: Directory
    tokens: Tokens
    identity: IdentityService
    admission: Admission
    sts: StsEndpoint
    clock: StandingClock = field(default_factory=StandingClock)


def open_world(path: Path) -> World:
    store = SqliteMetadata.open(path / "metadata.db", sync=False)
    clock, tokens = StandingClock(), Tokens(store)
    root = Root(account_id=ACCOUNT_ID, access_key_id=ROOT_ID, secret=Secret(ROOT_SECRET))
    identity = IdentityService(store, tokens, root)
    service = StsService(store=store, tokens=tokens, account_id=ACCOUNT_ID)
    return World(
        store=store,
        directory=Directory(store, ACCOUNT_ID),
        tokens=tokens,
        identity=identity,
        admission=Admission(
            identity=identity, metadata=store, clock=clock, settings=AdmissionSettings(region="cn-hangzhou")
        ),
        sts=StsEndpoint(service=service, identity=identity, clock=clock, leases=store),
        clock=clock,
    )


def request(
    method: str,
    target: str,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    remote: str = "10.1.1.1:999",
) -> HttpRequest:
    index = {name.lower(): value for name, value in (headers or {}).items()}
    return HttpRequest(
        method=method,
        target=target,
        headers=(*index.items(),),
        index=index,
        body=GivenBody(body),
        remote=remote,
    )


def document(effect: str, action: object, resource: object = "*", **more: object) -> str:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return json.dumps({"Version": "1", "Statement": [statement]})


def trust(*named: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"RAM": list(named)}}
    return json.dumps({"Version": "1", "Statement": [statement]})


async def given_user(world: World, name: str, *documents: str) -> tuple[str, str]:
    """A user that holds these policies; its key pair."""
    await world.directory.create_user(name, NOW)
    for number, text in enumerate(documents):
        await world.directory.create_policy(f"{name}-{number}", text, NOW)
        await world.directory.attach_to_user(name, f"{name}-{number}")
    key = await world.directory.create_key(name, NOW)
    return key.access_key_id, key.secret.reveal()


async def given_role(
    world: World, *documents: str, name: str = "upload-role", trusted: str | None = None
) -> str:
    """A role that holds these policies and that everybody of the account may assume; its ARN."""
    role = await world.directory.create_role(name, trusted or trust(f"acs:ram::{ACCOUNT_ID}:root"), NOW)
    for number, text in enumerate(documents):
        await world.directory.create_policy(f"{name}-{number}", text, NOW)
        await world.directory.attach_to_role(name, f"{name}-{number}")
    return world.directory.role_arn(role)


async def given_bucket(
    world: World, name: str, *, acl: BucketAcl = BucketAcl.PRIVATE, policy: str | None = None
) -> Bucket:
    documents = {} if policy is None else {"policy": policy}
    bucket = Bucket(
        name=BucketName(name),
        region="cn-hangzhou",
        owner_id=ACCOUNT_ID,
        created_at=NOW,
        acl=acl,
        documents=documents,
    )
    await world.store.create_bucket(bucket, quota=100)
    found = await world.store.bucket(bucket.name)
    assert found is not None
    return found
