"""Rows and shapes of what hangs on an object: its ACL, its tags, symbolic links, restoring (OSS API: "Object operations")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnObject, Owner, WritesObject
from mossaic.protocol.wire import Element, Header, Query, Status, UserMeta


@shape
class OnVersion(OnObject):
    """A request to an object or to one version of it."""

    version_id: Annotated[str | None, Query("versionId")] = None


@shape
class VersionResult:
    """`version_id` is the version that was changed, in a bucket that knows versions."""

    version_id: Annotated[str | None, Header("x-oss-version-id")] = None


# --- ACL --------------------------------------------------------------------------------------------------------------


@shape
class PutObjectAcl(OnVersion):
    object_acl: Annotated[str | None, Header("x-oss-object-acl")] = None


@shape
class GetObjectAcl(OnVersion):
    """Asks for the ACL as it was set; `default` follows the bucket."""


@shape
class GetObjectAclResult(VersionResult):
    XML_ROOT: ClassVar[str] = "AccessControlPolicy"

    owner: Annotated[Owner, Element("Owner")]
    grant: Annotated[str, Element("AccessControlList/Grant")]


# --- tags -------------------------------------------------------------------------------------------------------------


@shape
class Tag:
    key: Annotated[str, Element("Key")]
    value: Annotated[str, Element("Value")] = ""


@shape
class PutObjectTagging(OnVersion):
    """Replaces all tags; Last-Modified stays."""

    XML_ROOT: ClassVar[str] = "Tagging"

    tags: Annotated[tuple[Tag, ...], Element("TagSet/Tag")] = ()


@shape
class GetObjectTagging(OnVersion):
    """Asks for the tags."""


@shape
class GetObjectTaggingResult(VersionResult):
    XML_ROOT: ClassVar[str] = "Tagging"

    tags: Annotated[tuple[Tag, ...], Element("TagSet/Tag")] = ()


@shape
class DeleteObjectTagging(OnVersion):
    """Removes all tags."""


# --- symbolic links ---------------------------------------------------------------------------------------------------


@shape
class PutSymlink(WritesObject):
    """`target` is a percent-encoded key of the same bucket; it need not exist."""

    target: Annotated[str | None, Header("x-oss-symlink-target")] = None


@shape
class PutSymlinkResult(VersionResult):
    etag: Annotated[str, Header("ETag", quoted=True)]


@shape
class GetSymlink(OnVersion):
    """Asks for the link itself, not for what it points to."""


@shape
class GetSymlinkResult(VersionResult):
    """`target` is percent-encoded but for its slashes, as ali-oss writes it; oss2 unquotes it."""

    target: Annotated[str, Header("x-oss-symlink-target")]
    etag: Annotated[str, Header("ETag", quoted=True)]
    last_modified: Annotated[datetime, Header("Last-Modified")]
    meta: Annotated[Mapping[str, str], UserMeta()] = field(default_factory=dict[str, str])


# --- restoring --------------------------------------------------------------------------------------------------------


@shape
class RestoreObject(OnVersion):
    """`days` and `tier` are read and checked; archived objects are readable here without waiting."""

    XML_ROOT: ClassVar[str] = "RestoreRequest"
    BODY_OPTIONAL: ClassVar[bool] = True

    days: Annotated[int | None, Element("Days")] = None
    tier: Annotated[str | None, Element("JobParameters/Tier")] = None


@shape
class RestoreObjectResult(VersionResult):
    status: Annotated[int | None, Status()] = None
    restore_priority: Annotated[str | None, Header("x-oss-object-restore-priority")] = None


# --- rows -------------------------------------------------------------------------------------------------------------

PUT_OBJECT_ACL: Final = Operation(
    name="PutObjectAcl",
    method="PUT",
    level=Level.OBJECT,
    marks=frozenset({"acl"}),
    takes=PutObjectAcl,
    gives=VersionResult,
    action="oss:PutObjectAcl",
    version_action="oss:PutObjectVersionAcl",
)
GET_OBJECT_ACL: Final = Operation(
    name="GetObjectAcl",
    method="GET",
    level=Level.OBJECT,
    marks=frozenset({"acl"}),
    takes=GetObjectAcl,
    gives=GetObjectAclResult,
    action="oss:GetObjectAcl",
    version_action="oss:GetObjectVersionAcl",
)
PUT_OBJECT_TAGGING: Final = Operation(
    name="PutObjectTagging",
    method="PUT",
    level=Level.OBJECT,
    marks=frozenset({"tagging"}),
    takes=PutObjectTagging,
    gives=VersionResult,
    action="oss:PutObjectTagging",
    version_action="oss:PutObjectVersionTagging",
)
GET_OBJECT_TAGGING: Final = Operation(
    name="GetObjectTagging",
    method="GET",
    level=Level.OBJECT,
    marks=frozenset({"tagging"}),
    takes=GetObjectTagging,
    gives=GetObjectTaggingResult,
    action="oss:GetObjectTagging",
    version_action="oss:GetObjectVersionTagging",
)
DELETE_OBJECT_TAGGING: Final = Operation(
    name="DeleteObjectTagging",
    method="DELETE",
    level=Level.OBJECT,
    marks=frozenset({"tagging"}),
    takes=DeleteObjectTagging,
    gives=VersionResult,
    action="oss:DeleteObjectTagging",
    version_action="oss:DeleteObjectVersionTagging",
    status=204,
)
PUT_SYMLINK: Final = Operation(
    name="PutSymlink",
    method="PUT",
    level=Level.OBJECT,
    marks=frozenset({"symlink"}),
    takes=PutSymlink,
    gives=PutSymlinkResult,
    action="oss:PutObject",
    access=Access.WRITE,
    priority="B",
)
GET_SYMLINK: Final = Operation(
    name="GetSymlink",
    method="GET",
    level=Level.OBJECT,
    marks=frozenset({"symlink"}),
    takes=GetSymlink,
    gives=GetSymlinkResult,
    action="oss:GetObject",
    version_action="oss:GetObjectVersion",
    access=Access.READ,
    priority="B",
)
RESTORE_OBJECT: Final = Operation(
    name="RestoreObject",
    method="POST",
    level=Level.OBJECT,
    marks=frozenset({"restore"}),
    takes=RestoreObject,
    gives=RestoreObjectResult,
    action="oss:RestoreObject",
    version_action="oss:RestoreObjectVersion",
    priority="B",
)

ROWS: Final[tuple[AnyOperation, ...]] = (
    PUT_OBJECT_ACL,
    GET_OBJECT_ACL,
    PUT_OBJECT_TAGGING,
    GET_OBJECT_TAGGING,
    DELETE_OBJECT_TAGGING,
    PUT_SYMLINK,
    GET_SYMLINK,
    RESTORE_OBJECT,
)
