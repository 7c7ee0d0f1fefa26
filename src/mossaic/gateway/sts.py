"""The STS endpoint: RPC calls on the path `/`, signed with HMAC-SHA1 parameters or an ACS3-HMAC-SHA256 header.

It shares the listener with OSS. Clients differ in where their parameters travel: ali-oss posts a form, aliyun-python-sdk and
alibabacloud-credentials use the query, the Tea clients put action and version into headers.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from dataclasses import field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Protocol

from mossaic.gateway.admit import ip_of, signed_request
from mossaic.gateway.message import HttpResponse
from mossaic.protocol import sts
from mossaic.protocol.addressing import parse_query
from mossaic.protocol.errors import (
    ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH,
    ENTITY_TOO_LARGE,
    INVALID_ACCESS_KEY_ID,
    INVALID_SECURITY_TOKEN,
    SECURITY_TOKEN_EXPIRED,
    OssError,
)
from mossaic.protocol.limits import KIB, MAX_CLOCK_SKEW_S
from mossaic.protocol.signing import rpc
from mossaic.protocol.signing.request import same
from mossaic.protocol.signing.verify import iso
from mossaic.quick import dataclass
from mossaic.service.identity import STS_PREFIX, Presented
from mossaic.service.sts import RoleRequest, caller_identity

if TYPE_CHECKING:
    from mossaic.gateway.message import HttpRequest
    from mossaic.gateway.record import RequestRecord
    from mossaic.model.identity import Principal
    from mossaic.ports import Clock
    from mossaic.protocol.errors import ErrorRow
    from mossaic.protocol.signing.request import Pairs, SignedRequest
    from mossaic.service.identity import IdentityService
    from mossaic.service.sts import StsService

_MAX_FORM: Final = 64 * KIB
_MAX_NONCES: Final = 100_000
_FORM: Final = "application/x-www-form-urlencoded"
_TIME: Final = r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?Z"
_ACTIONS: Final = ("AssumeRole", "GetCallerIdentity")
# What an ACS3 signature must cover besides every x-acs-* header that is there.
_ACS3_SIGNED: Final = frozenset(
    {"host", "x-acs-action", "x-acs-version", "x-acs-date", "x-acs-signature-nonce"}
)
_SAME_WORDS: Final[dict[str, ErrorRow]] = {
    INVALID_ACCESS_KEY_ID.code: sts.NO_SUCH_KEY_ID,
    INVALID_SECURITY_TOKEN.code: sts.TOKEN_MALFORMED,
    SECURITY_TOKEN_EXPIRED.code: sts.TOKEN_EXPIRED,
    ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH.code: sts.TOKEN_MISMATCH,
    ENTITY_TOO_LARGE.code: sts.INVALID_PARAMETER,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _RpcCall:
    """A call as both signature forms give it. `nonce` and `timestamp` are signed."""

    action: str
    version: str
    access_key_id: str
    token: str | None
    timestamp: str
    nonce: str
    signature: str
    string_to_sign: str
    acs3: bool
    parameters: dict[str, str] = field(repr=False)

    def expected(self, secret: str) -> str:
        sign = rpc.acs3_signature if self.acs3 else rpc.signature
        return sign(secret, self.string_to_sign)


class Leases(Protocol):
    """Of `ports.Housekeeping`."""

    async def lease(self, name: str, holder: str, *, now: datetime, seconds: float) -> bool: ...


class Nonces:
    """Which (key id, nonce) pairs were used lately. Each is a lease that nobody gives back, so that no other process takes it, nor
    this one after a restart; those of this process are in memory, too, which bounds their number."""

    def __init__(self, leases: Leases, capacity: int = _MAX_NONCES) -> None:
        self._leases = leases
        self._capacity = capacity
        self._until: dict[tuple[str, str], datetime] = {}

    async def use(self, access_key_id: str, nonce: str, now: datetime) -> None:
        """Raises OssError: NONCE_USED, THROTTLING (no room for another one); StoreError."""
        key = (access_key_id, nonce)
        if key in self._until and now <= self._until[key]:
            raise OssError(sts.NONCE_USED)
        if len(self._until) >= self._capacity:
            self._until = {known: until for known, until in self._until.items() if now <= until}
        if len(self._until) >= self._capacity:
            raise OssError(sts.THROTTLING)
        # A timestamp may lie 15 minutes ahead and is then good for another 15, the last moment included.
        seconds = 2 * MAX_CLOCK_SKEW_S
        self._until[key] = now + timedelta(seconds=seconds)
        name = hashlib.sha256(f"{access_key_id}\0{nonce}".encode("utf-8", "surrogateescape")).hexdigest()
        if not await self._leases.lease(
            f"sts-nonce {name}", secrets.token_hex(8), now=now, seconds=seconds + 1
        ):
            raise OssError(sts.NONCE_USED)


class StsEndpoint:
    """`mossaic.gateway.pipeline` asks `matches`, then hands the request over."""

    def __init__(
        self, *, service: StsService, identity: IdentityService, clock: Clock, leases: Leases
    ) -> None:
        self._service = service
        self._identity = identity
        self._clock = clock
        self._nonces = Nonces(leases)

    @staticmethod
    def matches(request: HttpRequest) -> bool:
        """Whether this is an RPC call of STS; OSS has nothing of that look on the path `/`, whatever the Host."""
        path, _, query = request.target.partition("?")
        if path not in ("/", ""):
            return False
        if "x-acs-action" in request.index or request.header("authorization").startswith(rpc.ACS3):
            return True
        if request.method == "POST" and not query and _is_form(request):
            return "authorization" not in request.index
        return "Action=" in query and f"Version={sts.VERSION}" in query

    async def handle(self, request: HttpRequest, record: RequestRecord) -> HttpResponse:
        """The answer, refusals included; they look as STS's do, not as OSS's."""
        request_id, signed = str(uuid.uuid4()).upper(), signed_request(request)
        as_xml = False
        try:
            body = await request.body.read(_MAX_FORM)
            pairs = signed.query + _form_pairs(request, body)
            as_xml = _wants_xml(pairs)
            call = _read(signed, pairs, body)
            caller = await self._caller(call)
            record.principal, record.operation = caller.arn, call.action
            fields = await self._answer(call, caller, request)
            content_type, document = sts.answer(
                f"{call.action}Response", {"RequestId": request_id, **fields}, as_xml=as_xml
            )
            return HttpResponse(status=200, headers=[("Content-Type", content_type)], body=document)
        except OssError as error:
            refusal = _in_words_of_sts(error)
            record.code = refusal.code
            said = sts.error_fields(refusal, request_id=request_id, host=request.header("host"))
            content_type, document = sts.answer("Error", said, as_xml=as_xml)
            return HttpResponse(
                status=refusal.status, headers=[("Content-Type", content_type)], body=document
            )

    async def _caller(self, call: _RpcCall) -> Principal:
        """Who calls: key, token, time, signature and nonce are good. Only then is the nonce used up."""
        now = self._clock.now()
        if call.access_key_id.startswith(STS_PREFIX) and not call.token:
            raise OssError(sts.MISSING_TOKEN)
        presented = Presented(access_key_id=call.access_key_id, token=call.token)
        found = await self._identity.credentials(presented, now)
        _check_time(call.timestamp, now)
        if not same(call.expected(found.secret.reveal()), call.signature):
            raise OssError(sts.SIGNATURE_MISMATCH, sts.SIGNATURE_MISMATCH.message + call.string_to_sign)
        await self._nonces.use(call.access_key_id, call.nonce, now)
        if found.principal.grant is not None:  # a visitor shall not learn who made the link
            raise OssError(sts.NO_PERMISSION)
        return found.principal

    async def _answer(
        self, call: _RpcCall, caller: Principal, request: HttpRequest
    ) -> dict[str, sts.Document | str]:
        if call.action == "GetCallerIdentity":
            return dict(caller_identity(caller))
        asked = RoleRequest(
            role_arn=call.parameters.get("RoleArn"),
            session_name=call.parameters.get("RoleSessionName"),
            duration=call.parameters.get("DurationSeconds"),
            policy=call.parameters.get("Policy"),
            context=_context(request, call, self._clock.now()),
        )
        made = await self._service.assume_role(caller, asked, self._clock.now())
        return {
            "AssumedRoleUser": {"Arn": made.arn, "AssumedRoleId": made.assumed_role_id},
            "Credentials": {
                "AccessKeyId": made.session.access_key_id,
                "AccessKeySecret": made.session.secret.reveal(),
                "SecurityToken": made.token,
                # alibabacloud-credentials parses exactly this form.
                "Expiration": made.session.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            },
        }


# --- reading ----------------------------------------------------------------------------------------------------------


def _is_form(request: HttpRequest) -> bool:
    return request.header("content-type").lower().startswith(_FORM)


def _form_pairs(request: HttpRequest, body: bytes) -> Pairs:
    if not _is_form(request):
        return ()
    return tuple((name, value) for name, value, _ in parse_query(body.decode("latin-1")))


def _wants_xml(pairs: Pairs) -> bool:
    return any(name == "Format" and value.upper() == "XML" for name, value in pairs)


def _read(signed: SignedRequest, pairs: Pairs, body: bytes) -> _RpcCall:
    """Raises OssError: NO_SUCH_API, INVALID_PARAMETER (a parameter twice, a missing one, an uncovered header)."""
    parameters = dict(pairs)
    if len(parameters) != len(pairs):
        raise OssError(sts.INVALID_PARAMETER, "A parameter comes twice.")
    header = signed.headers.get("authorization", "")
    call = _acs3(signed, parameters, body) if header else _rpc(signed, pairs, parameters)
    if call.version != sts.VERSION or call.action not in _ACTIONS:
        raise OssError(sts.NO_SUCH_API)
    if not call.access_key_id or not call.nonce or not call.signature:
        raise OssError(
            sts.INVALID_PARAMETER, "AccessKeyId, SignatureNonce and Signature are mandatory for this action."
        )
    return call


def _rpc(signed: SignedRequest, pairs: Pairs, parameters: dict[str, str]) -> _RpcCall:
    if parameters.get("SignatureMethod", "HMAC-SHA1") != "HMAC-SHA1":
        raise OssError(sts.INVALID_PARAMETER, "The SignatureMethod must be HMAC-SHA1.")
    return _RpcCall(
        action=parameters.get("Action", ""),
        version=parameters.get("Version", ""),
        access_key_id=parameters.get("AccessKeyId", ""),
        token=parameters.get("SecurityToken"),
        timestamp=parameters.get("Timestamp", ""),
        nonce=parameters.get("SignatureNonce", ""),
        signature=parameters.get("Signature", ""),
        string_to_sign=rpc.string_to_sign(signed.method, pairs),
        acs3=False,
        parameters=parameters,
    )


def _acs3(signed: SignedRequest, parameters: dict[str, str], body: bytes) -> _RpcCall:
    headers = signed.headers
    claim = rpc.read_acs3(headers["authorization"])
    if claim is None:
        raise OssError(sts.INVALID_PARAMETER, "The Authorization header is wrongly formed.")
    needed = _ACS3_SIGNED | {name for name in headers if name.startswith("x-acs-")}
    if not needed <= {*claim.signed_headers}:
        raise OssError(sts.INVALID_PARAMETER, "SignedHeaders must name host and every x-acs-* header.")
    canonical = rpc.acs3_canonical_request(signed, "/", claim.signed_headers, body)
    return _RpcCall(
        action=headers.get("x-acs-action", ""),
        version=headers.get("x-acs-version", ""),
        access_key_id=claim.access_key_id,
        token=headers.get("x-acs-security-token"),
        timestamp=headers.get("x-acs-date", ""),
        nonce=headers.get("x-acs-signature-nonce", ""),
        signature=claim.signature,
        string_to_sign=rpc.acs3_string_to_sign(canonical),
        acs3=True,
        parameters=parameters,
    )


def _check_time(text: str, now: datetime) -> None:
    """`2024-03-05T06:07:08Z`; ali-oss adds milliseconds."""
    match = re.fullmatch(_TIME, text)
    try:
        moment = datetime.fromisoformat(match[1]).replace(tzinfo=UTC) if match else None
    except ValueError:
        moment = None
    if moment is None:
        raise OssError(sts.TIME_FORMAT)
    if abs(now - moment) > timedelta(seconds=MAX_CLOCK_SKEW_S):
        raise OssError(sts.TIME_EXPIRED)


def _context(request: HttpRequest, call: _RpcCall, now: datetime) -> dict[str, str]:
    context = {
        "acs:sourceip": ip_of(request.remote),
        "acs:useragent": request.header("user-agent"),
        "acs:currenttime": iso(now),
        "acs:securetransport": "true" if request.secure else "false",
        "acs:accessid": call.access_key_id,
        "acs:mfapresent": "false",
    }
    external_id = call.parameters.get("ExternalId")
    return context | ({"sts:externalid": external_id} if external_id else {})


def _in_words_of_sts(error: OssError) -> OssError:
    """Errors of the shared identity check in STS's vocabulary; STS's own stay as they are."""
    if error.row is INVALID_ACCESS_KEY_ID and "disabled" in error.message:
        return OssError(sts.INACTIVE_KEY_ID)
    row = _SAME_WORDS.get(error.code)
    return error if row is None else OssError(row)
