"""Who asks, and may they: the one place where a request is authenticated and where the addressed resource is authorized.

OSS API: "Authentication process": identity first, then session policy, RAM and bucket policies, ownership, and last the ACLs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.model import bucket_tags, policy
from mossaic.model.identity import ANONYMOUS, PrincipalKind
from mossaic.model.names import ObjectKey, VersionId
from mossaic.model.object import ObjectAcl
from mossaic.model.policy import Decision, Effect, PolicyKind, Question, Source
from mossaic.model.tags import parse_tagging
from mossaic.model.upload_request import OPERATIONS, REFUSED_HEADERS, REFUSED_QUERY, beyond
from mossaic.protocol.addressing import parse_query
from mossaic.protocol.codec.plan import plan_of
from mossaic.protocol.errors import (
    ACCESS_DENIED,
    INVALID_ARGUMENT,
    INVALID_REQUEST,
    NO_SUCH_BUCKET,
    OssError,
)
from mossaic.protocol.operation import Access, Level
from mossaic.protocol.signing import claim as claims
from mossaic.protocol.signing.request import How, Resource, SignedRequest, header_text
from mossaic.protocol.signing.verify import iso, verify
from mossaic.protocol.wire import Header
from mossaic.quick import dataclass
from mossaic.service.identity import Presented

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from mossaic.gateway.call import Call, Permission
    from mossaic.gateway.message import HttpRequest
    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Grant, Principal
    from mossaic.ports import Clock, Objects
    from mossaic.protocol.addressing import Address
    from mossaic.protocol.errors import ErrorRow
    from mossaic.protocol.signing.claim import Claim
    from mossaic.service.identity import Credentials, IdentityService

# Their keys are in the body: the handler asks for each key through `Call.authorize`.
PER_KEY: Final = frozenset({"DeleteMultipleObjects", "PostObject"})
_FORBIDDEN: Final = "0003-00000001"
# Verified against when the key is unknown, so that the answer takes as long as for a known one.
_NOBODYS_SECRET: Final = "no access key has this secret"  # noqa: S105  # it is nobody's


@dataclass(frozen=True, slots=True, kw_only=True)
class AdmissionSettings:
    """`strict_region`: refuse V4 signatures made for another region than `region` (without `oss-`)."""

    region: str = "cn-hangzhou"
    strict_region: bool = False


class _Ask(NamedTuple):
    """One question to policies and ACLs; `access` tells what an ACL may grant, `tagging` which tags the object would get."""

    action: str
    access: Access
    key: str | None
    bucket: Bucket | None
    bucket_name: str | None
    version_id: str | None = None
    tagging: str = ""


class Admission:
    """Authenticates and authorizes. Keeps nothing of a request."""

    def __init__(
        self,
        *,
        identity: IdentityService,
        metadata: Objects,
        clock: Clock,
        settings: AdmissionSettings | None = None,
    ) -> None:
        self._identity = identity
        self._metadata = metadata
        self._clock = clock
        self._settings = settings or AdmissionSettings()

    # --- who ----------------------------------------------------------------------------------------------------------

    async def authenticate(
        self, request: HttpRequest, candidates: Sequence[Address]
    ) -> tuple[Principal, Address]:
        """The principal and the reading of the address that its signature covers; the first reading for anonymous requests.

        Not for preflights (never signed) and not for form uploads (their signature is in the form). Order of checks: form of
        the claim, access key, token, time, signature. Raises OssError with the code, fields and EC that OSS documents.
        """
        signed = signed_request(request)
        claim = claims.read(signed)
        if claim is None:
            return ANONYMOUS, candidates[0]
        self._check_region(claim)
        now = self._clock.now()
        resources = [Resource(bucket=each.bucket, key=each.key) for each in candidates]
        try:
            presented = Presented(claim.access_key_id, claim.token, claim.how is How.URL)
            found = await self._identity.credentials(presented, now)
        except OssError:
            _waste_a_verification(claim, signed, resources, now)
            raise
        index = verify(claim, signed, resources, found.secret.reveal(), now=now)
        return found.principal, candidates[index]

    async def credentials(self, presented: Presented, now: datetime) -> Credentials:
        """Who stands behind an access key, for forms, whose signature is in the body. Raises OssError as the identity does."""
        return await self._identity.credentials(presented, now)

    def _check_region(self, claim: Claim) -> None:
        strict = self._settings.strict_region and claim.scope is not None and claim.scope.product == "oss"
        if strict and claim.scope is not None and claim.scope.region != self._settings.region:
            raise OssError(
                INVALID_ARGUMENT, "Invalid signing region in Authorization header.", ec="0002-00000226"
            )

    # --- may they -----------------------------------------------------------------------------------------------------

    async def authorize(self, call: Call, address: Address) -> None:
        """Let the operation on the addressed resource pass, or raise OssError: ACCESS_DENIED, INVALID_REQUEST, NO_SUCH_BUCKET
        (anonymous callers). Operations in `PER_KEY` pass here; their handlers ask key by key."""
        operation = call.operation
        if call.principal.kind is PrincipalKind.ANONYMOUS:
            _check_anonymous(call, address)
        if operation.name in PER_KEY or is_owners_own(call.principal, call.bucket_or_none):
            return
        version_id = call.query.get("versionId")
        ask = _Ask(
            action=operation.version_action if version_id and operation.version_action else operation.action,
            access=operation.access,
            key=address.key,
            bucket=call.bucket_or_none,
            bucket_name=address.bucket,
            version_id=version_id,
            tagging=_tagging(call),
        )
        await self._require(call, ask)
        if ask.action == "oss:PutObject" and call.header("x-oss-tagging"):
            await self._require_tagging(call, ask)

    async def require(self, call: Call, wanted: Permission) -> None:
        """As `authorize`, for another object than the addressed one (copy source, keys of a batch). Raises ACCESS_DENIED."""
        ask = _Ask(
            action=wanted.action,
            access=Access.WRITE if wanted.write else Access.READ,
            key=wanted.key,
            bucket=wanted.bucket,
            bucket_name=wanted.bucket.name,
            version_id=wanted.version_id,
            tagging=wanted.tagging,
        )
        await self._require(call, ask)
        if ask.action == "oss:PutObject" and ask.tagging:
            await self._require_tagging(call, ask)

    async def require_by_policy(
        self, call: Call, action: str, bucket: Bucket, key: str | None = None
    ) -> None:
        """For actions that are no operation of OSS: the owner or a policy, never an ACL. Raises ACCESS_DENIED."""
        ask = _Ask(action=action, access=Access.OWNER, key=key, bucket=bucket, bucket_name=bucket.name)
        await self._require(call, ask)

    async def _require_tagging(self, call: Call, ask: _Ask) -> None:
        """A write that brings tags along takes the right to tag, too."""
        tagging = ask._replace(action="oss:PutObjectTagging", access=Access.OWNER)
        await self._require(call, tagging, ec="0003-00000905")

    async def _require(self, call: Call, ask: _Ask, *, ec: str = _FORBIDDEN) -> None:
        if call.principal.grant is not None:
            _stay_within(call.principal.grant, call, ask)
        decision = await self._decide(call, ask)
        if decision.effect is Effect.ALLOW:
            return
        if decision.effect is Effect.DENY:
            raise _denied(decision)
        if self._owns(call.principal, ask):
            return
        if ask.access is Access.OWNER or ask.key is None or ask.bucket is None:
            raise _refused(call, ask, ec=ec)
        if not await self._acl_grants(ask, ask.bucket, ask.key):
            raise _refused(call, ask, ec=ec)

    async def _decide(self, call: Call, ask: _Ask) -> Decision:
        principal = call.principal
        text = ask.bucket.documents.get("policy") if ask.bucket is not None else None
        if text is None and not principal.policies and principal.boundary is None:
            return Decision(effect=Effect.SILENT)
        ram = [policy.parse(each) for each in principal.policies]
        boundary = policy.parse(principal.boundary) if principal.boundary is not None else None
        on_bucket = policy.parse(text, PolicyKind.BUCKET) if text is not None else None
        owner_id = ask.bucket.owner_id if ask.bucket is not None else self._identity.account_id
        context = _context(call, ask, self._clock.now())
        asked = (*ram, *(each for each in (boundary, on_bucket) if each is not None))
        if ask.bucket is not None and policy.uses(asked, "oss:buckettag/"):
            context |= {f"oss:buckettag/{tag.key}": tag.value for tag in bucket_tags.load(ask.bucket).tags}
        if ask.bucket is not None and ask.key is not None and policy.uses(asked, "oss:existingobjecttag/"):
            tags = await self._existing_tags(ask, ask.bucket, ask.key)
            context |= {f"oss:existingobjecttag/{name}": value for name, value in tags.items()}
        question = Question(
            principal=principal,
            action=ask.action,
            resource=_resource(ask, owner_id),
            owner_id=owner_id,
            context=context,
        )
        return policy.decide(question, ram=ram, bucket=on_bucket, boundary=boundary)

    def _owns(self, principal: Principal, ask: _Ask) -> bool:
        owner_id = ask.bucket.owner_id if ask.bucket is not None else self._identity.account_id
        return principal.is_owner and principal.account_id == owner_id

    async def _acl_grants(self, ask: _Ask, bucket: Bucket, key: str) -> bool:
        """The object's own ACL where it has one, else the bucket's."""
        version_id = VersionId(ask.version_id) if ask.version_id else None
        found = await self._metadata.head(bucket.name, ObjectKey(key), version_id)
        acl = bucket.acl.value
        if found is not None and found.acl is not ObjectAcl.DEFAULT:
            acl = found.acl.value
        return acl == "public-read-write" or (acl == "public-read" and ask.access is Access.READ)

    async def _existing_tags(self, ask: _Ask, bucket: Bucket, key: str) -> Mapping[str, str]:
        version_id = VersionId(ask.version_id) if ask.version_id else None
        found = await self._metadata.head(bucket.name, ObjectKey(key), version_id)
        return found.tags if found is not None else {}


def is_owners_own(principal: Principal, bucket: Bucket | None) -> bool:
    """The account at its own bucket, and no policy has a say: it may do what it likes there."""
    return (
        principal.is_owner
        and principal.grant is None
        and principal.boundary is None
        and not principal.policies
        and bucket is not None
        and principal.account_id == bucket.owner_id
        and "policy" not in bucket.documents
    )


def signed_request(request: HttpRequest) -> SignedRequest:
    """The request as signatures see it."""
    _, _, raw_query = request.target.partition("?")
    headers = request.index
    if not "".join(headers.values()).isascii():
        headers = {name: header_text(value) for name, value in headers.items()}
    return SignedRequest(
        method=request.method,
        query=tuple([(name, value) for name, value, _ in parse_query(raw_query)]) if raw_query else (),
        headers=headers,
    )


def _waste_a_verification(
    claim: Claim, signed: SignedRequest, resources: Sequence[Resource], now: datetime
) -> None:
    try:
        verify(claim, signed, resources, _NOBODYS_SECRET, now=now)
    except OssError:
        return


# --- the question -----------------------------------------------------------------------------------------------------


def _resource(ask: _Ask, owner_id: str) -> str:
    region = ask.bucket.region if ask.bucket is not None else "*"
    name = ask.bucket_name or "*"
    return f"acs:oss:{region}:{owner_id}:{name}" + (f"/{ask.key}" if ask.key is not None else "")


def _context(call: Call, ask: _Ask, now: datetime) -> dict[str, str]:
    """Only what the server itself knows of the request: no header can pose as a condition key."""
    request, query = call.request, call.query
    context = {
        "acs:sourceip": ip_of(request.remote),
        "acs:useragent": request.header("user-agent"),
        "acs:currenttime": iso(now),
        "acs:securetransport": "true" if request.secure else "false",
        "acs:mfapresent": "false",
    }
    if call.principal.access_key_id:
        context["acs:accessid"] = call.principal.access_key_id
    if call.operation.level is Level.BUCKET and ask.action.startswith("oss:List"):
        context["oss:prefix"] = query.get("prefix", "")
        context["oss:delimiter"] = query.get("delimiter", "")
    context |= {f"oss:requestobjecttag/{name}": value for name, value in _given_tags(ask.tagging).items()}
    return context


def _given_tags(tagging: str) -> Mapping[str, str]:
    """Read as they will be stored; what cannot be read is refused when it is to be stored, and is no tag here."""
    try:
        return parse_tagging(tagging)
    except OssError:
        return {}


def _tagging(call: Call) -> str:
    """The tags that the request's header gives the object: nothing where the operation does not read the header, or else a
    header that is ignored could pose as the tags that a policy asks for."""
    text = call.header("x-oss-tagging")
    if not text or not _reads_tagging(call.operation.takes):
        return ""
    copies = call.operation.header is not None
    if copies and (call.header("x-oss-tagging-directive") or "").upper() != "REPLACE":
        return ""
    return text


def _reads_tagging(shape: type[object]) -> bool:
    markers = (slot.marker for slot in plan_of(shape).headers)
    return any(isinstance(marker, Header) and marker.name == "x-oss-tagging" for marker in markers)


def ip_of(remote: str) -> str:
    """The address without a port: `[::1]:5000`, `10.0.0.1:5000`, or the bare address."""
    if remote.startswith("["):
        return remote[1 : remote.find("]")]
    return remote.rpartition(":")[0] if remote.count(":") == 1 else remote


def _stay_within(grant: Grant, call: Call, ask: _Ask) -> None:
    """What the session of an upload-request link is for; whoever made the link must be allowed it besides.

    Raises OssError ACCESS_DENIED.
    """
    if call.operation.name not in OPERATIONS:
        raise beyond(call.operation.name)
    in_folder = ask.key is not None and ask.key.startswith(grant.folder) and ask.key != grant.folder
    if ask.bucket_name != grant.bucket or not in_folder:
        raise beyond("other places than its folder")
    for name in REFUSED_HEADERS:
        if call.header(name) is not None:
            raise beyond(name)
    for name in REFUSED_QUERY:
        if name in call.query:
            raise beyond(name)


# --- refusals ---------------------------------------------------------------------------------------------------------


def _check_anonymous(call: Call, address: Address) -> None:
    if call.request.method == "GET" and any(name.startswith("response-") for name in call.query):
        raise OssError(
            INVALID_REQUEST,
            "Request specific response headers cannot be used for anonymous GET requests.",
        )
    creates = call.operation.name == "PutBucket"
    if address.bucket is not None and call.bucket_or_none is None and not creates:
        raise OssError(NO_SUCH_BUCKET, ec="0015-00000101", BucketName=address.bucket)


def _denied(decision: Decision) -> OssError:
    if decision.source is Source.SESSION:
        return OssError(ACCESS_DENIED, "Access denied by authorizer's policy.", ec=_FORBIDDEN)
    if decision.source is Source.BUCKET:
        return OssError(ACCESS_DENIED, "Access denied by bucket policy.", ec="0003-00000202")
    return OssError(ACCESS_DENIED, ec="0003-00000201")


def _refused(call: Call, ask: _Ask, *, ec: str) -> OssError:
    """Nothing allowed it; the words are OSS's for the kind of caller and operation."""
    row: ErrorRow = ACCESS_DENIED
    if call.principal.kind is PrincipalKind.ANONYMOUS:
        return OssError(row, _anonymous_message(ask), ec=ec)
    name = call.operation.name
    if name == "ListBuckets":
        return OssError(row, "You are forbidden to list buckets.", ec=ec)
    if ask.action.endswith("Acl") and ask.key is not None:
        reads = ask.action.startswith("oss:Get")
        return OssError(
            row,
            f"You do not have {'read' if reads else 'write'} acl permission on this object.",
            ec="0003-00000007" if reads else "0003-00000008",
        )
    if ask.key is None and ask.bucket is not None:
        return OssError(row, "The bucket you access does not belong to you.", ec=ec)
    if ask.access is not Access.OWNER:
        return OssError(row, "You have no right to access this object because of bucket acl.", ec=ec)
    return OssError(row, "You have no right to access this object.", ec=ec)


def _anonymous_message(ask: _Ask) -> str:
    if ask.key is None and ask.bucket is not None and ask.action.startswith("oss:List"):
        return "Anonymous user has no right to access this bucket."
    if ask.access is Access.OWNER or ask.key is None:
        return "Anonymous access is forbidden for this operation."
    return "Anonymous user has no right to access this object."
