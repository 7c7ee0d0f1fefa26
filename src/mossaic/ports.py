"""What Mossaic asks of the world: a metadata store, a blob store, a clock, a callback sender; and the body of a request.

Stores raise only the errors below; services turn them into OSS's words.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from mossaic.model.bucket import Bucket, BucketTotals
    from mossaic.model.identity import AccessKey, NamedPolicy, Role, User
    from mossaic.model.names import BlobId, BucketName, ObjectKey, UploadId, VersionId
    from mossaic.model.object import Blob, ObjectAcl, ObjectPage, ObjectVersion, StorageClass, VersionPage
    from mossaic.model.page import ListQuery, Page
    from mossaic.model.upload import Completed, Part, PartColumns, PartPage, Upload, UploadPage
    from mossaic.model.upload_request import Reason, UploadRequest

T = TypeVar("T")


class StoreError(Exception):
    """Base of what a store may raise."""


class Conflict(StoreError):
    """The state is not the one the step needs: it exists already, is not empty, or changed meanwhile."""


class Absent(StoreError):
    """What the step names is not there (any more)."""


class Busy(StoreError):
    """The store cannot take the step now; trying again later may work (answered 503)."""


class Full(Busy):
    """There is no room for the step, and nothing of it happened; there may be room later."""


class Damaged(StoreError):
    """Stored bytes are missing or are not the bytes that were written."""


class LinkRefused(StoreError):
    """The upload-request link that the step goes through does not allow it, at this moment."""

    def __init__(self, reason: Reason, request: UploadRequest) -> None:
        super().__init__(f"link {request.request_id}: {reason.name}")
        self.reason = reason
        self.request = request


# --- the body of a request -------------------------------------------------------------------------------------------


class BodyReader(Protocol):
    """Blocking; lives in the worker thread that `Body.consume` runs, and only as long as it."""

    def readinto(self, buffer: memoryview) -> int:
        """Fill the beginning of `buffer`; the number of bytes, 0 at the end of the body.

        Raises OssError: REQUEST_TIMEOUT (idle too long), INCOMPLETE_BODY (the client went away), MALFORMED framing.
        """
        ...


class Body(Protocol):
    """A request's body, not yet read. Exactly one of `read` and `consume` may be called, once."""

    @property
    def length(self) -> int | None:
        """Content-Length in bytes; None for a chunked body."""
        ...

    async def read(self, limit: int) -> bytes:
        """The whole body, at most `limit` bytes. Raises OssError ENTITY_TOO_LARGE before holding more than that."""
        ...

    async def consume(self, work: Callable[[BodyReader], T]) -> T:
        """Run `work` in a worker thread that reads the body itself, straight from the connection where possible."""
        ...


# --- blobs ------------------------------------------------------------------------------------------------------------


class FilePiece(NamedTuple):
    """Bytes of an open file, fit for sendfile; the descriptor is valid until the next piece is asked for."""

    fileno: int
    offset: int
    length: int


class BlobSink(Protocol):
    """A blob being written. Blocking; driven from one thread."""

    def write(self, data: memoryview) -> None: ...

    def commit(self) -> None:
        """Durable on return (file and directory entry synced). Only then may metadata name the blob."""
        ...

    def discard(self) -> None:
        """Give up: nothing stays. Allowed at any time before commit returned; never raises."""
        ...


class BlobSource(Protocol):
    """A blob opened for reading. Blocking."""

    def fileno(self) -> int | None:
        """A descriptor for sendfile, or None where the blob is not a local file."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes. Raises Damaged when the blob is shorter."""
        ...


class BlobStore(Protocol):
    """Immutable bytes under ids that we choose: written once, read in ranges, deleted. All calls block."""

    def create(self, blob_id: BlobId, length: int | None) -> BlobSink:
        """A new blob; `length` is the number of bytes that will come, when it is known (space is reserved)."""
        ...

    def open(self, blob_id: BlobId) -> AbstractContextManager[BlobSource]:
        """Raises Damaged when there is no such blob (metadata names only committed ones)."""
        ...

    def delete(self, blob_ids: Sequence[BlobId]) -> None:
        """Idempotent."""
        ...

    def list(self, *, before: datetime) -> Iterator[tuple[BlobId, int]]:
        """Ids and sizes (bytes) of all blobs last written before that time, unfinished ones included."""
        ...

    def probe(self) -> None:
        """Write, sync, read and delete a few bytes. Raises StoreError or OSError."""
        ...


