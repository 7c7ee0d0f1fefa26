"""Upload-request links: the owner's side (make, list, revoke), and `open`, which anybody may call who has a link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mossaic.gateway.admit import ip_of
from mossaic.gateway.console.api import api
from mossaic.model.upload_request import (
    DEFAULT_LIFE_S,
    DEFAULT_OBJECT,
    DEFAULT_OBJECTS,
    DEFAULT_TOTAL,
    MAX_BYTES,
    MAX_LIFE_S,
    MAX_NOTE,
    MAX_OBJECTS,
    MAX_TITLE,
    MIN_LIFE_S,
    Limits,
)
from mossaic.protocol.limits import MAX_KEY_BYTES
from mossaic.protocol.signing.verify import iso
from mossaic.service.requests import Key, Wish

if TYPE_CHECKING:
    from datetime import datetime

    from mossaic.gateway.console.api import ApiCall
    from mossaic.model.upload_request import UploadRequest

_LONGEST_SECRET = 128


@api.on("POST", "requests")
async def create_request(call: ApiCall) -> dict[str, object]:
    """A new link. Its URL is in this answer and nowhere else: only a hash of the secret is kept."""
    bucket = await call.bucket(call.text("bucket"))
    wish = Wish(
        prefix=call.text("prefix", "", longest=MAX_KEY_BYTES),
        title=call.text("title", "", longest=MAX_TITLE),
        note=call.text("note", "", longest=MAX_NOTE),
        limits=Limits(
            object_bytes=call.number("max_object_bytes", DEFAULT_OBJECT, least=1, most=MAX_BYTES),
            total_bytes=call.number("max_total_bytes", DEFAULT_TOTAL, least=1, most=MAX_BYTES),
            objects=call.number("max_objects", DEFAULT_OBJECTS, least=1, most=MAX_OBJECTS),
        ),
        life_s=call.number("expires_s", DEFAULT_LIFE_S, least=MIN_LIFE_S, most=MAX_LIFE_S),
    )
    await call.authorize("mossaic:PutUploadRequest", bucket, wish.folder)
    # What comes through the link is written with the rights of who made it: asked now, and at each write again.
    await call.authorize("oss:PutObject", bucket, f"{wish.folder}visit/file")
    made = await call.services.requests.create(call.principal, bucket, wish, call.now)
    fragment = f"{made.request.request_id}.{made.secret.reveal()}"
    return {"request": shown(made.request, call.now), "url": f"{call.endpoint}/-/drop/#{fragment}"}


@api.on("GET", "requests")
async def list_requests(call: ApiCall) -> dict[str, object]:
    """The links of a bucket, newest first; ended ones for thirty days."""
    bucket = await call.bucket(call.parameter("bucket"))
    await call.authorize("mossaic:ListUploadRequests", bucket)
    found = await call.services.requests.of_bucket(bucket)
    return {"requests": [shown(each, call.now) for each in found]}


@api.on("DELETE", "requests")
async def revoke_request(call: ApiCall) -> dict[str, object]:
    """End a link at once."""
    request_id = call.parameter("id")
    request = await call.services.requests.find(request_id)
    bucket = await call.bucket(request.bucket)
    await call.authorize("mossaic:DeleteUploadRequest", bucket, request.prefix)
    return {"request": shown(await call.services.requests.revoke(request_id, call.now), call.now)}


@api.on("POST", "requests/open", unsigned=True)
async def open_request(call: ApiCall) -> dict[str, object]:
    """Credentials for a visit. `session`, the token of an earlier answer, goes on with that visit."""
    key = Key(
        request_id=_bounded(call, "id"),
        secret=_bounded(call, "secret"),
        token=call.text("session", "", longest=8192) or None,
    )
    address = ip_of(call.call.request.remote)
    opened = await call.services.requests.open(key, address, call.now)
    request, session = opened.request, opened.session
    return {
        "accessKeyId": session.access_key_id,
        "accessKeySecret": session.secret.reveal(),
        "securityToken": opened.token,
        "expiration": iso(session.expires_at),
        "region": call.facts.region,
        "bucket": request.bucket,
        "folder": session.folder,
        "request": {
            "title": request.title,
            "note": request.note,
            "expires_at": iso(request.expires_at),
            "max_object_bytes": request.limits.object_bytes,
            "max_total_bytes": request.limits.total_bytes,
            "max_objects": request.limits.objects,
            "left_bytes": request.left_bytes,
            "left_objects": request.left_objects,
        },
    }


def _bounded(call: ApiCall, name: str) -> str:
    return call.text(name, "", longest=_LONGEST_SECRET)


def shown(request: UploadRequest, now: datetime) -> dict[str, object]:
    """A link as its owner sees it; there is no way back to its secret."""
    return {
        "id": request.request_id,
        "bucket": request.bucket,
        "prefix": request.prefix,
        "title": request.title,
        "note": request.note,
        "created_by": request.creator.user or "account",
        "access_key_id": request.creator.key_id,
        "created_at": iso(request.created_at),
        "expires_at": iso(request.expires_at),
        "revoked_at": None if request.revoked_at is None else iso(request.revoked_at),
        "state": _state(request, now),
        "max_object_bytes": request.limits.object_bytes,
        "max_total_bytes": request.limits.total_bytes,
        "max_objects": request.limits.objects,
        "used_objects": request.used_objects,
        "used_bytes": request.used_bytes,
        "held_bytes": request.held_bytes,
    }


def _state(request: UploadRequest, now: datetime) -> str:
    if request.revoked_at is not None:
        return "revoked"
    if request.has_ended(now):
        return "expired"
    return "open" if request.left_objects and request.left_bytes else "full"
