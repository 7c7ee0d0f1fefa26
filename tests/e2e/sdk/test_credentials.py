"""The SDK's credentials against a running Mossaic: a role is assumed, its token works, is narrowed, expires and is renewed."""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mossaic.client.credentials import AssumeRole, Credentials, Static, Sts
from mossaic.client.endpoint import parse_endpoint
from mossaic.client.errors import AccessDenied, CredentialsError
from mossaic.client.exchange import Ask, Reply, Session
from mossaic.client.http import BytesBody, Pool
from mossaic.client.options import Retry, Timeout
from mossaic.client.profile import load_profile
from mossaic.client.signer import Clock, Signer
from mossaic.protocol.operations import object as ops
from mossaic.service.token import Tokens
from mossaic.stores.sql import SqliteMetadata
from tests.e2e.broker import Broker as ServiceBroker
from tests.e2e.broker import make_broker as make_service_broker
from tests.e2e.harness import REGION, Server, self_signed, statement

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mossaic.client.credentials import Provider


class Broker(ServiceBroker):
    """As the SDK's own credentials see it."""

    @property
    def caller(self) -> Static:
        return Static(self.access_key_id, self.access_key_secret)

    def role(self, **options: Any) -> AssumeRole:
        options = {"endpoint": self.server.endpoint, "duration_s": 900, **options}
        return AssumeRole(options.pop("caller", self.caller), self.role_arn, **options)


def make_broker(server: Server, bucket: str | None = None) -> Broker:
    return Broker(**vars(make_service_broker(server, bucket)))


@pytest.fixture(scope="module")
def broker(server: Server) -> Broker:
    return make_broker(server)


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(timeout=Timeout())
    yield pool
    pool.close()


def session_of(broker: Broker, pool: Pool, provider: Provider) -> Session:
    return Session(
        endpoint=parse_endpoint(broker.server.endpoint, region=REGION),
        provider=provider,
        pool=pool,
        signer=Signer("v4", REGION, Clock()),
        retry=Retry(),
    )


def put(session: Session, bucket: str, key: str) -> Reply[ops.PutObjectResult]:
    asked = ops.PutObject(bucket=bucket, key=key)
    return session.do(ops.PUT_OBJECT, asked, Ask(body=lambda: BytesBody(b"hello")))


def expired(server: Server, pair: Credentials) -> Credentials:
    """The same session sealed once more by the installation's own key, its end a minute ago, and looking good for an hour:
    900 s are the shortest life that AssumeRole gives."""

    async def seal() -> str:
        metadata = SqliteMetadata.open(server.data / "metadata.db")
        tokens = Tokens(metadata)
        session = await tokens.open(pair.security_token or "")
        assert session is not None
        over = replace(session, expires_at=datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=60))
        sealed = await tokens.seal(over)
        await metadata.close()
        return sealed

    with ThreadPoolExecutor(1) as thread:  # a loop of its own, whatever this thread runs
        token = thread.submit(asyncio.run, seal()).result(30)
    return replace(pair, security_token=token, expires_at=datetime.now(UTC) + timedelta(hours=1))


class ExpiredFirst:
    """A token service that hands out an expired pair, then good ones."""

    def __init__(self, broker: Broker) -> None:
        self._role = broker.role
        self._late: Credentials | None = expired(broker.server, broker.role().get())
        self._lock = threading.Lock()
        self.fetched = 0

    def __call__(self) -> Credentials:
        with self._lock:
            self.fetched += 1
            late, self._late = self._late, None
        return late or self._role().get()


# --- a role -----------------------------------------------------------------------------------------------------------


def test_an_assumed_role_writes_what_it_may(broker: Broker, pool: Pool) -> None:
    provider = broker.role(session_name="shop-17")

    reply = put(session_of(broker, pool, provider), broker.bucket, "role/a")

    pair = provider.get()
    assert (reply.status, reply.attempts) == (200, 1)
    assert pair.access_key_id.startswith("STS.")
    assert pair.expires_at is not None
    assert timedelta(seconds=850) < pair.expires_at - datetime.now(UTC) < timedelta(seconds=910)
    [line] = [line for line in broker.server.log_lines(bucket=broker.bucket) if line["key"] == "role/a"]
    assert line["principal"].endswith("/shop-17")


@pytest.mark.parametrize("as_text", [False, True], ids=["mapping", "text"])
def test_a_policy_narrows_the_role(broker: Broker, pool: Pool, as_text: bool) -> None:
    policy = statement("Allow", "oss:PutObject", f"acs:oss:*:*:{broker.bucket}/in/*")
    session = session_of(broker, pool, broker.role(policy=json.dumps(policy) if as_text else policy))

    put(session, broker.bucket, "in/a")

    with pytest.raises(AccessDenied):
        put(session, broker.bucket, "out/a")


def test_one_token_serves_many_threads(broker: Broker, pool: Pool) -> None:
    session = session_of(broker, pool, broker.role())
    start = threading.Barrier(8)
    before = len(broker.server.log_lines(operation="AssumeRole"))

    def work(number: int) -> int:
        start.wait(20)
        return put(session, broker.bucket, f"many/{number}").status

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [200] * 8
    assert len(broker.server.log_lines(operation="AssumeRole")) == before + 1


def test_a_machine_whose_clock_is_five_hours_off_gets_a_token(broker: Broker, pool: Pool) -> None:
    for hours in (-5, 5):
        provider = broker.role(now=lambda hours=hours: datetime.now(UTC) + timedelta(hours=hours))

        assert put(session_of(broker, pool, provider), broker.bucket, f"clock/{hours}").status == 200


