"""Operations of OSS that Mossaic does not have: requests for them are answered 501 NotImplemented with the name.

A sub-resource that is not known must never be served as the plain operation, so each public operation stands here or in the
table. The reasons are what docs/compat.md tells.
"""

from __future__ import annotations

from typing import Final

from mossaic.protocol.operation import Level, NotProvided

_SERVICE: Final = Level.SERVICE
_BUCKET: Final = Level.BUCKET
_OBJECT: Final = Level.OBJECT

# A name, a method and the query that marks it; a mark `name=value` must have that value.
_Named = tuple[str, str, str]


def _rows(level: Level, priority: str, reason: str, named: tuple[_Named, ...]) -> tuple[NotProvided, ...]:
    return tuple(_row(level, priority, reason, row) for row in named)


def _row(level: Level, priority: str, reason: str, named: _Named) -> NotProvided:
    name, method, query = named
    marks = [mark for mark in query.split(",") if "=" not in mark]
    values = dict(mark.split("=", 1) for mark in query.split(",") if "=" in mark)
    return NotProvided(
        name=name,
        method=method,
        level=level,
        marks=frozenset(marks),
        values=values,
        priority=priority,
        reason=reason,
    )


def _document(noun: str, query: str, methods: str = "PUT GET DELETE") -> tuple[_Named, ...]:
    """PutBucket…, GetBucket…, DeleteBucket… of one document."""
    verbs = {"PUT": "Put", "GET": "Get", "DELETE": "Delete"}
    return tuple((f"{verbs[method]}{noun}", method, query) for method in methods.split())


_NO_EFFECT: Final = "a stored setting without its effect would promise what is not kept"

_BUCKET_B: Final = (
    *_rows(
        _BUCKET,
        "B",
        "bytes are not encrypted at rest; " + _NO_EFFECT,
        _document("BucketEncryption", "encryption"),
    ),
    *_rows(
        _BUCKET,
        "B",
        "no inventory reports are made",
        (
            ("PutBucketInventory", "PUT", "inventory,inventoryId"),
            ("GetBucketInventory", "GET", "inventory,inventoryId"),
            ("ListBucketInventory", "GET", "inventory"),
            ("DeleteBucketInventory", "DELETE", "inventory,inventoryId"),
        ),
    ),
    *_rows(
        _BUCKET,
        "B",
        "the access log is the server's own, one JSON line a request",
        _document("BucketLogging", "logging"),
    ),
    *_rows(
        _BUCKET,
        "B",
        "use x-oss-forbid-overwrite on the request",
        _document("BucketOverwriteConfig", "overwriteConfig"),
    ),
    *_rows(
        _BUCKET,
        "B",
        "nothing is public unless an ACL or a policy says so; " + _NO_EFFECT,
        _document("BucketPublicAccessBlock", "publicAccessBlock"),
    ),
    *_rows(_BUCKET, "B", "not enforced; " + _NO_EFFECT, _document("BucketReferer", "referer", "PUT GET")),
    *_rows(_BUCKET, "B", "nothing is billed", _document("BucketRequestPayment", "requestPayment", "PUT GET")),
    *_rows(
        _BUCKET,
        "B",
        "there is one place to go to, nothing accelerates the way",
        _document("BucketTransferAcceleration", "transferAcceleration", "PUT GET"),
    ),
    *_rows(_BUCKET, "B", "static websites are not served", _document("BucketWebsite", "website")),
    *_rows(
        _BUCKET,
        "B",
        "retention is not enforced; " + _NO_EFFECT,
        (
            ("InitiateBucketWorm", "POST", "worm"),
            ("AbortBucketWorm", "DELETE", "worm"),
            ("CompleteBucketWorm", "POST", "wormId"),
            ("ExtendBucketWorm", "POST", "wormExtend,wormId"),
            ("GetBucketWorm", "GET", "worm"),
        ),
    ),
)

_CLOUD: Final = "belongs to the public cloud"

