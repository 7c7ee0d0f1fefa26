"""What the SDK raises. A refusal by the server is a class named by its OSS code, so that `except NoSuchUpload` reads as it should."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mossaic.client.checkpoint import Checkpoint


class MossaicError(Exception):
    """Everything the SDK raises by itself.

    Where an upload failed, `checkpoint` is where it can go on from and `part_number` the part that failed, 1 … 10,000.
    """

    checkpoint: Checkpoint | None = None
    part_number: int | None = None


# --- the way to the server --------------------------------------------------------------------------------------------


class NetworkError(MossaicError, ConnectionError):
    """The exchange broke: refused, reset, name not found, TLS, an answer that ends too soon.

    `sent`: whether any byte of the request may have reached the server. `reused`: the connection had been idle in the pool.
    """

    def __init__(self, message: str, *, sent: bool = False, reused: bool = False) -> None:
        super().__init__(message)
        self.sent = sent
        self.reused = reused


class ConnectionTimeoutError(NetworkError, TimeoutError):
    """No connection, or no byte moved, within the time limit; named as in ali-oss.

    The seed's advice: reduce the part size, extend the timeout, or send the request again.
    """

    ADVICE: Final = "reduce the part size, extend the timeout, or send the request again"

    def __init__(self, message: str, *, sent: bool = False, reused: bool = False) -> None:
        super().__init__(f"{message}; {self.ADVICE}", sent=sent, reused=reused)


class DeadlineExceeded(MossaicError, TimeoutError):
    """The time given for the whole call is over. The last failure, if there was one, is the cause."""


class Cancelled(MossaicError):
    """The work was cancelled by its owner."""


class CredentialsError(MossaicError):
    """No usable credentials: none found, or the source of temporary ones failed. Says where was looked."""


# --- the transfer -----------------------------------------------------------------------------------------------------


class ChecksumMismatch(MossaicError):
    """The server's CRC-64 is not that of the bytes that were sent or received.

    A part or a download that differs is not used. An object that was put in one request from a file or a stream may be there, damaged on
    its way: put it again.
    """


class SourceChanged(MossaicError):
    """The source is no longer what it was when the upload began; the object was not made."""


class UploadCancelled(Cancelled):
    """The upload was cancelled and can be continued. `checkpoint` is where it stands."""

    def __init__(self, message: str, checkpoint: Checkpoint | None) -> None:
        super().__init__(message)
        self.checkpoint = checkpoint


class UploadAborted(Cancelled):
    """The upload was aborted, here or elsewhere: its upload id is gone and its parts are freed."""


class ObjectChanged(MossaicError):
    """The object was replaced or deleted while it was read. Nothing was put at the target, and nothing of it is kept."""


class DownloadCancelled(Cancelled):
    """The download was stopped by its owner. `resumable`: what had come is kept, and the same call goes on with it."""

    def __init__(self, message: str, *, resumable: bool = True) -> None:
        super().__init__(message)
        self.resumable = resumable


# --- refusals ---------------------------------------------------------------------------------------------------------


class ServerError(MossaicError):
    """The server's answer other than success. `ec` is OSS's detailed error code; `extras` are the further elements of the
    error document (`ServerTime`, `StringToSign`, …).

    `attempts`: how many requests were made; with more than one, an earlier one may have worked though its answer was lost.
    """

    def __init__(  # noqa: PLR0913  # the fields of an OSS error document
        self,
        *,
        code: str,
        status: int,
        message: str,
        request_id: str = "",
        host_id: str = "",
        ec: str = "",
        operation: str = "",
        extras: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.request_id = request_id
        self.host_id = host_id
        self.ec = ec
        self.operation = operation
        self.extras: Mapping[str, str] = extras or {}
        self.attempts = 1
        self.retry_after_s: float | None = None

    def __str__(self) -> str:
        said = f"{self.code}: {self.message}"
        part = f" (part {self.part_number})" if self.part_number is not None else ""
        known = [
            f"status {self.status}",
            self.operation,
            f"request id {self.request_id}" if self.request_id else "",
        ]
        known.append(f"EC {self.ec}" if self.ec else "")
        return f"{said}{part} [{', '.join(text for text in known if text)}]"

    def __reduce__(
        self,
    ) -> tuple[Any, ...]:  # Any: exceptions with keyword arguments do not pickle by themselves
        return _rebuild, (type(self), dict(vars(self)))


def _rebuild(kind: type[ServerError], fields: dict[str, Any]) -> ServerError:  # Any: as above
    later: dict[str, Any] = {
        name: fields.pop(name)
        for name in ("attempts", "retry_after_s", "part_number", "checkpoint")
        if name in fields
    }
    made = kind(**fields)
    vars(made).update(later)
    return made


# --- by code (OSS API: error responses); a code without a class of its own is a plain ServerError ----------------------


class InvalidArgument(ServerError):
    """An argument of the request is not valid."""


class MissingArgument(ServerError):
    """A required argument is missing."""


class InvalidRequest(ServerError):
    """The request is not valid."""


class BadRequest(ServerError):
    """The request is not a valid preflight request."""


class MalformedXML(ServerError):
    """The XML you provided was not well-formed or did not validate against our published schema."""


class InvalidDigest(ServerError):
    """The Content-MD5 you specified was invalid."""


class InvalidCRC64(ServerError):
    """The x-oss-hash-crc64ecma you specified does not match the received data."""


class IncompleteBody(ServerError):
    """You did not provide the number of bytes specified by the Content-Length HTTP header."""


class RequestTimeout(ServerError):
    """Your socket connection to the server was not read from or written to within the timeout period."""


class EntityTooLarge(ServerError):
    """Your proposed upload exceeds the maximum allowed size."""


class EntityTooSmall(ServerError):
    """Your proposed upload is smaller than the minimum allowed size."""


class MethodNotAllowed(ServerError):
    """The specified method is not allowed against this resource."""


class MissingContentLength(ServerError):
    """You must provide the Content-Length HTTP header."""


class AccessDenied(ServerError):
    """You have no right to access this object."""


class SignatureDoesNotMatch(ServerError):
    """The request signature we calculated does not match the signature you provided. Check your key and signing method."""


class RequestTimeTooSkewed(ServerError):
    """The difference between the request time and the current time is too large."""


class InvalidAccessKeyId(ServerError):
    """The OSS Access Key Id you provided does not exist in our records."""


class InvalidSecurityToken(ServerError):
    """The security token you provided is invalid."""


class SecurityTokenExpired(ServerError):
    """The security token you provided has expired."""


class NoSuchBucket(ServerError):
    """The specified bucket does not exist."""


class BucketAlreadyExists(ServerError):
    """The requested bucket name is not available. The bucket namespace is shared by all users of the system. Please select a different name and try again."""


class BucketNotEmpty(ServerError):
    """The bucket you tried to delete is not empty."""


class InvalidBucketName(ServerError):
    """The specified bucket is not valid."""


class TooManyBuckets(ServerError):
    """You have attempted to create more buckets than allowed."""


class NoSuchCORSConfiguration(ServerError):
    """The CORS Configuration does not exist."""


class NoSuchLifecycle(ServerError):
    """No Row found in Lifecycle Table."""


class NoSuchBucketPolicy(ServerError):
    """The bucket policy does not exist."""


class NoSuchKey(ServerError):
    """The specified key does not exist."""


class NoSuchVersion(ServerError):
    """The specified version does not exist."""


class InvalidObjectName(ServerError):
    """The specified object is not valid."""


class FileAlreadyExists(ServerError):
    """The object you specified already exists and can not be overwritten."""


class PositionNotEqualToLength(ServerError):
    """Position is not equal to file length."""


class ObjectNotAppendable(ServerError):
    """The object is not appendable."""


class InvalidObjectState(ServerError):
    """The operation is not valid for the object's state."""


