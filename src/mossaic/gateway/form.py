"""PostObject: fields, then who and may they, then the file, all in one pass over the body.

The body is read in a worker thread. When the fields are known it asks the event loop to authenticate and to check the form's
policy, and only then reads the file: nothing is stored for a form that is refused.
"""

from __future__ import annotations

import asyncio
import posixpath
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from mossaic.gateway.call import Call, Permission, handlers
from mossaic.gateway.form_reader import FilePart, FormReader, boundary_of
from mossaic.gateway.handlers.callback import answer_of, prepare
from mossaic.gateway.handlers.object_facts import content_md5
from mossaic.model import post_policy
from mossaic.model.headers import Attributes, attributes, plain
from mossaic.model.names import object_key
from mossaic.protocol.addressing import object_url
from mossaic.protocol.codec import read_request
from mossaic.protocol.errors import (
    ACCESS_DENIED,
    ENTITY_TOO_SMALL,
    INVALID_ARGUMENT,
    REQUEST_IS_NOT_MULTI_PART_CONTENT,
    OssError,
)
from mossaic.protocol.limits import MAX_CLOCK_SKEW_S, MAX_OBJECT_SIZE, MAX_PRESIGN_V4_S
from mossaic.protocol.operations.form import POST_OBJECT, PostObject, PostObjectResult
from mossaic.protocol.shapes import WritesObject
from mossaic.protocol.signing import post
from mossaic.protocol.signing.request import same
from mossaic.protocol.signing.v4 import NAME as V4_NAME
from mossaic.protocol.signing.v4 import TERMINATOR, Scope
from mossaic.protocol.signing.verify import mismatch, parse_time
from mossaic.protocol.wire import Message
from mossaic.quick import dataclass
from mossaic.service.identity import Presented
from mossaic.service.intake import Expected, Received

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.gateway.message import HttpRequest
    from mossaic.model.names import ObjectKey
    from mossaic.ports import BodyReader, Stored
    from mossaic.protocol.addressing import Address
    from mossaic.service.callbacks import Prepared

_TRIPLE: Final = ("ossaccesskeyid", "policy", "signature")
_LONGEST_CREDENTIAL: Final = 256  # characters; keys are kept by what it names, and a stranger could name much
_V4_FIELDS: Final = ("policy", "x-oss-credential", "x-oss-date", "x-oss-signature")


def matches(request: HttpRequest, address: Address) -> bool:
    """A form that is posted to a bucket."""
    return (
        request.method == "POST"
        and address.bucket is not None
        and address.key is None
        and request.header("content-type").lower().startswith("multipart/form-data")
    )


