"""Documents on a bucket: CORS, lifecycle, tags and policy, each put, got and deleted as a whole."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import Empty, OnBucket
from mossaic.protocol.wire import Element, Header, Payload, Query, Target

# A Put takes its document's shape with the bucket beside it: the shape is what is validated, stored and given back.


@shape
class CorsRule:
    """Which origins may do what; `max_age_s` is how long a browser may remember the preflight's answer."""

    allowed_origins: Annotated[tuple[str, ...], Element("AllowedOrigin")] = ()
    allowed_methods: Annotated[tuple[str, ...], Element("AllowedMethod")] = ()
    allowed_headers: Annotated[tuple[str, ...], Element("AllowedHeader")] = ()
    expose_headers: Annotated[tuple[str, ...], Element("ExposeHeader")] = ()
    max_age_s: Annotated[int | None, Element("MaxAgeSeconds")] = None


@shape
class CorsConfiguration:
    """Rules in order; with `response_vary` every answer says `Vary: Origin`."""

    XML_ROOT: ClassVar[str] = "CORSConfiguration"

    rules: Annotated[tuple[CorsRule, ...], Element("CORSRule")] = ()
    response_vary: Annotated[bool | None, Element("ResponseVary")] = None


@shape
class PutBucketCors(CorsConfiguration):
    bucket: Annotated[str, Target("bucket")]


@shape
class Tag:
    """A tag of an object or of a bucket."""

    key: Annotated[str, Element("Key")]
    value: Annotated[str, Element("Value")] = ""


@shape
class LifecycleExpiration:
    """Exactly one of them; times are ISO 8601 midnights, kept as text. `date` is the older name of a start date."""

    days: Annotated[int | None, Element("Days")] = None
    date: Annotated[str | None, Element("Date")] = None
    created_before: Annotated[str | None, Element("CreatedBeforeDate")] = None
    expired_object_delete_marker: Annotated[bool | None, Element("ExpiredObjectDeleteMarker")] = None


@shape
class LifecycleTransition:
    days: Annotated[int | None, Element("Days")] = None
    created_before: Annotated[str | None, Element("CreatedBeforeDate")] = None
    storage_class: Annotated[str, Element("StorageClass")]
    is_access_time: Annotated[bool | None, Element("IsAccessTime")] = None
    return_to_std_when_visit: Annotated[bool | None, Element("ReturnToStdWhenVisit")] = None
    allow_small_file: Annotated[bool | None, Element("AllowSmallFile")] = None


@shape
class LifecycleAbort:
    days: Annotated[int | None, Element("Days")] = None
    created_before: Annotated[str | None, Element("CreatedBeforeDate")] = None


@shape
class NoncurrentExpiration:
    noncurrent_days: Annotated[int, Element("NoncurrentDays")]


@shape
class NoncurrentTransition:
    noncurrent_days: Annotated[int, Element("NoncurrentDays")]
    storage_class: Annotated[str, Element("StorageClass")]
    is_access_time: Annotated[bool | None, Element("IsAccessTime")] = None
    return_to_std_when_visit: Annotated[bool | None, Element("ReturnToStdWhenVisit")] = None
    allow_small_file: Annotated[bool | None, Element("AllowSmallFile")] = None


@shape
class LifecycleNot:
    """Objects that a rule leaves out."""

    prefix: Annotated[str, Element("Prefix")] = ""
    tag: Annotated[Tag | None, Element("Tag")] = None


@shape
class LifecycleFilter:
    """Sizes in bytes, both exclusive."""

    size_greater_than: Annotated[int | None, Element("ObjectSizeGreaterThan")] = None
    size_less_than: Annotated[int | None, Element("ObjectSizeLessThan")] = None
    nots: Annotated[tuple[LifecycleNot, ...], Element("Not")] = ()


@shape
class LifecycleRule:
    rule_id: Annotated[str | None, Element("ID")] = None
    prefix: Annotated[str, Element("Prefix")] = ""
    tags: Annotated[tuple[Tag, ...], Element("Tag")] = ()
    filter: Annotated[LifecycleFilter | None, Element("Filter")] = None
    status: Annotated[str, Element("Status")]
    expiration: Annotated[LifecycleExpiration | None, Element("Expiration")] = None
    transitions: Annotated[tuple[LifecycleTransition, ...], Element("Transition")] = ()
    abort_upload: Annotated[LifecycleAbort | None, Element("AbortMultipartUpload")] = None
    noncurrent_expiration: Annotated[NoncurrentExpiration | None, Element("NoncurrentVersionExpiration")] = (
        None
    )
    noncurrent_transitions: Annotated[
        tuple[NoncurrentTransition, ...], Element("NoncurrentVersionTransition")
    ] = ()
    atime_base: Annotated[int | None, Element("AtimeBase")] = None


@shape
class LifecycleConfiguration:
    XML_ROOT: ClassVar[str] = "LifecycleConfiguration"

    rules: Annotated[tuple[LifecycleRule, ...], Element("Rule")] = ()