def test_a_role_is_assumed_over_tls(make_server: Callable[..., Server], tmp_path: Path) -> None:
    made = self_signed(tmp_path)
    server = make_server(**made)
    broker = make_broker(server, "of-no-use")
    trusting = Pool(timeout=Timeout(), verify=made["TLS_CERTIFICATE"])
    try:
        assert broker.role(pool=trusting).get().access_key_id.startswith("STS.")
    finally:
        trusting.close()

    with pytest.raises(CredentialsError, match="certificate"):
        broker.role().get()


# --- refused ----------------------------------------------------------------------------------------------------------


def test_a_wrong_secret_is_suspected(broker: Broker) -> None:
    provider = broker.role(caller=Static(broker.access_key_id, "wrongSecret"))

    with pytest.raises(CredentialsError, match=r"SignatureDoesNotMatch: .*is the access key secret right\?"):
        provider.get()


def test_what_the_token_service_says_is_told(broker: Broker) -> None:
    tag = secrets.token_hex(3)
    nobody = Static(*broker.server.make_user(f"sdk-nobody-{tag}"))

    with pytest.raises(CredentialsError, match="was refused: NoPermission: You are not authorized"):
        broker.role(caller=nobody).get()
    with pytest.raises(CredentialsError, match=r"was refused: EntityNotExist\.Role"):
        AssumeRole(broker.caller, f"{broker.role_arn}-not", endpoint=broker.server.endpoint).get()
    with pytest.raises(CredentialsError, match=r"was refused: InvalidParameter\.DurationSeconds"):
        broker.role(duration_s=10).get()


# --- expired ----------------------------------------------------------------------------------------------------------


def test_a_token_that_expired_unnoticed_is_renewed_within_the_call(broker: Broker, pool: Pool) -> None:
    source = ExpiredFirst(broker)

    reply = put(session_of(broker, pool, Sts(source)), broker.bucket, "late/a")

    assert (reply.status, reply.attempts, source.fetched) == (200, 2, 2)
    lines = [line for line in broker.server.log_lines(bucket=broker.bucket) if line["key"] == "late/a"]
    assert [(line["status"], line.get("code")) for line in lines] == [
        (403, "SecurityTokenExpired"),
        (200, None),
    ]


def test_eight_threads_with_an_expired_token_renew_it_once(broker: Broker, pool: Pool) -> None:
    source = ExpiredFirst(broker)
    session = session_of(broker, pool, Sts(source))
    start = threading.Barrier(8)

    def work(number: int) -> int:
        start.wait(20)
        return put(session, broker.bucket, f"late-many/{number}").status

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(8))) == [200] * 8
    assert source.fetched == 2


def test_a_token_is_renewed_before_it_ends(broker: Broker, pool: Pool) -> None:
    shift = timedelta(0)
    names = iter(["first", "second"])
    provider = Sts(lambda: broker.role(session_name=next(names)).get(), now=lambda: datetime.now(UTC) + shift)
    session = session_of(broker, pool, provider)
    put(session, broker.bucket, "early/a")

    shift = timedelta(seconds=730)  # of 900; a fifth is 180
    put(session, broker.bucket, "early/b")

    lines = broker.server.log_lines(bucket=broker.bucket, operation="PutObject")
    used = {line["key"]: line["principal"].rpartition("/")[2] for line in lines}
    assert (used["early/a"], used["early/b"]) == ("first", "second")


def test_a_role_is_assumed_by_a_role_whose_own_token_expired(broker: Broker) -> None:
    tag = secrets.token_hex(3)
    hop_arn = broker.server.make_role(f"sdk-hop-{tag}", statement("Allow", "sts:AssumeRole", "*"))
    hop = replace(broker, role_arn=hop_arn)
    source = ExpiredFirst(hop)

    pair = broker.role(caller=Sts(source)).get()

    assert pair.access_key_id.startswith("STS.")
    assert source.fetched == 2


# --- from files and variables -----------------------------------------------------------------------------------------


def test_a_profile_with_a_role_is_all_that_a_client_needs(broker: Broker, pool: Pool, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(
        f"""
        [profiles.default]
        endpoint = "{broker.server.endpoint}"
        bucket = "{broker.bucket}"
        access_key_id = "{broker.access_key_id}"
        access_key_secret = "{broker.access_key_secret}"
        role_arn = "{broker.role_arn}"
        session_name = "from-a-file"
        """
    )
    file.chmod(0o600)
    found = load_profile(environ={"HOME": str(tmp_path), "MOSSAIC_CONFIG_FILE": str(file)})
    assert found.endpoint == broker.server.endpoint
    assert found.bucket == broker.bucket

    put(session_of(broker, pool, found.credentials), found.bucket, "profile/a")

    [line] = [line for line in broker.server.log_lines(bucket=broker.bucket) if line["key"] == "profile/a"]
    assert line["principal"].endswith("/from-a-file")


def test_variables_as_ossutil_knows_them_are_enough(broker: Broker, pool: Pool, tmp_path: Path) -> None:
    pair = broker.role().get()
    environ = {
        "HOME": str(tmp_path),
        "OSS_ENDPOINT": broker.server.endpoint,
        "OSS_ACCESS_KEY_ID": pair.access_key_id,
        "OSS_ACCESS_KEY_SECRET": pair.access_key_secret,
        "OSS_SESSION_TOKEN": pair.security_token or "",
    }

    found = load_profile(environ=environ)

    assert found.endpoint == broker.server.endpoint
    assert put(session_of(broker, pool, found.credentials), broker.bucket, "env/a").status == 200
