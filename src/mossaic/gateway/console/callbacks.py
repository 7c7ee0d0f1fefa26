"""The callback inspector: what was sent for uploads to a bucket, what came back, and sending it again."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from mossaic.gateway.console.api import api
from mossaic.protocol.errors import INVALID_ARGUMENT, NO_SUCH_KEY, OssError
from mossaic.protocol.signing.verify import iso

if TYPE_CHECKING:
    from mossaic.gateway.console.api import ApiCall
    from mossaic.service.callback_log import CallbackRecord, CallbackTry

_PAGE: Final = 50
_MAX_PAGE: Final = 200


@api.on("GET", "callbacks")
async def list_callbacks(call: ApiCall) -> dict[str, object]:
    """The last callbacks of a bucket, the newest first; `query.limit` of them."""
    bucket = await call.bucket(call.parameter("bucket"))
    await call.authorize("mossaic:ListCallbacks", bucket)
    records = islice(call.services.callbacks.log.of(bucket.name), _limit(call))
    return {"callbacks": [_shown(record) for record in records]}


@api.on("POST", "callbacks/replay")
async def replay_callback(call: ApiCall) -> dict[str, object]:
    """The new record. A receiver that refuses again is no error of this call."""
    record = call.services.callbacks.log.find(call.text("id", longest=64))
    if record is None:
        raise OssError(NO_SUCH_KEY, "The callback is not kept any more.")
    await call.authorize("mossaic:ReplayCallback", await call.bucket(record.bucket))
    return _shown(await call.services.callbacks.replay(record, endpoint=call.endpoint))


def _limit(call: ApiCall) -> int:
    text = call.parameter("limit", str(_PAGE))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= _MAX_PAGE):
        message = f"limit must be a number from 1 to {_MAX_PAGE}."
        raise OssError(INVALID_ARGUMENT, message, ArgumentName="limit", ArgumentValue=text)
    return int(text)


def _shown(record: CallbackRecord) -> dict[str, object]:
    """The signature and what it covers are the last try's: they differ by the receiver's path."""
    tries = [_shown_try(record, each) for each in record.tries]
    last = tries[-1] if tries else {}
    return {
        "id": record.id,
        "at": iso(record.at),
        "bucket": record.bucket,
        "key": record.key,
        "upload_id": record.upload_id,
        "operation": record.operation,
        "url": last.get("url", record.spec.targets[0].url),
        "host": record.spec.host,
        "content_type": record.spec.body_type,
        "body": _text(record.body),
        "signature": last.get("signature"),
        "signed_text": last.get("signed_text"),
        "pub_key_url": record.public_key_url,
        "ok": record.ok,
        "replay_of": record.replay_of,
        "tries": tries,
    }


def _shown_try(record: CallbackRecord, each: CallbackTry) -> dict[str, object]:
    return {
        "url": each.target.url,
        "address": each.address,
        "headers": dict(each.headers),
        "signature": each.signature,
        "signed_text": _text(each.signed_text(record.body)),
        "status": each.status,
        "answer": _text(each.answer),
        "truncated": each.truncated,
        "ms": each.ms,
        "error": each.error,
    }


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