# --- metadata ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What a write of an object version did: its version id (None in a bucket that never had versioning)."""

    version: ObjectVersion
    version_id: VersionId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a delete did. `version_id`: the marker that was made, or the version that was removed (None: unversioned)."""

    version_id: VersionId | None = None
    delete_marker: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """A new object version to publish. `new_blobs` are blobs written for it just now; blobs that `version.manifest`
    names beside them belong to other objects and are shared, provided they are still alive. `request_id`: it comes through
    that upload-request link, whose limits count in the same step, and which never replaces anything."""

    version: ObjectVersion
    new_blobs: tuple[Blob, ...] = ()
    forbid_overwrite: bool = False
    request_id: str | None = None


class Buckets(Protocol):
    async def create_bucket(self, bucket: Bucket, *, quota: int) -> None:
        """Raises Conflict (the name is taken), Busy never; OSS's quota is `quota` buckets: more raise OverQuota."""
        ...

    async def bucket(self, name: BucketName) -> Bucket | None: ...

    async def buckets(self, *, prefix: str, after: str, limit: int) -> Page[Bucket]: ...

    async def change_bucket(self, bucket: Bucket) -> Bucket:
        """Replace settings and documents; `bucket.revision` is the one it was read at. Raises Absent, Conflict."""
        ...

    async def delete_bucket(self, name: BucketName) -> None:
        """Raises Absent; Conflict while it holds a version, a delete marker or an open upload."""
        ...

    async def bucket_totals(self, name: BucketName) -> BucketTotals: ...


class OverQuota(Conflict):
    """The account has as many buckets as it may have."""