@shape
class PutBucketLifecycle(LifecycleConfiguration):
    bucket: Annotated[str, Target("bucket")]
    allow_overlap: Annotated[bool, Header("x-oss-allow-same-action-overlap")] = False


@shape
class Tagging:
    XML_ROOT: ClassVar[str] = "Tagging"

    tags: Annotated[tuple[Tag, ...], Element("TagSet/Tag")] = ()


@shape
class PutBucketTags(Tagging):
    bucket: Annotated[str, Target("bucket")]


@shape
class DeleteBucketTags(OnBucket):
    """`keys`: tag keys separated by commas; empty deletes them all."""

    keys: Annotated[str, Query("tagging")] = ""


@shape
class PutBucketPolicy(OnBucket):
    policy: Annotated[bytes, Payload("application/json")]


@shape
class BucketPolicy:
    """The policy as it was put, byte for byte."""

    policy: Annotated[bytes, Payload("application/json")]


@shape
class PolicyStatus:
    XML_ROOT: ClassVar[str] = "PolicyStatus"

    is_public: Annotated[bool, Element("IsPublic")]


PUT_BUCKET_CORS: Final = Operation(
    name="PutBucketCors",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketCors,
    gives=Empty,
    action="oss:PutBucketCors",
    marks=frozenset({"cors"}),
)
GET_BUCKET_CORS: Final = Operation(
    name="GetBucketCors",
    method="GET",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=CorsConfiguration,
    action="oss:GetBucketCors",
    marks=frozenset({"cors"}),
)
DELETE_BUCKET_CORS: Final = Operation(
    name="DeleteBucketCors",
    method="DELETE",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=Empty,
    action="oss:DeleteBucketCors",
    marks=frozenset({"cors"}),
    status=204,
)
PUT_BUCKET_LIFECYCLE: Final = Operation(
    name="PutBucketLifecycle",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketLifecycle,
    gives=Empty,
    action="oss:PutBucketLifecycle",
    marks=frozenset({"lifecycle"}),
)
GET_BUCKET_LIFECYCLE: Final = Operation(
    name="GetBucketLifecycle",
    method="GET",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=LifecycleConfiguration,
    action="oss:GetBucketLifecycle",
    marks=frozenset({"lifecycle"}),
)
DELETE_BUCKET_LIFECYCLE: Final = Operation(
    name="DeleteBucketLifecycle",
    method="DELETE",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=Empty,
    action="oss:DeleteBucketLifecycle",
    marks=frozenset({"lifecycle"}),
    status=204,
)
PUT_BUCKET_TAGS: Final = Operation(
    name="PutBucketTags",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketTags,
    gives=Empty,
    action="oss:PutBucketTagging",
    marks=frozenset({"tagging"}),
    priority="B",
)
GET_BUCKET_TAGS: Final = Operation(
    name="GetBucketTags",
    method="GET",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=Tagging,
    action="oss:GetBucketTagging",
    marks=frozenset({"tagging"}),
    priority="B",
)
DELETE_BUCKET_TAGS: Final = Operation(
    name="DeleteBucketTags",
    method="DELETE",
    level=Level.BUCKET,
    takes=DeleteBucketTags,
    gives=Empty,
    action="oss:DeleteBucketTagging",
    marks=frozenset({"tagging"}),
    status=204,
    priority="B",
)
PUT_BUCKET_POLICY: Final = Operation(
    name="PutBucketPolicy",
    method="PUT",
    level=Level.BUCKET,
    takes=PutBucketPolicy,
    gives=Empty,
    action="oss:PutBucketPolicy",
    marks=frozenset({"policy"}),
    priority="B",
)
GET_BUCKET_POLICY: Final = Operation(
    name="GetBucketPolicy",
    method="GET",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=BucketPolicy,
    action="oss:GetBucketPolicy",
    marks=frozenset({"policy"}),
    priority="B",
)
DELETE_BUCKET_POLICY: Final = Operation(
    name="DeleteBucketPolicy",
    method="DELETE",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=Empty,
    action="oss:DeleteBucketPolicy",
    marks=frozenset({"policy"}),
    status=204,
    priority="B",
)
GET_BUCKET_POLICY_STATUS: Final = Operation(
    name="GetBucketPolicyStatus",
    method="GET",
    level=Level.BUCKET,
    takes=OnBucket,
    gives=PolicyStatus,
    action="oss:GetBucketPolicyStatus",
    marks=frozenset({"policyStatus"}),
    priority="B",
)

ROWS: Final[tuple[AnyOperation, ...]] = (
    PUT_BUCKET_CORS,
    GET_BUCKET_CORS,
    DELETE_BUCKET_CORS,
    PUT_BUCKET_LIFECYCLE,
    GET_BUCKET_LIFECYCLE,
    DELETE_BUCKET_LIFECYCLE,
    PUT_BUCKET_TAGS,
    GET_BUCKET_TAGS,
    DELETE_BUCKET_TAGS,
    PUT_BUCKET_POLICY,
    GET_BUCKET_POLICY,
    DELETE_BUCKET_POLICY,
    GET_BUCKET_POLICY_STATUS,
)
