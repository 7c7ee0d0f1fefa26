"""Upload callbacks, as Put, Post and Complete use them: checked before the upload, sent after the commit."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING

from mossaic.gateway.admit import ip_of
from mossaic.gateway.handlers.object_facts import content_md5
from mossaic.protocol.errors import INVALID_ARGUMENT, OssError
from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.gateway.call import Call
    from mossaic.ports import Stored
    from mossaic.service.callbacks import Prepared


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAsk:
    """What was stored by which operation, and the callback to send for it. size in bytes; `md5` where it is known."""

    operation: str
    prepared: Prepared | None
    key: str
    etag: str
    size: int
    crc64: int
    mime_type: str
    md5: str | None = None
    version_id: str | None = None

    @classmethod
    def of(cls, operation: str, stored: Stored, prepared: Prepared | None) -> CallbackAsk:
        version = stored.version
        return cls(
            operation=operation,
            prepared=prepared,
            key=version.key,
            etag=version.etag,
            size=version.size,
            crc64=version.crc64,
            mime_type=version.headers.stored.get("Content-Type", ""),
            md5=version.md5,
            version_id=stored.version_id,
        )


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


async def answer_of(call: Call, ask: CallbackAsk) -> bytes | None:
    """The receiver's JSON, None without a callback. Raises OssError CALLBACK_FAILED; the object is stored all the same."""
    if ask.prepared is None:
        return None
    values: dict[str, str | int] = {
        "bucket": call.bucket.name,
        "object": ask.key,
        "etag": ask.etag,
        "size": ask.size,
        "mimeType": ask.mime_type,
        "crc64": str(ask.crc64),
        "contentMd5": content_md5(ask.md5) or "",
        "clientIp": ip_of(call.request.remote),
        "reqId": call.request_id,
        "operation": ask.operation,
    }
    headers = {"ETag": f'"{ask.etag}"', "x-oss-hash-crc64ecma": str(ask.crc64)}
    if ask.version_id is not None:
        headers["x-oss-version-id"] = ask.version_id
    return await call.services.callbacks.send(ask.prepared, values, endpoint=call.endpoint, headers=headers)
