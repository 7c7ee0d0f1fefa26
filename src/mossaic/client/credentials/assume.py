"""Temporary credentials of a role: AssumeRole of STS, signed as an RPC form, over our own connections."""

from __future__ import annotations

import itertools
import json
import random
import time
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, cast

from mossaic import __version__
from mossaic.client.credentials.pair import read_credentials
from mossaic.client.credentials.sts import Sts, utc_now
from mossaic.client.endpoint import parse_endpoint
from mossaic.client.errors import CredentialsError, NetworkError
from mossaic.client.http import BytesBody, Pool, Request
from mossaic.client.http.scope import current_scope
from mossaic.client.options import RETRIED_STATUSES, Timeout
from mossaic.protocol import sts
from mossaic.protocol.signing import rpc
from mossaic.protocol.signing.request import enc

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mossaic.client.credentials.pair import Credentials, Provider
    from mossaic.client.http import Response

DEFAULT_SESSION_NAME: Final = "mossaic"
_DEADLINE_S: Final = 30.0
_ATTEMPTS: Final = 3
_BASE_S: Final = 0.2
_MAX_ANSWER: Final = 256 * 1024  # bytes
_FORM: Final = "application/x-www-form-urlencoded"


class AssumeRole(Sts):
    """Credentials of the role `role_arn` (`acs:ram::ACCOUNT:role/NAME`), which the identity of `provider` may assume.

    `endpoint`: where STS is; a Mossaic has it at the endpoint of its buckets, Alibaba Cloud at `https://sts.aliyuncs.com`.
    `session_name` shows in the server's log. `policy` (JSON text or a mapping) narrows what the role may do. `duration_s`:
    900 … what the role allows. `external_id`: where the role's trust policy asks for one. `pool`: connections to use; without
    one each fetch has its own. Renewed as Sts is.
    """

    def __init__(  # noqa: PLR0913  # AssumeRole has as many parameters
        self,
        provider: Provider,
        role_arn: str,
        *,
        endpoint: str,
        session_name: str = DEFAULT_SESSION_NAME,
        policy: str | Mapping[str, object] | None = None,
        duration_s: int = sts.DEFAULT_SESSION_S,
        external_id: str | None = None,
        pool: Pool | None = None,
        refresh_before: float = 0.2,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        """Raises ValueError: `endpoint` is none."""
        super().__init__(self._assume, refresh_before, now=now)
        self._provider = provider
        self._role_arn = role_arn
        self._place = parse_endpoint(endpoint, addressing="path").place(None, None)
        asked = {
            "RoleArn": role_arn,
            "RoleSessionName": session_name,
            "DurationSeconds": str(duration_s),
            "Policy": policy if isinstance(policy, str) or policy is None else json.dumps(policy),
            "ExternalId": external_id,
        }
        self._asked = {name: text for name, text in asked.items() if text is not None}
        self._pool = pool
        self._clock = now
        self._skew = timedelta(0)  # the server's clock against ours

    def __repr__(self) -> str:
        return f"AssumeRole({self._role_arn!r})"

    def _assume(self) -> Credentials:
        """Raises CredentialsError (refused), NetworkError, DeadlineExceeded, Cancelled."""
        if self._pool is not None:
            return self._persist(self._pool)
        with closing(Pool(timeout=Timeout(connect=5.0, idle=10.0))) as pool:
            return self._persist(pool)

    def _persist(self, pool: Pool) -> Credentials:
        """Ask until there is an answer that asking again would not change."""
        deadline = time.monotonic() + _DEADLINE_S
        caller = self._provider.get()
        for attempt in itertools.count(1):
            try:
                with self._send(pool, caller, deadline) as response:
                    answer = _read(response)
            except NetworkError:
                if attempt >= _ATTEMPTS:
                    raise
            else:
                if not isinstance(answer, _Refusal):
                    return answer
                if attempt >= _ATTEMPTS or not (answer.passing or answer.code in _MENDABLE):
                    raise answer.error(self._role_arn)
                caller = self._mend(answer, caller)
            time.sleep(random.uniform(0, _BASE_S * 2**attempt))  # noqa: S311  # jitter
        raise AssertionError("unreachable: counting does not end")

    def _mend(self, refusal: _Refusal, caller: Credentials) -> Credentials:
        """Do what makes the next attempt differ: correct the clock, renew the caller's own token."""
        if refusal.code == sts.TIME_EXPIRED.code and refusal.server_time is not None:
            self._skew = refusal.server_time - self._clock()
        if refusal.code == sts.TOKEN_EXPIRED.code:
            return self._provider.renew(caller)
        return caller

    def _send(self, pool: Pool, caller: Credentials, deadline: float) -> Response:
        if caller.anonymous:
            raise CredentialsError("a role cannot be assumed anonymously")
        parameters = self._parameters(caller)
        text = rpc.string_to_sign("POST", tuple(parameters.items()))
        parameters["Signature"] = rpc.signature(caller.access_key_secret, text)
        form = "&".join(f"{enc(name)}={enc(value)}" for name, value in parameters.items())
        request = Request(
            method="POST",
            origin=self._place.origin,
            target="/",
            headers=[
                ("host", self._place.host),
                ("user-agent", f"mossaic/{__version__}"),
                ("content-type", _FORM),
            ],
            body=BytesBody(form.encode()),
        )
        return pool.send(request, scope=current_scope.get(), deadline=deadline)

    def _parameters(self, caller: Credentials) -> dict[str, str]:
        moment = (self._clock() + self._skew).astimezone(UTC)
        token = {"SecurityToken": caller.security_token} if caller.security_token else {}
        return {
            "Action": "AssumeRole",
            "Version": sts.VERSION,
            "Format": "JSON",
            "AccessKeyId": caller.access_key_id,
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": uuid.uuid4().hex,
            "Timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            **token,
            **self._asked,
        }


_MENDABLE: Final = frozenset({sts.TIME_EXPIRED.code, sts.TOKEN_EXPIRED.code})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refusal:
    """What STS answers instead of credentials. `passing`: later the same request may be served."""

    status: int
    code: str
    message: str
    server_time: datetime | None

    @property
    def passing(self) -> bool:
        return self.status in RETRIED_STATUSES or self.code == sts.THROTTLING.code

    def error(self, role_arn: str) -> CredentialsError:
        message = self.message
        if self.code == sts.SIGNATURE_MISMATCH.code:
            # The server quotes the text that was signed, and with it a token.
            message = "the signature does not match; is the access key secret right?"
        return CredentialsError(f"AssumeRole of {role_arn} was refused: {self.code}: {message}")


def _read(response: Response) -> Credentials | _Refusal:
    body = response.read(_MAX_ANSWER)
    document = _object(body)
    if response.status == 200 and "Credentials" in document:
        return read_credentials(document)
    return _Refusal(
        status=response.status,
        code=str(document.get("Code", f"Http{response.status}")),
        message=str(document.get("Message", "the answer is not one of STS; is the endpoint right?")),
        server_time=_date(response.headers.get("date", "")),
    )


def _object(body: bytes) -> Mapping[str, object]:
    try:
        document: object = json.loads(body)
    except ValueError:
        return {}
    return cast("Mapping[str, object]", document) if isinstance(document, dict) else {}


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else None
