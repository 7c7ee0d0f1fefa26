"""The error table: every code that Mossaic answers with, its HTTP status and message, and the exception that carries one.

Source: OSS API error responses; the table follows what official clients key their exceptions on (status and code).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from mossaic.quick import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """A code of OSS with the status and the message that it usually has."""

    code: str
    status: int
    message: str


ERRORS: Final[dict[str, ErrorRow]] = {}


def row(code: str, status: int, message: str) -> ErrorRow:
    assert code not in ERRORS, code
    ERRORS[code] = made = ErrorRow(code, status, message)
    return made


class OssError(Exception):
    """An answer other than success, in OSS's words.

    `ec` is OSS's detailed error code (`NNNN-NNNNNNNN`). `extras` become elements of the error document, in order
    (for example `UploadId`). `headers` are added to the answer. `message` replaces the row's text.
    """

    def __init__(
        self,
        row: ErrorRow,
        message: str | None = None,
        *,
        ec: str | None = None,
        headers: Mapping[str, str] | None = None,
        **extras: str | float,
    ) -> None:
        super().__init__(message or row.message)
        self.row = row
        self.message = message or row.message
        self.ec = ec
        self.headers: Mapping[str, str] = headers or {}
        self.extras = {name: str(value) for name, value in extras.items()}

    @property
    def code(self) -> str:
        return self.row.code

    @property
    def status(self) -> int:
        return self.row.status

    def __str__(self) -> str:
        return f"{self.row.code}: {self.message}"


CALLBACK_FAILED: Final = row("CallbackFailed", 203, "The object is stored, but the upload callback failed.")
NOT_MODIFIED: Final = row("NotModified", 304, "The object was not modified.")
INVALID_ARGUMENT: Final = row("InvalidArgument", 400, "An argument of the request is not valid.")
MISSING_ARGUMENT: Final = row("MissingArgument", 400, "A required argument is missing.")
INVALID_BUCKET_NAME: Final = row("InvalidBucketName", 400, "The specified bucket is not valid.")
INVALID_OBJECT_NAME: Final = row("InvalidObjectName", 400, "The specified object is not valid.")
TOO_MANY_BUCKETS: Final = row(
    "TooManyBuckets",
    400,
    "You have attempted to create more buckets than allowed.",
)
INVALID_LOCATION_CONSTRAINT: Final = row(
    "InvalidLocationConstraint",
    400,
    "The specified location constraint is not valid.",
)
NOT_IMPLEMENTED: Final = row(
    "NotImplemented",
    400,
    "A header or parameter you provided implies functionality that is not implemented.",
)
# A whole operation that Mossaic does not have: 501, where OSS itself has only the 400 above.
OPERATION_NOT_IMPLEMENTED: Final = ErrorRow("NotImplemented", 501, "The operation is not implemented.")
INVALID_REQUEST: Final = row("InvalidRequest", 400, "The request is not valid.")
BAD_REQUEST: Final = row("BadRequest", 400, "The request is not a valid preflight request.")
MALFORMED_XML: Final = row(
    "MalformedXML",
    400,
    "The XML you provided was not well-formed or did not validate against our published schema.",
)
INVALID_DIGEST: Final = row("InvalidDigest", 400, "The Content-MD5 you specified was invalid.")
INVALID_CRC64: Final = row(
    "InvalidCRC64",
    400,
    "The x-oss-hash-crc64ecma you specified does not match the received data.",
)
INCOMPLETE_BODY: Final = row(
    "IncompleteBody",
    400,
    "You did not provide the number of bytes specified by the Content-Length HTTP header.",
)
REQUEST_TIMEOUT: Final = row(
    "RequestTimeout",
    400,
    "Your socket connection to the server was not read from or written to within the timeout period.",
)
ENTITY_TOO_LARGE: Final = row("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size.")
ENTITY_TOO_SMALL: Final = row(
    "EntityTooSmall",
    400,
    "Your proposed upload is smaller than the minimum allowed size.",
)
INVALID_PART: Final = row(
    "InvalidPart",
    400,
    "One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag.",
)
INVALID_PART_ORDER: Final = row(
    "InvalidPartOrder",
    400,
    "The list of parts was not in ascending order. Parts list must specified in order by part number.",
)
PART_NOT_SEQUENTIAL: Final = row(
    "PartNotSequential",
    400,
    "The part is not the next one of a sequential upload.",
)
PART_ALREADY_EXIST: Final = row(
    "PartAlreadyExist",
    409,
    "A part of a sequential upload cannot be uploaded again.",
)
OPERATION_NOT_SUPPORTED: Final = row(
    "OperationNotSupported",
    400,
    "The operation is not supported for this resource.",
)
INVALID_ENCRYPTION_ALGORITHM_ERROR: Final = row(
    "InvalidEncryptionAlgorithmError",
    400,
    "The encryption request you specified is not valid. Supported value: AES256, KMS, SM4.",
)
INVALID_TARGET_TYPE: Final = row(
    "InvalidTargetType",
    400,
    "The symbolic link points to another symbolic link.",
)
NOT_SYMLINK: Final = row("NotSymlink", 400, "The object is not a symbolic link.")
INVALID_TAGGING_KEY: Final = row("InvalidTaggingKey", 400, "The tag key you provided is not valid.")
INVALID_TAG: Final = row("InvalidTag", 400, "The tag you provided is not valid.")
REPEATED_TAGS: Final = row("RepeatedTags", 400, "The tag keys are not unique.")
TOO_MANY_TAGS: Final = row("TooManyTags", 400, "The bucket has more tags than allowed.")
USER_KEY_MUST_BE_SPECIFIED: Final = row("UserKeyMustBeSpecified", 400, "The object name must be specified.")
CORS_RULE_BEYOND_LIMIT: Final = row("CORSRuleBeyondLimit", 400, "The number of CORS rules exceeds the limit.")
INVALID_TARGET_BUCKET_FOR_LOGGING: Final = row(
    "InvalidTargetBucketForLogging",
    400,
    "The target bucket for logging is not valid.",
)
INVALID_POLICY_DOCUMENT: Final = row("InvalidPolicyDocument", 400, "The policy document is not valid.")
MALFORMED_POST_REQUEST: Final = row(
    "MalformedPOSTRequest",
    400,
    "The body of your POST request is not well-formed multipart/form-data.",
)
REQUEST_IS_NOT_MULTI_PART_CONTENT: Final = row(
    "RequestIsNotMultiPartContent",
    400,
    "Bucket POST must be of the enclosure-type multipart/form-data.",
)
INCORRECT_NUMBER_OF_FILES_IN_POST_REQUEST: Final = row(
    "IncorrectNumberOfFilesInPOSTRequest",
    400,
    "POST requires exactly one file upload per request.",
)
FIELD_ITEM_TOO_LONG: Final = row("FieldItemTooLong", 400, "A form field's name or value is too long.")
MAX_POST_PRE_DATA_LENGTH_EXCEEDED_ERROR: Final = row(
    "MaxPOSTPreDataLengthExceededError",
    400,
    "Your POST request fields preceding the upload file were too large.",
)
INVALID_WORM_CONFIGURATION: Final = row("InvalidWORMConfiguration", 400, "The retention policy is not valid.")
ACCESS_DENIED: Final = row("AccessDenied", 403, "You have no right to access this object.")
ACCESS_FORBIDDEN: Final = row(
    "AccessForbidden",
    403,
    "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
)
SIGNATURE_DOES_NOT_MATCH: Final = row(
    "SignatureDoesNotMatch",
    403,
    "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
)
INVALID_ACCESS_KEY_ID: Final = row(
    "InvalidAccessKeyId",
    403,
    "The OSS Access Key Id you provided does not exist in our records.",
)
INVALID_SECURITY_TOKEN: Final = row(
    "InvalidSecurityToken",
    403,
    "The security token you provided is invalid.",
)
SECURITY_TOKEN_EXPIRED: Final = row(
    "SecurityTokenExpired",
    403,
    "The security token you provided has expired.",
)
ACCESS_KEY_ID_AND_SECURITY_TOKEN_NOT_MATCH: Final = row(
    "AccessKeyIdAndSecurityTokenNotMatch",
    403,
    "The OSS access key id and security token you provided does not match.",
)
REQUEST_TIME_TOO_SKEWED: Final = row(
    "RequestTimeTooSkewed",
    403,
    "The difference between the request time and the current time is too large.",
)
INVALID_OBJECT_STATE: Final = row(
    "InvalidObjectState",
    403,
    "The operation is not valid for the object's state.",
)
KMS_SERVICE_NOT_ENABLED: Final = row("KmsServiceNotEnabled", 403, "KMS is not available here.")
BUCKET_NOT_BELONG_TO: Final = row("BucketNotBelongTo", 403, "The bucket you access does not belong to you.")
WORM_CONFIGURATION_LOCKED: Final = row("WORMConfigurationLocked", 403, "The retention policy is locked.")
NO_SUCH_BUCKET: Final = row("NoSuchBucket", 404, "The specified bucket does not exist.")
NO_SUCH_KEY: Final = row("NoSuchKey", 404, "The specified key does not exist.")
NO_SUCH_VERSION: Final = row("NoSuchVersion", 404, "The specified version does not exist.")
NO_SUCH_UPLOAD: Final = row(
    "NoSuchUpload",
    404,
    "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
)
SYMLINK_TARGET_NOT_EXIST: Final = row(
    "SymlinkTargetNotExist",
    404,
    "The target of the symbolic link does not exist.",
)
NO_SUCH_CORS_CONFIGURATION: Final = row(
    "NoSuchCORSConfiguration",
    404,
    "The CORS Configuration does not exist.",
)
NO_SUCH_LIFECYCLE: Final = row("NoSuchLifecycle", 404, "No Row found in Lifecycle Table.")
NO_SUCH_WEBSITE_CONFIGURATION: Final = row(
    "NoSuchWebsiteConfiguration",
    404,
    "The specified bucket does not have a website configuration.",
)
NO_SUCH_BUCKET_POLICY: Final = row("NoSuchBucketPolicy", 404, "The bucket policy does not exist.")
NO_SUCH_SERVER_SIDE_ENCRYPTION_RULE: Final = row(
    "NoSuchServerSideEncryptionRule",
    404,
    "The server side encryption rule is not found.",
)
NO_SUCH_INVENTORY: Final = row("NoSuchInventory", 404, "The inventory configuration does not exist.")
NO_SUCH_WORM_CONFIGURATION: Final = row(
    "NoSuchWORMConfiguration",
    404,
    "The retention policy does not exist.",
)
NO_SUCH_TRANSFER_ACCELERATION_CONFIGURATION: Final = row(
    "NoSuchTransferAccelerationConfiguration",
    404,
    "Transfer acceleration was never configured.",
)
NO_SUCH_REGION: Final = row("NoSuchRegion", 404, "The region does not exist.")
METHOD_NOT_ALLOWED: Final = row(
    "MethodNotAllowed",
    405,
    "The specified method is not allowed against this resource.",
)
BUCKET_ALREADY_EXISTS: Final = row(
    "BucketAlreadyExists",
    409,
    "The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again.",
)
BUCKET_NOT_EMPTY: Final = row("BucketNotEmpty", 409, "The bucket you tried to delete is not empty.")
FILE_ALREADY_EXISTS: Final = row(
    "FileAlreadyExists",
    409,
    "The object you specified already exists and can not be overwritten.",
)
FILE_IMMUTABLE: Final = row("FileImmutable", 409, "The object is under retention.")
OBJECT_NOT_APPENDABLE: Final = row("ObjectNotAppendable", 409, "The object is not appendable.")
POSITION_NOT_EQUAL_TO_LENGTH: Final = row(
    "PositionNotEqualToLength",
    409,
    "Position is not equal to file length.",
)
RESTORE_ALREADY_IN_PROGRESS: Final = row(
    "RestoreAlreadyInProgress",
    409,
    "The restore operation is in progress.",
)
MISSING_CONTENT_LENGTH: Final = row(
    "MissingContentLength",
    411,
    "You must provide the Content-Length HTTP header.",
)
PRECONDITION_FAILED: Final = row(
    "PreconditionFailed",
    412,
    "At least one of the pre-conditions you specified did not hold.",
)
INVALID_RANGE: Final = row("InvalidRange", 416, "The requested range cannot be satisfied.")
INTERNAL_ERROR: Final = row("InternalError", 500, "We encountered an internal error. Please try again.")
SERVICE_UNAVAILABLE: Final = row(
    "ServiceUnavailable",
    503,
    "The service cannot take the request now. Please try again later.",
)