@handlers.on(POST_OBJECT)
async def refuse_other_content(call: Call, asked: PostObject) -> PostObjectResult:
    """What is posted to a bucket without a sub-resource has to be a form."""
    raise OssError(
        REQUEST_IS_NOT_MULTI_PART_CONTENT,
        ContentType=call.header("content-type") or "",
        BucketName=asked.bucket,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Admitted:
    """A form that may be stored. `size` is the inclusive range of the file's size in bytes."""

    key: ObjectKey
    said: Attributes
    size: tuple[int, int]
    callback: Prepared | None


async def post_object(call: Call) -> PostObjectResult:
    """Raises OssError for whatever is wrong with the form, its signature, its policy or the file."""
    boundary = boundary_of(call.request.header("content-type"))
    loop = asyncio.get_running_loop()

    def read(reader: BodyReader) -> tuple[Mapping[str, str], _Admitted, Received]:
        form = FormReader(reader, boundary)
        fields, file = form.fields()
        admitted = asyncio.run_coroutine_threadsafe(_admit(call, fields, file), loop).result()
        expected = Expected(
            content_md5=fields.get("content-md5"), max_size=min(admitted.size[1], MAX_OBJECT_SIZE)
        )
        return fields, admitted, call.services.intake.take(form, expected)

    fields, admitted, received = await call.body.consume(read)
    if received.size < admitted.size[0]:
        await call.services.intake.discard(received)
        raise OssError(
            ENTITY_TOO_SMALL, ec="0006-00000004", ProposedSize=received.size, MinSizeAllowed=admitted.size[0]
        )
    stored = await call.services.objects.put_received(call.bucket, admitted.key, received, said=admitted.said)
    return _result(call, fields, stored, await answer_of(call, stored, admitted.callback))


def _result(
    call: Call, fields: Mapping[str, str], stored: Stored, callback_answer: bytes | None
) -> PostObjectResult:
    version = stored.version
    redirect = fields.get("success_action_redirect") or None
    wanted = fields.get("success_action_status", "")
    status = int(wanted) if wanted in ("200", "201", "204") else 204
    if redirect is not None:
        status = 303
    return PostObjectResult(
        status=200 if callback_answer is not None else status,
        bucket=version.bucket,
        key=version.key,
        location=object_url(call.endpoint, version.bucket, version.key),
        etag=version.etag,
        etag_header=version.etag,
        content_md5=content_md5(version.md5),
        crc64=version.crc64,
        version_id=stored.version_id,
        redirect=redirect if callback_answer is None else None,
        callback_answer=callback_answer,
    )


# --- may it be stored -------------------------------------------------------------------------------------------------


async def _admit(call: Call, fields: dict[str, str], file: FilePart) -> _Admitted:
    raw_key = fields.get("key")
    if raw_key is None:
        raise OssError(
            INVALID_ARGUMENT,
            "The form has no key field before the file.",
            ArgumentName="key",
            ArgumentValue="",
        )
    policy = await _authenticate(call, fields)
    bucket = call.bucket
    size = (0, MAX_OBJECT_SIZE)
    if policy is not None:
        # The type that will be stored is the one that is compared, wherever in the form it comes from.
        stored_type = _content_type(fields, file)
        typed = {"content-type": stored_type} if stored_type else {}
        policy.check({**fields, **typed, "bucket": bucket.name}, call.now)
        size = policy.size or size
    key = object_key(raw_key.replace("${filename}", _base_name(file.filename)))
    tagging = fields.get("x-oss-tagging", "")
    wanted = Permission(action="oss:PutObject", bucket=bucket, key=key, write=True, tagging=tagging)
    await call.authorize(wanted)
    plain("success_action_redirect", fields.get("success_action_redirect", ""))
    said = attributes(_shape(fields, file, bucket.name, key), key, bucket.storage_class)
    await call.services.objects.refuse_overwrite(bucket, key, forbidden=said.forbid_overwrite)
    variables = {name: value for name, value in fields.items() if name.startswith("x:")}
    callback = await prepare(call, fields.get("callback"), None, variables=variables)
    return _Admitted(key=key, said=said, size=size, callback=callback)


def _base_name(filename: str) -> str:
    """Old browsers sent whole paths."""
    return posixpath.basename(filename.replace("\\", "/"))


def _content_type(fields: Mapping[str, str], file: FilePart) -> str | None:
    return fields.get("x-oss-content-type") or file.content_type or fields.get("content-type")


def _shape(fields: Mapping[str, str], file: FilePart, bucket: str, key: str) -> WritesObject:
    """The fields stand for the headers of the same names; of the content types the special field wins, then the file's own."""
    headers = dict(fields)
    content_type = _content_type(fields, file)
    headers.pop("content-type", None)
    if content_type:
        headers["content-type"] = content_type
    return read_request(WritesObject, Message(method="POST", bucket=bucket, key=key, headers=headers))


async def _authenticate(call: Call, fields: Mapping[str, str]) -> post_policy.PostPolicy | None:
    """Sets the call's principal; the form's policy, None for an anonymous form. Raises OssError."""
    if "x-oss-signature-version" in fields:
        return await _authenticate_v4(call, fields)
    given = [name for name in _TRIPLE if fields.get(name)]
    if not given:
        return None
    for name, ec, word in zip(
        _TRIPLE,
        ("0002-00000703", "0002-00000702", "0002-00000704"),
        ("accessKeyId", "policy", "signature"),
        strict=True,
    ):
        if name not in given:
            raise OssError(
                INVALID_ARGUMENT, f"Post request {word} is empty.", ec=ec, ArgumentName=word, ArgumentValue=""
            )
    secret = await _credentials(call, fields["ossaccesskeyid"].strip(), fields)
    policy_text = fields["policy"].strip()
    expected = post.signature_v1(secret, policy_text)
    _compare(fields["ossaccesskeyid"].strip(), expected, fields["signature"].strip(), policy_text)
    return post_policy.parse(policy_text)


async def _authenticate_v4(call: Call, fields: Mapping[str, str]) -> post_policy.PostPolicy:
    if fields["x-oss-signature-version"] != V4_NAME:
        raise OssError(
            INVALID_ARGUMENT,
            ArgumentName="x-oss-signature-version",
            ArgumentValue=fields["x-oss-signature-version"],
        )
    for name in _V4_FIELDS:
        if not fields.get(name):
            ec = "0002-00000702" if name == "policy" else "0002-00000704"
            raise OssError(
                INVALID_ARGUMENT, f"Post request {name} is empty.", ec=ec, ArgumentName=name, ArgumentValue=""
            )
    access_key_id, scope = _scope(fields["x-oss-credential"])
    _check_v4_time(fields["x-oss-date"], scope, call.now)
    secret = await _credentials(call, access_key_id, fields)
    policy_text = fields["policy"].strip()
    _compare(
        access_key_id,
        post.signature_v4(secret, scope, policy_text),
        fields["x-oss-signature"].strip(),
        policy_text,
    )
    return post_policy.parse(policy_text)


def _scope(credential: str) -> tuple[str, Scope]:
    pieces = credential.strip().rsplit("/", 4)
    is_valid = len(pieces) == 5 and pieces[4] == TERMINATOR and len(credential) <= _LONGEST_CREDENTIAL
    if not is_valid or re.fullmatch(r"[0-9]{8}", pieces[1]) is None:
        raise OssError(
            INVALID_ARGUMENT, ec="0002-00000710", ArgumentName="x-oss-credential", ArgumentValue=credential
        )
    return pieces[0], Scope(day=pieces[1], region=pieces[2], product=pieces[3])


def _check_v4_time(text: str, scope: Scope, now: datetime) -> None:
    """Good from fifteen minutes before its time until seven days after it."""
    moment = parse_time(text)
    if moment is None or moment.astimezone(UTC).strftime("%Y%m%d") != scope.day:
        raise OssError(INVALID_ARGUMENT, ec="0002-00000709", ArgumentName="x-oss-date", ArgumentValue=text)
    if now < moment - timedelta(seconds=MAX_CLOCK_SKEW_S):
        raise OssError(ACCESS_DENIED, "The form is not valid yet.", ec="0002-00000235")
    if now > moment + timedelta(seconds=MAX_PRESIGN_V4_S):
        raise OssError(ACCESS_DENIED, "Request has expired.", ec="0002-00000235")


async def _credentials(call: Call, access_key_id: str, fields: Mapping[str, str]) -> str:
    presented = Presented(access_key_id=access_key_id, token=fields.get("x-oss-security-token") or None)
    found = await call.admission.credentials(presented, call.now)
    call.principal = found.principal
    return found.secret.reveal()


def _compare(access_key_id: str, expected: str, provided: str, policy_text: str) -> None:
    if not same(expected, provided):
        raise mismatch(access_key_id, provided, policy_text, ec="0002-00000705")
