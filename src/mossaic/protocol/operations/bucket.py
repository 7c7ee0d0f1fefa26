"""A bucket as a whole: making and removing it, what is known of it, its ACL and its versioning."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import Empty, OnBucket, Owner
from mossaic.protocol.wire import Element, Header, Text


@shape
class PutBucket(OnBucket):
    """The document may be left out; what it does not say takes the default, or stays when the bucket is there already.

    `tagging` is `k1=v1&k2=v2`. `hns_status` "enabled" asks for a hierarchical namespace.
    """

    XML_ROOT: ClassVar[str] = "CreateBucketConfiguration"
    BODY_OPTIONAL: ClassVar[bool] = True

    acl: Annotated[str | None, Header("x-oss-acl")] = None
    tagging: Annotated[str | None, Header("x-oss-bucket-tagging")] = None
    hns_status: Annotated[str | None, Header("x-oss-hns-status")] = None
    server_side_encryption: Annotated[str | None, Header("x-oss-server-side-encryption")] = None
    location: Annotated[str | None, Element("LocationConstraint")] = None
    storage_class: Annotated[str | None, Element("StorageClass")] = None
    redundancy: Annotated[str | None, Element("DataRedundancyType")] = None


@shape
class DeleteBucket(OnBucket):
    pass


@shape
class GetBucketInfo(OnBucket):
    pass


@shape
class BucketInfo:
    """`versioning` is absent as long as it was never set. `sse_algorithm` "None": nothing encrypts by default."""

    name: Annotated[str, Element("Name")]
    created_at: Annotated[datetime, Element("CreationDate")]
    storage_class: Annotated[str, Element("StorageClass")]
    location: Annotated[str, Element("Location")]
    extranet_endpoint: Annotated[str, Element("ExtranetEndpoint")]
    intranet_endpoint: Annotated[str, Element("IntranetEndpoint")]
    owner: Annotated[Owner, Element("Owner")]
    grant: Annotated[str, Element("AccessControlList/Grant")]
    redundancy: Annotated[str, Element("DataRedundancyType")]
    versioning: Annotated[str | None, Element("Versioning")] = None
    sse_algorithm: Annotated[str, Element("ServerSideEncryptionRule/SSEAlgorithm")] = "None"
    transfer_acceleration: Annotated[str, Element("TransferAcceleration")] = "Disabled"
    cross_region_replication: Annotated[str, Element("CrossRegionReplication")] = "Disabled"
    access_monitor: Annotated[str, Element("AccessMonitor")] = "Disabled"


@shape
class GetBucketInfoResult:
    XML_ROOT: ClassVar[str] = "BucketInfo"

    bucket: Annotated[BucketInfo, Element("Bucket")]


@shape
class GetBucketLocation(OnBucket):
    pass


@shape
class GetBucketLocationResult:
    """`oss-cn-hangzhou`, as the text of the root."""

    XML_ROOT: ClassVar[str] = "LocationConstraint"

    location: Annotated[str, Text()]


@shape
class GetBucketStat(OnBucket):
    pass


@shape
class GetBucketStatResult:
    """Bytes and counts; `modified_at` in Unix seconds. The "real" storage of a class is what it is billed for in OSS: here the same."""

    XML_ROOT: ClassVar[str] = "BucketStat"

    storage: Annotated[int, Element("Storage")]
    object_count: Annotated[int, Element("ObjectCount")]
    upload_count: Annotated[int, Element("MultipartUploadCount")]
    live_channel_count: Annotated[int, Element("LiveChannelCount")] = 0
    modified_at: Annotated[int, Element("LastModifiedTime")]
    standard_storage: Annotated[int, Element("StandardStorage")] = 0
    standard_count: Annotated[int, Element("StandardObjectCount")] = 0
    ia_storage: Annotated[int, Element("InfrequentAccessStorage")] = 0
    ia_real_storage: Annotated[int, Element("InfrequentAccessRealStorage")] = 0
    ia_count: Annotated[int, Element("InfrequentAccessObjectCount")] = 0
    archive_storage: Annotated[int, Element("ArchiveStorage")] = 0
    archive_real_storage: Annotated[int, Element("ArchiveRealStorage")] = 0
    archive_count: Annotated[int, Element("ArchiveObjectCount")] = 0
    cold_archive_storage: Annotated[int, Element("ColdArchiveStorage")] = 0
    cold_archive_real_storage: Annotated[int, Element("ColdArchiveRealStorage")] = 0
    cold_archive_count: Annotated[int, Element("ColdArchiveObjectCount")] = 0
    deep_cold_archive_storage: Annotated[int, Element("DeepColdArchiveStorage")] = 0
    deep_cold_archive_real_storage: Annotated[int, Element("DeepColdArchiveRealStorage")] = 0
    deep_cold_archive_count: Annotated[int, Element("DeepColdArchiveObjectCount")] = 0
    part_count: Annotated[int, Element("MultipartPartCount")]
    delete_marker_count: Annotated[int, Element("DeleteMarkerCount")]


@shape
class PutBucketAcl(OnBucket):
    acl: Annotated[str, Header("x-oss-acl")]


@shape
class GetBucketAcl(OnBucket):
    pass


@shape
class GetBucketAclResult:
    XML_ROOT: ClassVar[str] = "AccessControlPolicy"

    owner: Annotated[Owner, Element("Owner")]
    grant: Annotated[str, Element("AccessControlList/Grant")]


@shape
class PutBucketVersioning(OnBucket):
    XML_ROOT: ClassVar[str] = "VersioningConfiguration"

    status: Annotated[str | None, Element("Status")] = None


@shape
class GetBucketVersioning(OnBucket):
    pass


@shape
class GetBucketVersioningResult:
    """Empty as long as versioning was never set."""

    XML_ROOT: ClassVar[str] = "VersioningConfiguration"

    status: Annotated[str | None, Element("Status")] = None


PUT_BUCKET: Final = Operation(
    name="PutBucket",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucket,
    gives=Empty,
    action="oss:PutBucket",
)
DELETE_BUCKET: Final = Operation(
    name="DeleteBucket",
    method="DELETE",
    level=Level.BUCKET,
    takes=DeleteBucket,
    gives=Empty,
    action="oss:DeleteBucket",
    status=204,
)
GET_BUCKET_INFO: Final = Operation(
    name="GetBucketInfo",
    method="GET",
    level=Level.BUCKET,
    takes=GetBucketInfo,
    gives=GetBucketInfoResult,
    action="oss:GetBucketInfo",
    marks=frozenset({"bucketInfo"}),
)
GET_BUCKET_LOCATION: Final = Operation(
    name="GetBucketLocation",
    method="GET",
    level=Level.BUCKET,
    takes=GetBucketLocation,
    gives=GetBucketLocationResult,
    action="oss:GetBucketLocation",
    marks=frozenset({"location"}),
)
GET_BUCKET_STAT: Final = Operation(
    name="GetBucketStat",
    method="GET",
    level=Level.BUCKET,
    takes=GetBucketStat,
    gives=GetBucketStatResult,
    action="oss:GetBucketStat",
    marks=frozenset({"stat"}),
)
PUT_BUCKET_ACL: Final = Operation(
    name="PutBucketAcl",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketAcl,
    gives=Empty,
    action="oss:PutBucketAcl",
    marks=frozenset({"acl"}),
)
GET_BUCKET_ACL: Final = Operation(
    name="GetBucketAcl",
    method="GET",
    level=Level.BUCKET,
    takes=GetBucketAcl,
    gives=GetBucketAclResult,
    action="oss:GetBucketAcl",
    marks=frozenset({"acl"}),
)
PUT_BUCKET_VERSIONING: Final = Operation(
    name="PutBucketVersioning",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketVersioning,
    gives=Empty,
    action="oss:PutBucketVersioning",
    marks=frozenset({"versioning"}),
    priority="B",
)
GET_BUCKET_VERSIONING: Final = Operation(
    name="GetBucketVersioning",
    method="GET",
    level=Level.BUCKET,
    takes=GetBucketVersioning,
    gives=GetBucketVersioningResult,
    action="oss:GetBucketVersioning",
    marks=frozenset({"versioning"}),
    priority="B",
)

ROWS: Final[tuple[AnyOperation, ...]] = (
    PUT_BUCKET,
    DELETE_BUCKET,
    GET_BUCKET_INFO,
    GET_BUCKET_LOCATION,
    GET_BUCKET_STAT,
    PUT_BUCKET_ACL,
    GET_BUCKET_ACL,
    PUT_BUCKET_VERSIONING,
    GET_BUCKET_VERSIONING,
)
