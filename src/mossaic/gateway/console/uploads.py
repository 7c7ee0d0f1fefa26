"""Who began the unfinished uploads of a bucket: OSS's own listing does not say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.console.api import api
from mossaic.protocol.operations.multipart import ListMultipartUploads

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall


@api.on("GET", "uploads")
async def initiators(call: ApiCall) -> dict[str, object]:
    """A page as ListMultipartUploads with the same query gives it, with the ARN of who began each."""
    bucket = await call.bucket(call.parameter("bucket"))
    await call.authorize("oss:ListMultipartUploads", bucket)
    asked = ListMultipartUploads(
        bucket=bucket.name,
        prefix=call.query.get("prefix"),
        key_marker=call.query.get("key-marker"),
        upload_id_marker=call.query.get("upload-id-marker"),
        max_uploads=call.query.get("max-uploads"),
    )
    page = await call.services.multipart.uploads_in_full(bucket, asked)
    return {
        "uploads": [{"upload_id": each.upload_id, "initiator": each.initiator} for each in page.items],
        "next": {"key": page.next_key, "upload_id": page.next_id} if page.truncated else None,
    }
