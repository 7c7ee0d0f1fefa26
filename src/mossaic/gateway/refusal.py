"""Errors as answers: OSS's XML envelope, `x-oss-err` where there is no body, InternalError for what we did not foresee.

Source: OSS API "error responses"; no namespace, or oss2, v2 and Java find no element. HEAD answers carry the whole document
in base64 in `x-oss-err`, but a 304 never does: oss2 takes (304, no code) for NotModified. A document too long for a header
(a string to sign with much metadata) goes without its extra elements: Node gives up beyond 16 KiB of headers.
"""

from __future__ import annotations

import base64
import errno
import logging
import re
from typing import TYPE_CHECKING, Final

from mossaic.gateway.message import HttpResponse
from mossaic.ports import Busy, Full
from mossaic.protocol.errors import INTERNAL_ERROR, SERVICE_UNAVAILABLE, OssError
from mossaic.protocol.xml import DECLARATION, escape

if TYPE_CHECKING:
    from mossaic.gateway.record import RequestRecord

_log = logging.getLogger("mossaic.gateway")
# In listings they are references that no strict reader takes, as the real service's are; here the code must be readable
# whatever the key: ali-oss finds none in a document that it cannot parse.
_NOT_XML: Final = "[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]"
_MAX_IN_HEADER: Final = 4 * 1024  # bytes of a document, before base64


def error_document(error: OssError, *, request_id: str, host: str, extras: bool = True) -> bytes:
    """`Error{Code, Message, RequestId, HostId, extras …, EC}`."""
    elements = {
        "Code": error.code,
        "Message": error.message,
        "RequestId": request_id,
        "HostId": host,
        **(error.extras if extras else {}),
    }
    if error.ec:
        elements["EC"] = error.ec
    inner = "".join(f"  <{name}>{_readable(text)}</{name}>\n" for name, text in elements.items())
    return f"{DECLARATION}<Error>\n{inner}</Error>\n".encode("utf-8", "replace")


def _readable(text: str) -> str:
    return escape(re.sub(_NOT_XML, "\ufffd", text))


def refuse(error: OssError, *, method: str, request_id: str, host: str) -> HttpResponse:
    headers = [*error.headers.items()]
    if error.status == 304:
        return HttpResponse(status=304, headers=headers)
    document = error_document(error, request_id=request_id, host=host)
    headers.append(("Content-Type", "application/xml"))
    if error.ec:
        headers.append(("x-oss-ec", error.ec))
    if method == "HEAD":
        if len(document) > _MAX_IN_HEADER:
            document = error_document(error, request_id=request_id, host=host, extras=False)
        headers.append(("x-oss-err", base64.b64encode(document).decode()))
        return HttpResponse(status=error.status, headers=headers, content_length=0)
    return HttpResponse(status=error.status, headers=headers, body=document)


def refusal_of(error: Exception, record: RequestRecord) -> HttpResponse:
    """The answer to a request that ended so; the record is told."""
    known = _in_words(error, record)
    record.code, record.ec = known.code, known.ec
    return refuse(known, method=record.method, request_id=record.request_id, host=record.host)


def _in_words(error: Exception, record: RequestRecord) -> OssError:
    """A full disk can be waited for (503, clients try again); what is none of these is a fault of ours."""
    if isinstance(error, OssError):
        return error
    if isinstance(error, Busy) and not isinstance(error, Full):
        return OssError(SERVICE_UNAVAILABLE)
    _log.error("request %s (%s) failed", record.request_id, record.operation, exc_info=error)
    no_room = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    if no_room or isinstance(error, Full):
        return OssError(SERVICE_UNAVAILABLE, "There is no space left to store the request's data.")
    return OssError(INTERNAL_ERROR)
