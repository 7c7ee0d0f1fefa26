"""The query parameters that are part of what a V1 signature covers, and that name sub-resources of buckets and objects."""

from __future__ import annotations

from typing import Final

# The union over oss2, alibabacloud-oss-v2, Go v1 and v2, Java and ali-oss.
SUB_RESOURCES: Final = frozenset(
    """
    accessPoint accessPointPolicy acl append asyncFetch bucketArchiveDirectRead bucketInfo callback callback-var
    cloudboxes cname comp continuation-token cors delete encryption endTime group httpsConfig img inventory
    inventoryId lifecycle link live location logging metaQuery objectInfo objectMeta partNumber policy policyStatus
    position processConfiguration publicAccessBlock qos qosInfo qosRequester redundancyTransition referer regionList
    replication replicationLocation replicationProgress requestPayment requesterQosInfo resourceGroup resourcePool
    resourcePoolBuckets resourcePoolInfo responseHeader restore rtc seal security-token sequential startTime stat
    status style styleName symlink tagging transferAcceleration udf udfApplication udfApplicationLog udfId udfImage
    udfImageDesc udfName uploadId uploads versionId versioning versions vip vod vpcip website withHashContext worm
    wormExtend wormId response-cache-control response-content-disposition response-content-encoding
    response-content-language response-content-type response-expires
    """.split()
)
