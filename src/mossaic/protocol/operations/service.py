"""Operations on the service itself: ListBuckets and DescribeRegions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final

from mossaic.protocol.operation import Access, AnyOperation, Level, Operation
from mossaic.protocol.shape import shape
from mossaic.protocol.shapes import OnService, Owner
from mossaic.protocol.wire import Element, Query


@shape
class ListBuckets(OnService):
    """`marker` is exclusive. `tagging` is `"k1":"v1","k2":"v2"` and excludes `tag_key` and `tag_value`."""

    prefix: Annotated[str | None, Query("prefix")] = None
    marker: Annotated[str | None, Query("marker")] = None
    max_keys: Annotated[str | None, Query("max-keys")] = None
    tag_key: Annotated[str | None, Query("tag-key")] = None
    tag_value: Annotated[str | None, Query("tag-value")] = None
    tagging: Annotated[str | None, Query("tagging")] = None


@shape
class BucketEntry:
    """A bucket in the list; oss2 wants every element there."""

    name: Annotated[str, Element("Name")]
    created_at: Annotated[datetime, Element("CreationDate")]
    location: Annotated[str, Element("Location")]
    region: Annotated[str, Element("Region")]
    storage_class: Annotated[str, Element("StorageClass")]
    extranet_endpoint: Annotated[str, Element("ExtranetEndpoint")]
    intranet_endpoint: Annotated[str, Element("IntranetEndpoint")]


@shape
class ListBucketsResult:
    XML_ROOT: ClassVar[str] = "ListAllMyBucketsResult"

    prefix: Annotated[str, Element("Prefix")] = ""
    marker: Annotated[str, Element("Marker")] = ""
    max_keys: Annotated[int, Element("MaxKeys")]
    is_truncated: Annotated[bool, Element("IsTruncated")] = False
    next_marker: Annotated[str | None, Element("NextMarker")] = None
    owner: Annotated[Owner, Element("Owner")]
    buckets: Annotated[tuple[BucketEntry, ...], Element("Buckets/Bucket")] = ()


@shape
class DescribeRegions(OnService):
    """`region` (`oss-cn-hangzhou`) asks for one; empty asks for all."""

    region: Annotated[str, Query("regions")] = ""


@shape
class RegionInfo:
    region: Annotated[str, Element("Region")]
    internet_endpoint: Annotated[str, Element("InternetEndpoint")]
    internal_endpoint: Annotated[str, Element("InternalEndpoint")]
    accelerate_endpoint: Annotated[str, Element("AccelerateEndpoint")]


@shape
class RegionInfoList:
    XML_ROOT: ClassVar[str] = "RegionInfoList"

    regions: Annotated[tuple[RegionInfo, ...], Element("RegionInfo")] = ()


LIST_BUCKETS: Final = Operation(
    name="ListBuckets",
    method="GET",
    level=Level.SERVICE,
    takes=ListBuckets,
    gives=ListBucketsResult,
    action="oss:ListBuckets",
    access=Access.OWNER,
)
DESCRIBE_REGIONS: Final = Operation(
    name="DescribeRegions",
    method="GET",
    level=Level.SERVICE,
    takes=DescribeRegions,
    gives=RegionInfoList,
    action="oss:DescribeRegions",
    access=Access.OWNER,
    marks=frozenset({"regions"}),
    priority="B",
)

ROWS: Final[tuple[AnyOperation, ...]] = (LIST_BUCKETS, DESCRIBE_REGIONS)