class Objects(Protocol):
    async def head(
        self, bucket: BucketName, key: ObjectKey, version_id: VersionId | None = None
    ) -> ObjectVersion | None:
        """The current version (which may be a delete marker) or the named one."""
        ...

    async def put_object(self, commit: Commit) -> Stored:
        """Publish in one transaction: version row, shared blobs' references, retirement of a replaced version.

        The bucket's versioning at that moment decides whether a version is added or replaced; the store makes the version id.
        Raises Absent (no such bucket), Conflict (forbid_overwrite and a live object exists; ignored when versioning
        was ever set), Damaged (a shared blob is gone: read the source again), LinkRefused.
        """
        ...

    async def append_object(self, commit: Commit, *, position: int, etag: str | None = None) -> Stored:
        """Replace the current appendable version (or none, at 0) of size `position` by one with `commit.version`'s manifest.

        `etag` is that of the version the manifest was made from: another one of the same size is not extended.
        Raises Absent (bucket), Conflict (another size or ETag meanwhile, or not appendable).
        """
        ...

    async def delete_object(
        self, bucket: BucketName, key: ObjectKey, version_id: VersionId | None, now: datetime
    ) -> Deleted:
        """Raises Absent (bucket). A missing key or version is not an error."""
        ...

    async def delete_objects(
        self, bucket: BucketName, keys: Sequence[tuple[ObjectKey, VersionId | None]], now: datetime
    ) -> list[Deleted]:
        """All of them in one transaction, in order."""
        ...

    async def change_object(
        self,
        bucket: BucketName,
        key: ObjectKey,
        version_id: VersionId | None,
        *,
        acl: ObjectAcl | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> ObjectVersion:
        """Change ACL or tags in place (Last-Modified stays). Raises Absent; Conflict for a delete marker."""
        ...

    async def delete_unchanged(self, version: ObjectVersion, *, remove: bool, now: datetime) -> bool:
        """As `delete_object`, provided that `version` still stands as it was listed (id, ETag, time, latest or not). False: it does not, nothing is done.
        `remove`: take this version away; else delete the key as a client would, which needs the latest version."""
        ...

    async def relabel_unchanged(self, version: ObjectVersion, storage_class: StorageClass) -> bool:
        """Give the version another storage class, on the same condition; Last-Modified stays."""
        ...

    async def object_changes(self) -> int:
        """Another number after every commit that changes what lists of current objects show."""
        ...

    async def list_objects(self, query: ListQuery) -> ObjectPage:
        """Current, not deleted versions by key."""
        ...

    async def list_versions(self, query: ListQuery) -> Page[ObjectVersion]:
        """All versions and markers: keys ascending, newest first; `after_id` is the version id to go on after."""
        ...

    async def show_versions(self, query: ListQuery) -> VersionPage:
        """As `list_versions`, but only what a listing shows."""
        ...


class Uploads(Protocol):
    async def create_upload(self, upload: Upload) -> None:
        """Raises Absent (bucket), Conflict (forbid_overwrite and a live object exists), LinkRefused."""
        ...

    async def upload(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> Upload | None:
        """The open upload; None when there is none of that id for that key."""
        ...

    async def put_part(self, upload_id: UploadId, part: Part, new_blobs: tuple[Blob, ...]) -> None:
        """Store the part; one of that number is replaced and its blobs are freed in the same step.

        Raises Absent (the upload is not open any more), Conflict (sequential upload: not the next number, or present),
        Damaged (a shared blob is gone), LinkRefused (as of `part.stored_at`).
        """
        ...

    async def part(self, upload_id: UploadId, number: int) -> Part | None: ...

    async def parts(self, upload_id: UploadId, *, after: int, limit: int) -> PartPage:
        """By number, those above `after`."""
        ...

    async def all_parts(self, upload_id: UploadId) -> Sequence[Part]: ...

    async def complete(
        self, upload: Upload, decide: Callable[[PartColumns], tuple[Commit, Completed]]
    ) -> Stored:
        """One transaction: the upload is open; `decide` says what its parts become; publish that version, free unlisted
        parts, close the upload, keep the receipt.

        `decide` is a pure function, perhaps called in another thread and more than once; what it raises is raised here.
        Raises Absent (not open any more), Conflict (forbid_overwrite), Busy (the version names bytes that are not of the
        parts), LinkRefused. A part of an upload that belongs to a link counts against the link until the upload is closed.
        """
        ...

    async def receipt(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> Completed | None: ...

    async def abort(self, bucket: BucketName, key: ObjectKey, upload_id: UploadId) -> None:
        """Close the upload and free its parts. Raises Absent."""
        ...

    async def list_uploads(self, query: ListQuery) -> Page[Upload]:
        """By key, then upload id. `show_uploads` gives the same page, but only what a listing shows."""
        ...

    async def show_uploads(self, query: ListQuery) -> UploadPage: ...


class UploadRequests(Protocol):
    """Upload-request links. An ended one stays for a while, so that its owner can see what became of it."""

    async def add_request(self, request: UploadRequest) -> None:
        """Raises Absent (bucket), OverQuota (the bucket has as many links as it may have)."""
        ...

    async def upload_request(self, request_id: str) -> UploadRequest | None:
        """None also when its bucket is gone."""
        ...

    async def upload_requests(self, bucket: BucketName) -> Sequence[UploadRequest]:
        """Newest first."""
        ...

    async def revoke_request(self, request_id: str, now: datetime) -> UploadRequest:
        """End it; one that has ended stays as it is. Raises Absent."""
        ...

    async def part_sizes(self, upload_id: UploadId, number: int) -> tuple[int, int]:
        """Bytes of the upload's other parts, and of the part of that number."""
        ...

    async def uploads_of_ended(self, now: datetime, limit: int) -> Sequence[Upload]:
        """Open uploads of links that have ended: they can only be aborted."""
        ...

    async def forget_requests(self, before: datetime) -> int:
        """Drop links that ended before that time and have no open upload."""
        ...


class Identities(Protocol):
    async def access_key(self, access_key_id: str) -> AccessKey | None: ...
    async def access_keys(self, user: str | None) -> Sequence[AccessKey]: ...
    async def put_access_key(self, key: AccessKey) -> None: ...
    async def delete_access_key(self, access_key_id: str) -> None: ...
    async def user(self, name: str) -> User | None: ...
    async def users(self) -> Sequence[User]: ...
    async def put_user(self, user: User) -> None: ...
    async def delete_user(self, name: str) -> None: ...
    async def role(self, name: str) -> Role | None: ...
    async def roles(self) -> Sequence[Role]: ...
    async def put_role(self, role: Role) -> None: ...
    async def delete_role(self, name: str) -> None: ...
    async def policy(self, name: str) -> NamedPolicy | None: ...
    async def policies(self) -> Sequence[NamedPolicy]: ...
    async def put_policy(self, policy: NamedPolicy) -> None: ...
    async def delete_policy(self, name: str) -> None: ...
    async def setting(self, name: str) -> str | None:
        """A value of the installation itself (account id, token keys, callback key)."""
        ...

    async def put_setting(self, name: str, value: str) -> str:
        """Set once: the value that holds afterwards (an earlier one wins)."""
        ...


class Housekeeping(Protocol):
    async def garbage(self, *, now: datetime, limit: int) -> Sequence[BlobId]:
        """Blobs proven unreferenced whose time to go has come: at once for bytes that were never part of an object,
        after the reader grace for bytes that were."""
        ...

    async def garbage_waits(self, timeout_s: float) -> bool:
        """Wait until a step made garbage that may go at once (abort, replaced part); False after the timeout.

        Only a hint to look at `garbage` early: steps of other processes are not noticed. One waiter at a time.
        """
        ...

    async def forget(self, blob_ids: Sequence[BlobId]) -> None:
        """The bytes are gone; drop the rows, unless one is referenced again (Conflict)."""
        ...

    async def unknown(self, blob_ids: Sequence[BlobId]) -> Sequence[BlobId]:
        """Those of which the store knows nothing: orphans of a crash."""
        ...

    async def known_blobs(self, blob_ids: Sequence[BlobId]) -> Sequence[Blob]:
        """Those that are known, in the order asked."""
        ...

    async def blobs(self, *, after: str, limit: int) -> Sequence[tuple[Blob, int]]:
        """Every known blob with its number of references, by id (fsck)."""
        ...

    async def forget_receipts(self, before: datetime) -> int: ...
    async def forget_leases(self, now: datetime) -> None: ...
    async def uploads_before(self, bucket: BucketName, before: datetime, limit: int) -> Sequence[Upload]: ...
    async def lease(self, name: str, holder: str, *, now: datetime, seconds: float) -> bool:
        """Take or renew; False while somebody else holds it."""
        ...

    async def check(self) -> Sequence[str]:
        """Internal consistency (references counted again, engine's own check): problems, in words."""
        ...

    async def probe(self) -> None: ...


class IdentityStore(Identities, UploadRequests, Protocol):
    """Everything that credentials come from."""


class MetadataStore(Buckets, Objects, Uploads, UploadRequests, Identities, Housekeeping, Protocol):
    """Each method is one atomic, durable step: when it returns it happened, when it raises nothing did."""

    async def close(self) -> None: ...


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware UTC."""
        ...


# --- callbacks --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRequest:
    """One POST to a callback receiver. `address` is the IP address that was resolved and checked: that one is connected to."""

    url: str
    address: str
    port: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    timeout_s: float
    server_name: str | None = None  # TLS server name; None for plain http


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackReply:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""


class CallbackSender(Protocol):
    async def resolve(self, host: str, port: int) -> Sequence[str]:
        """IP addresses of a host. Raises OSError."""
        ...

    async def send(self, request: CallbackRequest, *, max_body: int) -> CallbackReply:
        """Raises TimeoutError, OSError, ValueError (not HTTP, or a body that is too long or has no length)."""
        ...
