"""Buckets as a whole: making and removing them, what is known of them, their ACL and their versioning."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from mossaic.client.calls.base import Calls
from mossaic.client.http import BytesBody
from mossaic.client.object_options import tagging
from mossaic.client.results import AclInfo
from mossaic.protocol.operations import bucket as ops
from mossaic.protocol.operations.service import DESCRIBE_REGIONS, DescribeRegions, RegionInfo

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.http import Body
    from mossaic.client.object_options import StorageClass
    from mossaic.protocol.operations.bucket import BucketInfo, GetBucketStatResult

BucketAcl = Literal["private", "public-read", "public-read-write"]
Redundancy = Literal["LRS", "ZRS"]
Versioning = Literal["Enabled", "Suspended"]


class Buckets(Calls):
    """The bucket calls. `bucket` is always the client's own when it is not named."""

    def put_bucket(
        self,
        bucket: str | None = None,
        *,
        acl: BucketAcl | str | None = None,
        storage_class: StorageClass | str | None = None,
        redundancy: Redundancy | str | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Make a bucket. A bucket of one's own that is there already stays, with the ACL that is named here.

        Raises BucketAlreadyExists (somebody else's), InvalidBucketName, TooManyBuckets and what every call raises.
        """
        asked = ops.PutBucket(
            bucket=self._in(bucket),
            acl=acl,
            storage_class=storage_class,
            redundancy=redundancy,
            tagging=tagging(tags) if tags else None,
        )
        if storage_class or redundancy:
            self._do(ops.PUT_BUCKET, asked)
        else:  # a document that says nothing is better not sent
            self._session.do(ops.PUT_BUCKET, asked, self._asking(body=_nothing))

    create_bucket = put_bucket  # oss2's name for it

    def delete_bucket(self, bucket: str | None = None) -> None:
        """Remove an empty bucket. Raises BucketNotEmpty, NoSuchBucket and what every call raises."""
        self._do(ops.DELETE_BUCKET, ops.DeleteBucket(bucket=self._in(bucket)))

    def bucket_info(self, bucket: str | None = None) -> BucketInfo:
        """Region, endpoints, owner, ACL, storage class, versioning. Raises NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(ops.GET_BUCKET_INFO, ops.GetBucketInfo(bucket=self._in(bucket))).value.bucket

    def bucket_stat(self, bucket: str | None = None) -> GetBucketStatResult:
        """Bytes and counts, as of `modified_at` (Unix seconds). Raises NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(ops.GET_BUCKET_STAT, ops.GetBucketStat(bucket=self._in(bucket))).value

    def bucket_location(self, bucket: str | None = None) -> str:
        """The region, like `oss-cn-hangzhou`. Raises NoSuchBucket, AccessDenied and what every call raises."""
        return self._do(
            ops.GET_BUCKET_LOCATION, ops.GetBucketLocation(bucket=self._in(bucket))
        ).value.location

    def put_bucket_acl(self, acl: BucketAcl | str, *, bucket: str | None = None) -> None:
        """Raises NoSuchBucket, InvalidArgument, AccessDenied and what every call raises."""
        self._do(ops.PUT_BUCKET_ACL, ops.PutBucketAcl(bucket=self._in(bucket), acl=acl))

    def get_bucket_acl(self, *, bucket: str | None = None) -> AclInfo:
        """Raises NoSuchBucket, AccessDenied and what every call raises."""
        found = self._do(ops.GET_BUCKET_ACL, ops.GetBucketAcl(bucket=self._in(bucket))).value
        return AclInfo(acl=found.grant, owner=found.owner)

    def put_versioning(self, status: Versioning | str, *, bucket: str | None = None) -> None:
        """Keep versions from now on, or stop making new ones. It cannot be taken back to "never".

        Raises NoSuchBucket, InvalidArgument, AccessDenied and what every call raises.
        """
        self._send(ops.PUT_BUCKET_VERSIONING, ops.PutBucketVersioning(bucket=self._in(bucket), status=status))

    def get_versioning(self, *, bucket: str | None = None) -> str | None:
        """Enabled, Suspended, or None when it was never set. Raises NoSuchBucket, AccessDenied and what every call raises."""
        asked = ops.GetBucketVersioning(bucket=self._in(bucket))
        return self._do(ops.GET_BUCKET_VERSIONING, asked).value.status or None

    def describe_regions(self, region: str = "") -> tuple[RegionInfo, ...]:
        """The service's regions and endpoints; one (`oss-cn-hangzhou`) or all. Raises what every call raises."""
        return self._do(DESCRIBE_REGIONS, DescribeRegions(region=region)).value.regions


def _nothing() -> Body:
    return BytesBody(b"")
