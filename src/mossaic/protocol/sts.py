"""What STS says on the wire: its error codes, and the answers of AssumeRole and GetCallerIdentity in JSON and XML.

Source: Alibaba Cloud STS API 2015-04-01. STS is an RPC API: one path, parameters in query or form, answers unlike those of OSS.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, TypeAlias

from mossaic.protocol.errors import ErrorRow
from mossaic.protocol.xml import DECLARATION, escape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.protocol.errors import OssError

VERSION: Final = "2015-04-01"
MIN_SESSION_S: Final = 900
DEFAULT_SESSION_S: Final = 3600
MAX_SESSION_S: Final = 43_200  # twelve hours, the most a role may be set to
MAX_SESSION_POLICY: Final = 2048  # bytes

Document: TypeAlias = "Mapping[str, str | Document]"

INVALID_PARAMETER_ROLE_ARN: Final = ErrorRow(
    "InvalidParameter.RoleArn", 400, "The parameter RoleArn is wrongly formed."
)
INVALID_PARAMETER_SESSION_NAME: Final = ErrorRow(
    "InvalidParameter.RoleSessionName", 400, "The parameter RoleSessionName is wrongly formed."
)
INVALID_PARAMETER_DURATION: Final = ErrorRow(
    "InvalidParameter.DurationSeconds", 400, "The Min/Max value of DurationSeconds is 15min/1hr."
)
INVALID_PARAMETER_POLICY: Final = ErrorRow(
    "InvalidParameter.PolicyGrammar", 400, "The parameter Policy has not passed grammar check."
)
INVALID_PARAMETER_POLICY_SIZE: Final = ErrorRow(
    "InvalidParameter.PolicySize", 400, f"The size of Policy must be smaller than {MAX_SESSION_POLICY} bytes."
)
INVALID_PARAMETER: Final = ErrorRow("InvalidParameter", 400, "A parameter of the call is wrongly formed.")
NO_PERMISSION: Final = ErrorRow(
    "NoPermission", 403, "You are not authorized to do this action. You should be authorized by RAM."
)
NO_SUCH_ROLE: Final = ErrorRow("EntityNotExist.Role", 404, "The specified Role not exists.")
NO_SUCH_KEY_ID: Final = ErrorRow("InvalidAccessKeyId.NotFound", 404, "Specified access key is not found.")
INACTIVE_KEY_ID: Final = ErrorRow("InvalidAccessKeyId.Inactive", 400, "Specified access key is disabled.")
# aliyun-python-sdk-core splits the message of this code at ":" and takes the second piece: there must be one.
SIGNATURE_MISMATCH: Final = ErrorRow(
    "SignatureDoesNotMatch",
    400,
    "Specified signature is not matched with our calculation. server string to sign is:",
)
TIME_FORMAT: Final = ErrorRow(
    "InvalidTimeStamp.Format", 400, "Specified time stamp or date value is not well formatted."
)
TIME_EXPIRED: Final = ErrorRow(
    "InvalidTimeStamp.Expired", 400, "Specified time stamp or date value is expired."
)
NONCE_USED: Final = ErrorRow("SignatureNonceUsed", 400, "Specified signature nonce was used already.")
MISSING_TOKEN: Final = ErrorRow("MissingSecurityToken", 400, "SecurityToken is mandatory for this action.")
TOKEN_MALFORMED: Final = ErrorRow(
    "InvalidSecurityToken.Malformed", 400, "Specified SecurityToken is malformed."
)
TOKEN_EXPIRED: Final = ErrorRow("InvalidSecurityToken.Expired", 400, "Specified SecurityToken is expired.")
TOKEN_MISMATCH: Final = ErrorRow(
    "InvalidSecurityToken.MismatchWithAccessKey",
    400,
    "Specified SecurityToken mismatch with the AccessKey.",
)
NO_SUCH_API: Final = ErrorRow(
    "InvalidApi.NotFound", 404, "Specified api is not found, please check your url and method."
)
THROTTLING: Final = ErrorRow("Throttling.User", 400, "Request was denied due to user flow control.")
INTERNAL_ERROR: Final = ErrorRow("InternalError", 500, "STS Server Internal Error happened.")


def answer(root: str, fields: Document, *, as_xml: bool) -> tuple[str, bytes]:
    """(content type, body). `root` is the XML root element; JSON has none."""
    if as_xml:
        return "text/xml", f"{DECLARATION}<{root}>{_elements(fields)}</{root}>\n".encode("utf-8", "replace")
    return "application/json", json.dumps(fields, separators=(",", ":")).encode()


def error_fields(error: OssError, *, request_id: str, host: str) -> Document:
    return {"RequestId": request_id, "HostId": host, "Code": error.code, "Message": error.message}


def _elements(fields: Document) -> str:
    return "".join(
        f"<{name}>{escape(value) if isinstance(value, str) else _elements(value)}</{name}>"
        for name, value in fields.items()
    )
