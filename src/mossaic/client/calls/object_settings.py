"""What hangs on an object: its ACL, its tags, symbolic links, restoring."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from mossaic.client.calls.base import Calls
from mossaic.client.http import BytesBody
from mossaic.client.object_options import ObjectOptions, further_headers, object_fields
from mossaic.client.results import AclInfo, RestoreResult, SymlinkInfo, SymlinkResult, read_meta
from mossaic.protocol.operations import object_settings as ops

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from mossaic.client.http import Body
    from mossaic.client.object_options import Acl, WriteOptions


class ObjectSettings(Calls):
    """The calls for an object's ACL, tags, links and restoring. `version_id`: of this version, not of the current one."""

    def put_acl(
        self, name: str, acl: Acl | str, *, version_id: str | None = None, bucket: str | None = None
    ) -> str | None:
        """The version that was changed, in a bucket that has versions. Raises NoSuchKey, InvalidArgument, AccessDenied and what
        every call raises."""
        asked = ops.PutObjectAcl(**self._at(name, bucket), object_acl=acl, version_id=version_id)
        return self._do(ops.PUT_OBJECT_ACL, asked).value.version_id

    def get_acl(self, name: str, *, version_id: str | None = None, bucket: str | None = None) -> AclInfo:
        """Raises NoSuchKey, NoSuchBucket, AccessDenied and what every call raises."""
        asked = ops.GetObjectAcl(**self._at(name, bucket), version_id=version_id)
        found = self._do(ops.GET_OBJECT_ACL, asked).value
        return AclInfo(acl=found.grant, owner=found.owner)

    def put_tags(
        self,
        name: str,
        tags: Mapping[str, str],
        *,
        version_id: str | None = None,
        bucket: str | None = None,
    ) -> str | None:
        """Replace all tags, at most 10; the version that was changed. Raises NoSuchKey, InvalidTag, AccessDenied and what every
        call raises."""
        listed = tuple(ops.Tag(key=key, value=value) for key, value in tags.items())
        asked = ops.PutObjectTagging(**self._at(name, bucket), tags=listed, version_id=version_id)
        return self._send(ops.PUT_OBJECT_TAGGING, asked).value.version_id

    def get_tags(
        self, name: str, *, version_id: str | None = None, bucket: str | None = None
    ) -> dict[str, str]:
        """Empty when there are none. Raises NoSuchKey, NoSuchBucket, AccessDenied and what every call raises."""
        asked = ops.GetObjectTagging(**self._at(name, bucket), version_id=version_id)
        return {tag.key: tag.value for tag in self._do(ops.GET_OBJECT_TAGGING, asked).value.tags}

    def delete_tags(
        self, name: str, *, version_id: str | None = None, bucket: str | None = None
    ) -> str | None:
        """The version that was changed. Raises NoSuchKey, NoSuchBucket, AccessDenied and what every call raises."""
        asked = ops.DeleteObjectTagging(**self._at(name, bucket), version_id=version_id)
        return self._do(ops.DELETE_OBJECT_TAGGING, asked).value.version_id

    def symlink(
        self, name: str, target: str, *, bucket: str | None = None, **options: Unpack[WriteOptions]
    ) -> SymlinkResult:
        """Make `name` a symbolic link to the key `target` of the same bucket, which need not exist.

        Raises FileAlreadyExists, NoSuchBucket, AccessDenied and what every call raises; ValueError for wrong options.
        """
        given = ObjectOptions(**options)
        asked = ops.PutSymlink(
            **self._at(name, bucket), target=quote(target, safe="/"), **object_fields(given, name)
        )
        reply = self._do(ops.PUT_SYMLINK, asked, headers=further_headers(given))
        return SymlinkResult(
            bucket=asked.bucket,
            name=name,
            etag=reply.value.etag,
            version_id=reply.value.version_id,
            request_id=reply.request_id,
        )

    def get_symlink(
        self, name: str, *, version_id: str | None = None, bucket: str | None = None
    ) -> SymlinkInfo:
        """The link itself, whether or not its target exists. Raises NotSymlink, NoSuchKey and what every call raises."""
        asked = ops.GetSymlink(**self._at(name, bucket), version_id=version_id)
        reply = self._do(ops.GET_SYMLINK, asked)
        return SymlinkInfo(
            bucket=asked.bucket,
            name=name,
            target=unquote(reply.value.target),
            etag=reply.value.etag,
            modified_at=reply.value.last_modified,
            meta=read_meta(reply.value.meta),
            version_id=reply.value.version_id,
            request_id=reply.request_id,
        )

    def restore(
        self,
        name: str,
        *,
        days: int | None = None,
        tier: str | None = None,
        version_id: str | None = None,
        bucket: str | None = None,
    ) -> RestoreResult:
        """Make an archived object readable for `days`; `tier`: Expedited, Standard or Bulk.

        Raises NoSuchKey, InvalidArgument, OperationNotSupported (not archived) and what every call raises.
        """
        asked = ops.RestoreObject(**self._at(name, bucket), days=days, tier=tier, version_id=version_id)
        said = days is not None or tier is not None
        reply = self._session.do(ops.RESTORE_OBJECT, asked, self._asking(body=None if said else _nothing))
        return RestoreResult(
            begun=reply.status == 202,
            priority=reply.value.restore_priority,
            version_id=reply.value.version_id,
            request_id=reply.request_id,
        )


def _nothing() -> Body:
    return BytesBody(b"")
