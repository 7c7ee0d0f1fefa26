"""Upload-request links: made, listed, revoked and opened.

A link is an id and a secret of 256 random bits. Whoever shows both gets temporary credentials for a quarter of an hour, which may
put files into a folder of this visit and nothing else; showing the last token with them goes on with the same visit. Of the secret
only a hash is kept, of a visit nothing: its token carries it, sealed.

Crash: a link that was revoked is revoked; the parts of its unfinished uploads are freed in the sweeper's next round at the latest.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from mossaic.model.identity import PrincipalKind, Secret
from mossaic.model.names import object_key
from mossaic.model.upload_request import (
    DEFAULT_LIFE_S,
    MAX_BYTES,
    MAX_LIFE_S,
    MAX_LINKS,
    MAX_NOTE,
    MAX_OBJECTS,
    MAX_PREFIX,
    MAX_TITLE,
    MIN_LIFE_S,
    Creator,
    Limits,
    UploadRequest,
    hash_of,
    not_valid,
    opens,
)
from mossaic.ports import Absent, OverQuota
from mossaic.protocol.errors import (
    ACCESS_DENIED,
    INVALID_ARGUMENT,
    NO_SUCH_BUCKET,
    NO_SUCH_KEY,
    SERVICE_UNAVAILABLE,
    OssError,
)
from mossaic.quick import dataclass
from mossaic.service.identity import STS_PREFIX
from mossaic.service.sts import random_text
from mossaic.service.tally import OwnTally
from mossaic.service.token import RequestSession

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Principal
    from mossaic.ports import MetadataStore
    from mossaic.service.link_limits import LinkLimits
    from mossaic.service.tally import Tally
    from mossaic.service.token import Tokens

SESSION_S: Final = 900.0
KEPT_S: Final = 30 * 86_400.0  # how long an ended link is still listed
_BATCH: Final = 100  # uploads a step
_FAILURES: Final = 30  # of one address in a window, before it has to wait
_WINDOW: Final = timedelta(seconds=60)
_ADDRESSES: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The link that somebody asks for. `prefix`: where the visits' folders go."""

    prefix: str = ""
    title: str = ""
    note: str = ""
    limits: Limits = field(default_factory=Limits)
    life_s: int = DEFAULT_LIFE_S

    @property
    def folder(self) -> str:
        """The prefix as it is kept: empty, or a folder."""
        return self.prefix if not self.prefix or self.prefix.endswith("/") else f"{self.prefix}/"

    def check(self) -> None:
        """Raises OssError: INVALID_ARGUMENT, INVALID_OBJECT_NAME."""
        limits = self.limits
        if len(self.folder.encode("utf-8", "replace")) > MAX_PREFIX:
            raise _wrong("prefix", f"The prefix must have at most {MAX_PREFIX} bytes.")
        object_key(f"{self.folder}x")
        if len(self.title) > MAX_TITLE or len(self.note) > MAX_NOTE:
            raise _wrong("title", f"A title has at most {MAX_TITLE} characters, a note {MAX_NOTE}.")
        for name, value, most in (
            ("max_object_bytes", limits.object_bytes, MAX_BYTES),
            ("max_total_bytes", limits.total_bytes, MAX_BYTES),
            ("max_objects", limits.objects, MAX_OBJECTS),
        ):
            if not 1 <= value <= most:
                raise _wrong(name, f"{name} must be from 1 to {most}.")
        if not MIN_LIFE_S <= self.life_s <= MAX_LIFE_S:
            raise _wrong("expires_s", f"expires_s must be from {MIN_LIFE_S} to {MAX_LIFE_S}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A new link. The secret is told once."""

    request: UploadRequest
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What somebody shows to open a link; `token` is that of an earlier session of the same visit."""

    request_id: str
    secret: str = field(repr=False)
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Credentials for a visit, and the link as it is now."""

    session: RequestSession
    token: str
    request: UploadRequest


class RequestService:
    def __init__(
        self, *, metadata: MetadataStore, tokens: Tokens, limits: LinkLimits, tally: Tally | None = None
    ) -> None:
        """`tally`: how often each address failed at other processes."""
        self._metadata = metadata
        self._tokens = tokens
        self._limits = limits
        self._failures = Failures(tally=tally)

    async def create(self, caller: Principal, bucket: Bucket, wish: Wish, now: datetime) -> Made:
        """A link of the caller's, who may write there (asked before).

        Raises OssError: ACCESS_DENIED (a session of a role or of a link), INVALID_ARGUMENT, INVALID_OBJECT_NAME, NO_SUCH_BUCKET.
        """
        wish.check()
        secret = Secret(secrets.token_urlsafe(32))
        request = UploadRequest(
            request_id=random_text(16),
            secret_hash=hash_of(secret.reveal()),
            bucket=bucket.name,
            prefix=wish.folder,
            title=wish.title.strip(),
            note=wish.note.strip(),
            creator=_creator(caller),
            limits=wish.limits,
            created_at=now,
            expires_at=(now + timedelta(seconds=wish.life_s)).replace(microsecond=0),
        )
        try:
            await self._metadata.add_request(request)
        except OverQuota:
            message = f"The bucket has {MAX_LINKS} upload-request links, which is as many as it may have."
            raise OssError(INVALID_ARGUMENT, message, ArgumentName="bucket") from None
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None
        return Made(request=request, secret=secret)

    async def of_bucket(self, bucket: Bucket) -> Sequence[UploadRequest]:
        """Newest first, ended ones among them. Raises OssError NO_SUCH_BUCKET."""
        try:
            return await self._metadata.upload_requests(bucket.name)
        except Absent:
            raise OssError(NO_SUCH_BUCKET, BucketName=bucket.name) from None

    async def find(self, request_id: str) -> UploadRequest:
        """Raises OssError NO_SUCH_KEY."""
        found = await self._metadata.upload_request(request_id)
        if found is None:
            raise OssError(NO_SUCH_KEY, "There is no such upload-request link.", Key=request_id[:64])
        return found

    async def revoke(self, request_id: str, now: datetime) -> UploadRequest:
        """End the link at once, also for bodies in flight, and free what it had not finished. Raises OssError NO_SUCH_KEY."""
        await self.find(request_id)
        try:
            await self._metadata.revoke_request(request_id, now)
        except Absent:
            raise OssError(NO_SUCH_KEY, "There is no such upload-request link.", Key=request_id) from None
        self._limits.end(request_id)
        await abort_ended(self._metadata, now)
        return await self.find(request_id)

    async def open(self, key: Key, address: str, now: datetime) -> Opened:
        """Credentials for whoever shows the link. `address` is the caller's: one that guesses has to wait.

        Raises OssError: ACCESS_DENIED, the same for every reason; SERVICE_UNAVAILABLE (too many failures of this address).
        """
        self._failures.check(address, now)
        request = await self._metadata.upload_request(key.request_id)
        if not opens(request, key.secret, now) or request is None or not await self._has_creator(request):
            self._failures.add(address, now)
            raise not_valid()
        session = await self._session(request, key.token, now)
        return Opened(session=session, token=await self._tokens.seal(session), request=request)

    async def _has_creator(self, request: UploadRequest) -> bool:
        creator = request.creator
        if creator.user is None:
            return True
        user = await self._metadata.user(creator.user)
        return user is not None and user.user_id == creator.id

    async def _session(self, request: UploadRequest, token: str | None, now: datetime) -> RequestSession:
        visit = random_text(16)
        # Told apart by time and chance, so that visits neither meet nor learn of each other's files.
        folder = f"{request.prefix}{now:%Y%m%d-%H%M}-{visit[:8].lower()}/"
        earlier = await self._tokens.open(token) if token else None
        if isinstance(earlier, RequestSession) and earlier.request_id == request.request_id:
            visit, folder = earlier.visit, earlier.folder
        return RequestSession(
            access_key_id=STS_PREFIX + random_text(25),
            secret=Secret(random_text(44)),
            request_id=request.request_id,
            visit=visit,
            folder=folder,
            expires_at=min((now + timedelta(seconds=SESSION_S)).replace(microsecond=0), request.expires_at),
        )


async def abort_ended(metadata: MetadataStore, now: datetime) -> int:
    """Abort the unfinished uploads of links that have ended; how many."""
    aborted = 0
    while found := await metadata.uploads_of_ended(now, _BATCH):
        for upload in found:
            try:
                await metadata.abort(upload.bucket, upload.key, upload.upload_id)
            except Absent:
                continue  # somebody else was faster
            aborted += 1
    return aborted


class Failures:
    """How often each address failed lately. In memory: after a restart everybody begins anew."""

    def __init__(
        self, *, allowed: int = _FAILURES, addresses: int = _ADDRESSES, tally: Tally | None = None
    ) -> None:
        self._allowed = allowed
        self._addresses = addresses
        self._tally = tally or OwnTally()
        self._seen: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    def check(self, address: str, now: datetime) -> None:
        """Raises OssError SERVICE_UNAVAILABLE."""
        since, count = self._seen.get(address, (now, 0))
        if now >= since + _WINDOW:
            count = 0
        if count + self._tally.others(address, (now - _WINDOW).timestamp()) >= self._allowed:
            message = "Too many upload-request links were tried. Try again in a minute."
            raise OssError(SERVICE_UNAVAILABLE, message, headers={"Retry-After": "60"})

    def add(self, address: str, now: datetime) -> None:
        since, count = self._seen.pop(address, (now, 0))
        if now >= since + _WINDOW:
            since, count = now, 0
        self._seen[address] = (since, count + 1)
        self._tally.put(address, count + 1, since.timestamp())
        while len(self._seen) > self._addresses:
            self._seen.popitem(last=False)


def _creator(caller: Principal) -> Creator:
    """A link outlives any session, so only who has a key of their own may make one."""
    if caller.expires_at is not None and caller.sign_in is None:
        message = "An upload-request link is made with an access key; a session of a role cannot make one."
        raise OssError(ACCESS_DENIED, message, ec="0003-00000001")
    return Creator(
        id=caller.principal_id,
        user=caller.name if caller.kind is PrincipalKind.USER else None,
        key_id=caller.sign_in.access_key_id if caller.sign_in else caller.access_key_id,
    )


def _wrong(name: str, message: str) -> OssError:
    return OssError(INVALID_ARGUMENT, message, ArgumentName=name)
