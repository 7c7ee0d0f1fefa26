"""Objects: put, append, copy, get, head, delete."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final, Literal, cast

from mossaic.client.calls.base import Calls
from mossaic.client.content import Content
from mossaic.client.errors import (
    ChecksumMismatch,
    FileAlreadyExists,
    InvalidCRC64,
    NoSuchBucket,
    NoSuchKey,
    NoSuchVersion,
    PositionNotEqualToLength,
    ServerError,
)
from mossaic.client.object_options import ObjectOptions, further_headers, object_fields, traffic_headers
from mossaic.client.read_options import Conditions, condition_fields, range_text, response_query
from mossaic.client.reading import GetResult
from mossaic.client.results import (
    AppendResult,
    CopyResult,
    DeleteManyResult,
    DeleteResult,
    ObjectInfo,
    ObjectMeta,
    PutResult,
    Undeleted,
    object_info,
)
from mossaic.protocol.addressing import copy_source
from mossaic.protocol.limits import MAX_DELETE_KEYS
from mossaic.protocol.operations import object as ops
from mossaic.protocol.operations.listing import CommonPrefix, MarkerEntry, ObjectEntry, VersionEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Unpack

    from mossaic.client.exchange import Ask
    from mossaic.client.object_options import CopyOptions, WriteOptions
    from mossaic.client.read_options import Range, ReadOptions
    from mossaic.client.upload.source import SourceLike

# A key, a key with a version id, or an entry of a listing.
Deletable = str | tuple[str, str | None] | ObjectEntry | VersionEntry | MarkerEntry | CommonPrefix
Replaces = Literal["auto"] | bool
_CONDITIONS: Final = frozenset(Conditions.__annotations__)


class Objects(Calls):
    """The object calls."""

    # --- writing ------------------------------------------------------------------------------------------------------

    def put(
        self, name: str, data: SourceLike, *, bucket: str | None = None, **options: Unpack[WriteOptions]
    ) -> PutResult:
        """Store `data` as the object `name` in one request, at most 5 GiB; an object of that name is replaced.

        `data`: bytes, a path (as text, too), a binary file from where it stands, or an iterable of bytes, which is sent as it comes.
        `options`: those of `ObjectOptions` (headers, meta, mime, tags, storage_class, acl, forbid_overwrite, callback,
        server_side_encryption, traffic_limit, persistent). A stream of which more than 1 MiB is gone is not sent again. The CRC-64 of
        what was sent is compared with the server's; bytes take theirs along, so that nothing else can be stored.

        Raises ChecksumMismatch, SourceChanged, FileAlreadyExists, EntityTooLarge, CallbackFailed (the object is stored), NoSuchBucket,
        AccessDenied and what every call raises; OSError, TypeError, ValueError for a source or an option that cannot be.
        """
        given = ObjectOptions(**options)
        asked = ops.PutObject(**self._at(name, bucket), **object_fields(given, name))
        with self._content(data) as content:
            try:
                reply = self._session.do(
                    ops.PUT_OBJECT, asked, self._sending(content, further_headers(given))
                )
            except InvalidCRC64 as error:
                raise ChecksumMismatch(str(error)) from error
            except FileAlreadyExists as error:
                return self._put_before(asked, content, error)
            content.compare(reply.value.crc64, reply.value.content_md5)
        return PutResult(
            bucket=asked.bucket,
            name=name,
            size=content.sums.size,
            etag=reply.value.etag,
            crc64=reply.value.crc64,
            version_id=reply.value.version_id,
            callback=reply.value.callback_answer if asked.callback is not None else None,
            request_id=reply.request_id,
        )

    def _put_before(self, asked: ops.PutObject, content: Content, error: FileAlreadyExists) -> PutResult:
        """An attempt whose answer was lost may have made the object that now forbids itself. Raises `error` if it did not."""
        if error.attempts == 1 or not content.was_sent:
            raise error
        found = self.head(asked.key, bucket=asked.bucket)
        if found.crc64 is None or (found.size, found.crc64) != content.sums[:2]:
            raise error
        return PutResult(
            bucket=asked.bucket,
            name=asked.key,
            size=found.size,
            etag=found.etag,
            crc64=found.crc64,
            version_id=found.version_id,
            request_id=found.request_id,
        )

    def append(
        self,
        name: str,
        data: SourceLike,
        position: int | None = None,
        *,
        bucket: str | None = None,
        **options: Unpack[WriteOptions],
    ) -> AppendResult:
        """Add `data` at the end of the object `name`, which is made if it is not there. `data` and `options` as in `put`; the
        options count when the object is made.

        `position`: the object's size so far; None asks for it first. With None or 0 the CRC-64 of the whole object is checked. When an
        answer was lost, the object's end is read back to learn whether the bytes had arrived.

        Raises PositionNotEqualToLength (somebody else appended), ObjectNotAppendable, ChecksumMismatch, NoSuchBucket, AccessDenied and
        what every call raises; OSError, TypeError, ValueError as in `put`.
        """
        given = ObjectOptions(**options)
        place = self._at(name, bucket)
        before = 0 if position == 0 else None
        if position is None:
            position, before = self._end_of(name, place["bucket"])
        asked = ops.AppendObject(**place, **object_fields(given, name), position=str(position))
        with self._content(data) as content:
            try:
                reply = self._session.do(
                    ops.APPEND_OBJECT, asked, self._sending(content, further_headers(given), told=False)
                )
            except PositionNotEqualToLength as error:
                return self._appended_before(asked, content, error)
            if before is not None:
                content.compare_whole(reply.value.crc64, before)
        return AppendResult(
            bucket=asked.bucket,
            name=name,
            position=reply.value.next_append_position,
            etag=reply.value.etag,
            crc64=reply.value.crc64,
            version_id=reply.value.version_id,
            request_id=reply.request_id,
        )

    def _end_of(self, name: str, bucket: str) -> tuple[int, int | None]:
        """Size and CRC-64 of an object; nothing of one that is not there."""
        try:
            found = self.get_meta(name, bucket=bucket)
        except NoSuchKey:
            return 0, 0
        return found.size, found.crc64

    def _appended_before(
        self, asked: ops.AppendObject, content: Content, error: PositionNotEqualToLength
    ) -> AppendResult:
        """An attempt whose answer was lost may have appended. Raises `error` if it did not."""
        if error.attempts == 1 or not content.was_sent or not content.sums.size:
            raise error
        start = int(asked.position or "0")
        stop = start + content.sums.size
        try:
            with self.get(asked.key, range=(start, stop), bucket=asked.bucket) as tail:
                arrived = tail.info.size == stop and content.equals(tail)
        except ServerError:
            raise error from None
        if not arrived:
            raise error
        return AppendResult(
            bucket=asked.bucket,
            name=asked.key,
            position=stop,
            etag=tail.info.etag,
            crc64=tail.info.crc64,
            version_id=tail.info.version_id,
            request_id=tail.info.request_id,
        )

    def copy(  # noqa: PLR0913  # a call's options are keywords
        self,
        source: str,
        name: str,
        *,
        source_bucket: str | None = None,
        source_version_id: str | None = None,
        replace: Replaces = "auto",
        bucket: str | None = None,
        **options: Unpack[CopyOptions],
    ) -> CopyResult:
        """Copy the object `source` of `source_bucket` (else of `bucket`) to `name`; no byte comes here.

        `options`: those of `ObjectOptions`, and `if_match`, `if_none_match`, `if_modified_since`, `if_unmodified_since` on the source.
        `replace`: whether headers and meta are those given here instead of the source's; "auto" does so when any of headers, meta,
        mime or persistent is given. Tags are replaced when tags are given.

        Raises NoSuchKey, NoSuchVersion, PreconditionFailed, NotModified, FileAlreadyExists, NoSuchBucket, AccessDenied and what every call
        raises; ValueError for an option that cannot be.
        """
        if not source:
            raise ValueError("the name of the source must not be empty")
        given = ObjectOptions(
            **cast("WriteOptions", {k: v for k, v in options.items() if k not in _CONDITIONS})
        )
        if replace == "auto":
            replace = bool(given.headers or given.meta or given.mime or given.persistent)
        place = self._at(name, bucket)
        asked = ops.CopyObject(
            **place,
            **object_fields(given, name if replace else None),
            **condition_fields(options),
            copy_source=copy_source(source_bucket or place["bucket"], source, source_version_id),
            metadata_directive="REPLACE" if replace else "COPY",
            tagging_directive="REPLACE" if given.tags else None,
        )
        reply = self._do(ops.COPY_OBJECT, asked, headers=further_headers(given))
        return CopyResult(
            bucket=asked.bucket,
            name=name,
            etag=reply.value.etag,
            modified_at=reply.value.last_modified,
            crc64=reply.value.crc64,
            version_id=reply.value.version_id,
            source_version_id=reply.value.source_version_id,
            request_id=reply.request_id,
        )

    def rename(
        self, name: str, new_name: str, *, forbid_overwrite: bool | None = None, bucket: str | None = None
    ) -> CopyResult:
        """Copy and then delete: NOT atomic. For a moment both names are there, and they stay if the delete fails; what is written to `name`
        in between is lost. The ACL is not taken along, and at most 5 GiB can be copied.

        Raises NoSuchKey, FileAlreadyExists (with `forbid_overwrite`) and what `copy` and `delete` raise; ValueError for the same name.
        """
        if name == new_name:
            raise ValueError("the new name is the old one")
        copied = self.copy(name, new_name, bucket=bucket, forbid_overwrite=forbid_overwrite)
        self.delete(name, bucket=bucket)
        return copied

    # --- reading ------------------------------------------------------------------------------------------------------

    def get(
        self,
        name: str,
        *,
        range: Range | None = None,  # noqa: A002  # the word of the protocol
        version_id: str | None = None,
        bucket: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> GetResult:
        """Open an object to read it; use `with`. `range`: (start, stop), half open; (start, None) to the end; (-n, None) the last n bytes.

        `options`: `if_match`, `if_none_match` (an ETag), `if_modified_since`, `if_unmodified_since` (aware times), `response`
        (headers to be answered with), `process`, `traffic_limit` (bit/s). A broken connection is continued, and the CRC-64 of
        a whole object is checked: see `GetResult`.

        Raises NoSuchKey, NoSuchVersion, InvalidRange, NotModified, PreconditionFailed, InvalidObjectState (archived), NoSuchBucket, AccessDenied
        and what every call raises; ValueError for an option that cannot be.
        """
        query = response_query(options.get("response") or {})
        process = options.get("process")
        if process is not None:
            query["x-oss-process"] = process
        asked = ops.GetObject(
            **self._at(name, bucket),
            **condition_fields(options),
            version_id=version_id,
            range=None if range is None else range_text(range),
            range_behavior=None if range is None else "standard",
        )
        ask = self._asking(headers=traffic_headers(options.get("traffic_limit")), query=query)
        return GetResult(self._session, asked, ask, verify=self._checksum != "none")

    def get_bytes(
        self,
        name: str,
        *,
        range: Range | None = None,  # noqa: A002  # the word of the protocol
        version_id: str | None = None,
        bucket: str | None = None,
        **options: Unpack[ReadOptions],
    ) -> bytes:
        """The object's bytes, or those of `range`, in memory. Options as in `get`; raises as `get` and `GetResult.read`."""
        with self.get(name, range=range, version_id=version_id, bucket=bucket, **options) as opened:
            return opened.read()

    def head(
        self,
        name: str,
        *,
        version_id: str | None = None,
        bucket: str | None = None,
        **conditions: Unpack[Conditions],
    ) -> ObjectInfo:
        """What is known of an object. `conditions` as in `get`.

        Raises NoSuchKey, NoSuchVersion, NotModified, PreconditionFailed, NoSuchBucket, AccessDenied and what every call raises.
        """
        asked = ops.HeadObject(
            **self._at(name, bucket), **condition_fields(conditions), version_id=version_id
        )
        reply = self._do(ops.HEAD_OBJECT, asked)
        size = reply.value.content_length
        return object_info(reply.value, bucket=asked.bucket, name=name, size=size, headers=reply.headers)

    def get_meta(self, name: str, *, version_id: str | None = None, bucket: str | None = None) -> ObjectMeta:
        """Size, ETag and time: cheaper than `head`; of a symbolic link, the link's own. Raises NoSuchKey, NoSuchVersion, NoSuchBucket,
        AccessDenied and what every call raises."""
        asked = ops.GetObjectMeta(**self._at(name, bucket), version_id=version_id)
        reply = self._do(ops.GET_OBJECT_META, asked)
        return ObjectMeta(
            bucket=asked.bucket,
            name=name,
            size=reply.value.content_length or 0,
            etag=reply.value.etag,
            modified_at=reply.value.last_modified,
            crc64=reply.value.crc64,
            version_id=reply.value.version_id,
            request_id=reply.request_id,
        )

    def exists(self, name: str, *, version_id: str | None = None, bucket: str | None = None) -> bool:
        """Whether there is such an object. Raises NoSuchBucket, AccessDenied and what every call raises."""
        try:
            self.get_meta(name, version_id=version_id, bucket=bucket)
        except (NoSuchKey, NoSuchVersion):
            return False
        return True

    # --- deleting -----------------------------------------------------------------------------------------------------

    def delete(self, name: str, *, version_id: str | None = None, bucket: str | None = None) -> DeleteResult:
        """Delete an object, or one version for good; an object that is not there is no error. In a bucket with versions a delete marker is made.

        Raises NoSuchBucket, AccessDenied and what every call raises.
        """
        asked = ops.DeleteObject(**self._at(name, bucket), version_id=version_id)
        reply = self._do(ops.DELETE_OBJECT, asked)
        return DeleteResult(
            version_id=reply.value.version_id,
            delete_marker=bool(reply.value.delete_marker),
            request_id=reply.request_id,
        )

    def delete_many(
        self, names: Iterable[Deletable], *, quiet: bool = True, bucket: str | None = None
    ) -> DeleteManyResult:
        """Delete any number of objects, a thousand a request. `names`: keys, (key, version id) pairs, or entries of a listing; versions and
        delete markers of `list_versions` are deleted for good.

        `quiet`: the server does not name what it deleted; otherwise the delete markers it made are in the result. A request that is
        refused makes failures of its names, and the next are tried all the same.

        Raises NoSuchBucket, NetworkError and what every call raises but refusals; TypeError, ValueError for a name that cannot be.
        """
        if isinstance(names, str):
            raise TypeError("delete_many takes several names; for one there is delete")
        where, rest = self._in(bucket), map(_to_delete, names)
        deleted: list[ops.DeletedObject] = []
        failures: list[Undeleted] = []
        while page := tuple(islice(rest, MAX_DELETE_KEYS)):
            asked = ops.DeleteMultipleObjects(bucket=where, quiet=quiet, objects=page, encoding_type="url")
            try:
                answer = self._send(ops.DELETE_MULTIPLE_OBJECTS, asked).value
            except NoSuchBucket:
                raise
            except ServerError as error:
                failures += [_undeleted(each, error) for each in page]
                continue
            if quiet:
                deleted += [
                    ops.DeletedObject(key=each.key or "", version_id=each.version_id) for each in page
                ]
            else:
                deleted += answer.deleted
                failures += _missing(page, answer.deleted)
        return DeleteManyResult(deleted=tuple(deleted), failures=tuple(failures))

    # --- shared -------------------------------------------------------------------------------------------------------

    def _content(self, data: SourceLike) -> Content:
        return Content(data, checksum=self._checksum, throttle=self._throttle, scope=self._ask.scope)

    def _sending(self, content: Content, headers: dict[str, str], *, told: bool = True) -> Ask:
        """`told`: take the checksum along where it is known beforehand."""
        asking = self._asking(body=content.body, headers=headers | (content.headers() if told else {}))
        return content.guarded(asking)


def _to_delete(each: Deletable) -> ops.ObjectToDelete:
    match each:
        case str():
            key, version = each, None
        case VersionEntry() | MarkerEntry():
            key, version = each.key, each.version_id
        case ObjectEntry():
            key, version = each.key, None
        case CommonPrefix():
            raise ValueError(f"{each.prefix} is a prefix, which cannot be deleted; list without a delimiter")
        case (key, version):
            pass
    if not key:
        raise ValueError("the name of an object must not be empty")
    return ops.ObjectToDelete(key=key, version_id=version)


def _undeleted(each: ops.ObjectToDelete, error: ServerError) -> Undeleted:
    return Undeleted(name=each.key or "", version_id=each.version_id, error=error)


def _missing(
    asked: tuple[ops.ObjectToDelete, ...], deleted: tuple[ops.DeletedObject, ...]
) -> list[Undeleted]:
    done = {(each.key, each.version_id) for each in deleted}
    error = ServerError(
        code="NotDeleted",
        status=200,
        message="the service did not name it among the deleted",
        operation=ops.DELETE_MULTIPLE_OBJECTS.name,
    )
    return [_undeleted(each, error) for each in asked if (each.key, each.version_id) not in done]