class InvalidRange(ServerError):
    """The requested range cannot be satisfied."""


class PreconditionFailed(ServerError):
    """At least one of the pre-conditions you specified did not hold."""


class NotModified(ServerError):
    """The object was not modified."""


class OperationNotSupported(ServerError):
    """The operation is not supported for this resource."""


class SymlinkTargetNotExist(ServerError):
    """The target of the symbolic link does not exist."""


class NotSymlink(ServerError):
    """The object is not a symbolic link."""


class InvalidTag(ServerError):
    """The tag you provided is not valid."""


class NoSuchUpload(ServerError):
    """The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."""


class InvalidPart(ServerError):
    """One or more of the specified parts could not be found or the specified entity tag might not have matched the part's entity tag."""


class InvalidPartOrder(ServerError):
    """The list of parts was not in ascending order. Parts list must specified in order by part number."""


class CallbackFailed(ServerError):
    """The object is stored, but the upload callback failed."""


class InternalError(ServerError):
    """We encountered an internal error. Please try again."""


class ServiceUnavailable(ServerError):
    """The service cannot take the request now. Please try again later."""


_BY_CODE: Final[dict[str, type[ServerError]]] = {kind.__name__: kind for kind in ServerError.__subclasses__()}


def class_of(code: str) -> type[ServerError]:
    """The class for an OSS error code; ServerError for one that has none."""
    return _BY_CODE.get(code, ServerError)
