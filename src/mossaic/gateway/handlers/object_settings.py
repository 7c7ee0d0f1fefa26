"""What hangs on an object: ACL, tags, symbolic links, restoring."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote

from mossaic.gateway.call import Call, Permission, handlers
from mossaic.gateway.handlers.bucket import owner_of
from mossaic.model.copy_source import unescaped
from mossaic.model.headers import attributes, object_acl
from mossaic.model.names import object_key, version_id
from mossaic.model.tags import check_tags, format_tagging
from mossaic.protocol.errors import INVALID_ARGUMENT, OssError
from mossaic.protocol.operations import object_settings as ops
from mossaic.service.objects import shown_version

_TIERS: Final = frozenset({None, "Expedited", "Standard", "Bulk"})


@handlers.on(ops.PUT_OBJECT_ACL)
async def put_object_acl(call: Call, asked: ops.PutObjectAcl) -> ops.VersionResult:
    if asked.object_acl is None:
        raise OssError(INVALID_ARGUMENT, ArgumentName="x-oss-object-acl", ArgumentValue="")
    changed = await call.services.objects.change(
        call.bucket, object_key(asked.key), version_id(asked.version_id), acl=object_acl(asked.object_acl)
    )
    return ops.VersionResult(version_id=shown_version(call.bucket, changed))


@handlers.on(ops.GET_OBJECT_ACL)
async def get_object_acl(call: Call, asked: ops.GetObjectAcl) -> ops.GetObjectAclResult:
    found = await call.services.objects.find(call.bucket, object_key(asked.key), version_id(asked.version_id))
    return ops.GetObjectAclResult(
        owner=owner_of(call.bucket),
        grant=found.acl.value,
        version_id=shown_version(call.bucket, found),
    )


@handlers.on(ops.PUT_OBJECT_TAGGING)
async def put_object_tagging(call: Call, asked: ops.PutObjectTagging) -> ops.VersionResult:
    tags = check_tags((tag.key, tag.value) for tag in asked.tags)
    # Asked once more now that the tags are known: a policy may deny some of them.
    versioned = call.operation.version_action if asked.version_id else None
    wanted = Permission(
        action=versioned or call.operation.action,
        bucket=call.bucket,
        key=asked.key,
        write=True,
        version_id=asked.version_id,
        tagging=format_tagging(tags),
    )
    await call.authorize(wanted)
    changed = await call.services.objects.change(
        call.bucket, object_key(asked.key), version_id(asked.version_id), tags=tags
    )
    return ops.VersionResult(version_id=shown_version(call.bucket, changed))


@handlers.on(ops.GET_OBJECT_TAGGING)
async def get_object_tagging(call: Call, asked: ops.GetObjectTagging) -> ops.GetObjectTaggingResult:
    found = await call.services.objects.find(call.bucket, object_key(asked.key), version_id(asked.version_id))
    return ops.GetObjectTaggingResult(
        tags=tuple(ops.Tag(key=key, value=value) for key, value in found.tags.items()),
        version_id=shown_version(call.bucket, found),
    )


@handlers.on(ops.DELETE_OBJECT_TAGGING)
async def delete_object_tagging(call: Call, asked: ops.DeleteObjectTagging) -> ops.VersionResult:
    changed = await call.services.objects.change(
        call.bucket, object_key(asked.key), version_id(asked.version_id), tags={}
    )
    return ops.VersionResult(version_id=shown_version(call.bucket, changed))


@handlers.on(ops.PUT_SYMLINK)
async def put_symlink(call: Call, asked: ops.PutSymlink) -> ops.PutSymlinkResult:
    target = unescaped(asked.target or "")
    if not target:
        raise OssError(
            INVALID_ARGUMENT, ArgumentName="x-oss-symlink-target", ArgumentValue=asked.target or ""
        )
    key = object_key(asked.key)
    said = attributes(asked, key, call.bucket.storage_class)
    stored = await call.services.objects.put_symlink(call.bucket, key, target, said=said)
    return ops.PutSymlinkResult(etag=stored.version.etag, version_id=stored.version_id)


@handlers.on(ops.GET_SYMLINK)
async def get_symlink(call: Call, asked: ops.GetSymlink) -> ops.GetSymlinkResult:
    found = await call.services.objects.find_symlink(
        call.bucket, object_key(asked.key), version_id(asked.version_id)
    )
    return ops.GetSymlinkResult(
        target=quote(found.target or "", safe="/"),
        etag=found.etag,
        last_modified=found.modified_at,
        version_id=shown_version(call.bucket, found),
        meta=found.headers.meta,
    )


@handlers.on(ops.RESTORE_OBJECT)
async def restore_object(call: Call, asked: ops.RestoreObject) -> ops.RestoreObjectResult:
    """Always 202, as for a restore that begins: ali-oss takes nothing else for success."""
    if asked.tier not in _TIERS or (asked.days is not None and asked.days < 1):
        raise OssError(
            INVALID_ARGUMENT, ArgumentName="RestoreRequest", ArgumentValue=asked.tier or str(asked.days)
        )
    found = await call.services.objects.restore(
        call.bucket, object_key(asked.key), version_id(asked.version_id)
    )
    return ops.RestoreObjectResult(
        status=202, restore_priority=asked.tier, version_id=shown_version(call.bucket, found)
    )