_BUCKET_C: Final = _rows(
    _BUCKET,
    "C",
    _CLOUD,
    (
        ("CreateAccessPoint", "PUT", "accessPoint"),
        ("GetAccessPoint", "GET", "accessPoint"),
        ("DeleteAccessPoint", "DELETE", "accessPoint"),
        *_document("AccessPointPolicy", "accessPointPolicy"),
        ("PutAccessPointPublicAccessBlock", "PUT", "publicAccessBlock,x-oss-access-point-name"),
        ("GetAccessPointPublicAccessBlock", "GET", "publicAccessBlock,x-oss-access-point-name"),
        ("DeleteAccessPointPublicAccessBlock", "DELETE", "publicAccessBlock,x-oss-access-point-name"),
        *_document("BucketAccessMonitor", "accessmonitor", "PUT GET"),
        *_document("BucketArchiveDirectRead", "bucketArchiveDirectRead", "PUT GET"),
        ("PutCname", "POST", "cname,comp=add"),
        ("ListCname", "GET", "cname"),
        ("DeleteCname", "POST", "cname,comp=delete"),
        ("GetCnameToken", "GET", "cname,comp=token"),
        ("CreateCnameToken", "POST", "cname,comp=token"),
        ("CreateBucketDataRedundancyTransition", "POST", "redundancyTransition"),
        (
            "GetBucketDataRedundancyTransition",
            "GET",
            "redundancyTransition,x-oss-redundancy-transition-taskid",
        ),
        ("ListBucketDataRedundancyTransition", "GET", "redundancyTransition"),
        ("DeleteBucketDataRedundancyTransition", "DELETE", "redundancyTransition"),
        *_document("BucketHttpsConfig", "httpsConfig", "PUT GET"),
        *_document("UserDefinedLogFieldsConfig", "userDefinedLogFieldsConfig"),
        ("GetMetaQueryStatus", "GET", "metaQuery"),
        ("CloseMetaQuery", "POST", "metaQuery,comp=delete"),
        ("DoMetaQuery", "POST", "metaQuery,comp=query"),
        ("OpenMetaQuery", "POST", "metaQuery,comp=add"),
        *_document("BucketObjectWormConfiguration", "objectWorm", "PUT GET"),
        *_document("BucketRtc", "rtc", "PUT"),
        ("PutBucketReplication", "POST", "replication,comp=add"),
        ("GetBucketReplication", "GET", "replication"),
        ("GetBucketReplicationLocation", "GET", "replicationLocation"),
        ("GetBucketReplicationProgress", "GET", "replicationProgress"),
        ("DeleteBucketReplication", "POST", "replication,comp=delete"),
        *_document("BucketResourceGroup", "resourceGroup", "PUT GET"),
        ("PutStyle", "PUT", "style,styleName"),
        ("ListStyle", "GET", "style"),
        ("GetStyle", "GET", "style,styleName"),
        ("DeleteStyle", "DELETE", "style,styleName"),
        ("DoMetaQueryAction", "POST", "MetaQuery"),
        ("DoDataPipelineAction", "POST", "dataPipeline"),
        *_document("BucketStorageQuota", "quota"),
        ("CreateBucketMetadataConfiguration", "POST", "metadataConfiguration"),
        ("GetBucketMetadataConfiguration", "GET", "metadataConfiguration"),
        ("DeleteBucketMetadataConfiguration", "DELETE", "metadataConfiguration"),
        ("UpdateBucketMetadataInventoryTableConfiguration", "PUT", "metadataInventoryTable"),
        ("UpdateBucketMetadataJournalTableConfiguration", "PUT", "metadataJournalTable"),
        *_document("BucketCallbackPolicy", "policy,comp=callback"),
        *_document("BucketQosInfo", "qosInfo"),
        ("PutBucketProcess", "PUT", "processConfiguration"),
        ("GetBucketProcess", "GET", "processConfiguration"),
        ("ListLiveChannel", "GET", "live"),
        ("SetBucketAsyncFetchTask", "POST", "asyncFetch"),
    ),
)

_OBJECT_C: Final = _rows(
    _OBJECT,
    "C",
    "belongs to the public cloud's data services",
    (
        ("ProcessObject", "POST", "x-oss-process"),
        ("SelectObject", "POST", "x-oss-process"),
        ("CreateSelectObjectMeta", "POST", "x-oss-process"),
        ("AsyncProcessObject", "POST", "x-oss-async-process"),
        ("GetObjectProcessed", "GET", "x-oss-process"),
        ("CleanRestoredObject", "POST", "cleanRestoredObject"),
        ("SealAppendObject", "POST", "seal"),
        ("PutObjectRetention", "PUT", "retention"),
        ("GetObjectRetention", "GET", "retention"),
        ("PutObjectLegalHold", "PUT", "legalHold"),
        ("GetObjectLegalHold", "GET", "legalHold"),
        ("PutLiveChannel", "PUT", "live"),
        ("GetLiveChannel", "GET", "live"),
        ("DeleteLiveChannel", "DELETE", "live"),
        ("PostVodPlaylist", "POST", "vod"),
        ("GetVodPlaylist", "GET", "vod"),
        ("PutAsyncFetchTask", "POST", "asyncFetch"),
        ("RenameObject", "POST", "x-oss-rename"),
        ("CreateDirectory", "POST", "x-oss-dir"),
        ("DeleteDirectory", "POST", "x-oss-delete"),
    ),
)

_ON_SERVICE: Final = (
    *_rows(
        _SERVICE,
        "B",
        "nothing is public unless an ACL or a policy says so; " + _NO_EFFECT,
        _document("PublicAccessBlock", "publicAccessBlock"),
    ),
    *_rows(
        _SERVICE,
        "C",
        _CLOUD,
        (
            ("ListAccessPoints", "GET", "accessPoint"),
            ("ListUserDataRedundancyTransition", "GET", "redundancyTransition"),
            ("ListCloudBoxes", "GET", "cloudboxes"),
            ("ListUserQosInfo", "GET", "qosInfo"),
            ("ListResourcePools", "GET", "resourcePool"),
        ),
    ),
)

ROWS: Final[tuple[NotProvided, ...]] = (*_BUCKET_B, *_BUCKET_C, *_OBJECT_C, *_ON_SERVICE)
