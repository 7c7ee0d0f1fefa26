"""Upload callbacks, as Put, Post and Complete use them: checked before the upload, sent after the commit."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from mossaic.gateway.admit import ip_of
from mossaic.gateway.handlers.object_facts import content_md5
from mossaic.protocol.errors import INVALID_ARGUMENT, OssError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.gateway.call import Call
    from mossaic.ports import Stored
    from mossaic.service.callbacks import Prepared


async def prepare(
    call: Call,
    callback: str | None,
    callback_var: str | None,
    *,
    variables: Mapping[str, str] | None = None,
) -> Prepared | None:
    """From headers or the query (`callback`, `callback-var`), never both; a form brings its `variables` as fields.

    Raises OssError INVALID_ARGUMENT.
    """
    in_query = call.query.get("callback")
    if callback and in_query:
        raise OssError(
            INVALID_ARGUMENT,
            "The callback is in the headers and in the query.",
            ArgumentName="callback",
            ArgumentValue=callback,
        )
    if variables:
        callback_var = b64encode(json.dumps(dict(variables)).encode()).decode()
    return await call.services.callbacks.prepare(
        callback or in_query,
        callback_var or call.query.get("callback-var"),
        upload_id=call.query.get("uploadId"),
    )


async def answer_of(call: Call, stored: Stored, prepared: Prepared | None) -> bytes | None:
    """The receiver's JSON, None without a callback. Raises OssError CALLBACK_FAILED; the object is stored all the same."""
    if prepared is None:
        return None
    version = stored.version
    values: dict[str, str | int] = {
        "bucket": version.bucket,
        "object": version.key,
        "etag": version.etag,
        "size": version.size,
        "mimeType": version.headers.stored.get("Content-Type", ""),
        "crc64": str(version.crc64),
        "contentMd5": content_md5(version.md5) or "",
        "clientIp": ip_of(call.request.remote),
        "reqId": call.request_id,
        "operation": call.operation.name,
    }
    headers = {"ETag": f'"{version.etag}"', "x-oss-hash-crc64ecma": str(version.crc64)}
    if stored.version_id is not None:
        headers["x-oss-version-id"] = stored.version_id
    return await call.services.callbacks.send(prepared, values, endpoint=call.endpoint, headers=headers)
