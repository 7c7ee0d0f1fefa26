"""`oss2.resumable_upload` and `oss2.resumable_download`, done by Mossaic's engine: same parameters, same results, same exceptions.

```python
from mossaic.compat.oss2 import resumable_upload     # was: from oss2 import resumable_upload
```

What is different: parts go on after `kill -9` from a journal that cannot be torn, a file changed with its time restored is noticed, parts after a gap count,
5xx and 429 are retried, the callback is sent with Complete, and progress counts bytes. `multipart_threshold` counts as a part size at least; `params` is taken and
not needed.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, cast

from mossaic.client.client import Client
from mossaic.client.credentials import Anonymous, Credentials
from mossaic.client.errors import ChecksumMismatch, MossaicError, NetworkError, ServerError
from mossaic.client.options import Timeout
from mossaic.client.store import File

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    from mossaic.client.credentials import Provider
    from mossaic.client.store import Store
    from mossaic.client.upload.plan import PartSize
    from mossaic.client.upload.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class PutObjectResult:
    """What oss2's has. `versionid` None without versioning; `crc` the CRC-64 of the object."""

    etag: str
    crc: int | None
    versionid: str | None
    request_id: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def resumable_upload(  # noqa: PLR0913, PLR0917  # oss2's signature
    bucket: Any,  # Any: an oss2.Bucket
    key: str,
    filename: str | os.PathLike[str],
    store: Any = None,  # Any: an oss2.ResumableStore, or a store of ours
    headers: Mapping[str, str] | None = None,
    multipart_threshold: int | None = None,
    part_size: int | None = None,
    progress_callback: Callable[[int, int | None], None] | None = None,
    num_threads: int | None = None,
    params: Mapping[str, str] | None = None,  # noqa: ARG001  # oss2's signature
) -> PutObjectResult:
    """Upload a file, going on where an earlier call ended. `headers` with `x-oss-meta-*`, `x-oss-callback` and so on, as in oss2.

    Raises oss2's exceptions: ServerError and its subclasses, RequestError, InconsistentError.
    """
    size: PartSize = part_size or (max(multipart_threshold, 102_400) if multipart_threshold else "auto")
    try:
        with client_of(bucket, store) as client:
            result = client.multipart_upload(
                key,
                filename,
                part_size=size,
                parallel=num_threads or 1,
                headers=headers,
                progress=_progress(progress_callback),
            )
    except MossaicError as error:
        raise_as_oss2(error)
    return PutObjectResult(
        etag=result.etag, crc=result.crc64, versionid=result.version_id, request_id=result.request_id
    )


def resumable_download(  # noqa: PLR0913, PLR0917  # oss2's signature
    bucket: Any,  # Any: an oss2.Bucket
    key: str,
    filename: str | os.PathLike[str],
    multiget_threshold: int | None = None,  # noqa: ARG001  # oss2's signature
    part_size: int | None = None,
    progress_callback: Callable[[int, int | None], None] | None = None,
    num_threads: int | None = None,
    store: Any = None,  # Any: as above
    params: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,  # noqa: ARG001  # oss2's signature
) -> None:
    """Download an object into a file that appears when it is whole. `params`: `versionId`. Raises oss2's exceptions."""
    try:
        with client_of(bucket, store) as client:
            client.download(
                key,
                filename,
                version_id=(params or {}).get("versionId"),
                part_size=part_size or "auto",
                parallel=num_threads or 1,
                progress=_progress(progress_callback),
            )
    except MossaicError as error:
        raise_as_oss2(error)


def client_of(bucket: Any, store: Any = None) -> Client:  # Any: an oss2.Bucket, an oss2.ResumableStore
    """A Client for what an `oss2.Bucket` is for: its endpoint, credentials, signature version, addressing and time-out."""
    cname, path = getattr(bucket, "is_cname", False), getattr(bucket, "is_path_style", False)
    timeout = bucket.timeout if isinstance(bucket.timeout, int | float) else 60.0
    return Client(
        bucket.endpoint,
        bucket=bucket.bucket_name,
        region=bucket.region or None,
        credentials=_OfAuth(bucket.auth)
        if hasattr(bucket.auth, "credentials_provider")
        else _of_simple(bucket.auth),
        signature="v4" if "V4" in type(bucket.auth).__name__ else "v1",
        addressing="cname" if cname else "path" if path else "auto",
        timeout=Timeout(connect=min(10.0, timeout), idle=timeout),
        store=_store(store),
    )


class _OfAuth:
    """The provider inside an oss2 auth object, asked for every request as oss2 does."""

    def __init__(self, auth: Any) -> None:  # Any: an oss2 auth object
        self._provider = auth.credentials_provider

    def get(self) -> Credentials:
        found = self._provider.get_credentials()
        return Credentials(
            access_key_id=found.get_access_key_id(),
            access_key_secret=found.get_access_key_secret(),
            security_token=found.get_security_token() or None,
        )

    def renew(self, stale: Credentials) -> Credentials:  # noqa: ARG002  # the interface's
        return self.get()


def _of_simple(auth: Any) -> Provider:  # Any: an oss2 auth object
    inner = getattr(auth, "_StsAuth__auth", None)
    return _OfAuth(inner) if inner is not None else Anonymous()


def _store(store: Any) -> Store | None:  # Any: as above
    if store is None:
        return None
    return cast("Store", store) if hasattr(store, "open") else File(store.dir)


def _progress(callback: Callable[[int, int | None], None] | None) -> Callable[[Progress], None] | None:
    if callback is None:
        return None
    return lambda seen: callback(seen.sent, seen.total)


def raise_as_oss2(error: MossaicError) -> NoReturn:
    """Raise what oss2 would have raised, with `error` as its cause."""
    exceptions: Any = importlib.import_module("oss2.exceptions")  # Any: it has no types
    made: Exception
    match error:
        case ServerError():
            details = {
                "Code": error.code,
                "Message": error.message,
                "EC": error.ec,
                "HostId": error.host_id,
                **error.extras,
            }
            kind = exceptions._OSS_ERROR_TO_EXCEPTION.get(  # noqa: SLF001  # as oss2's make_exception does
                (error.status, error.code), exceptions.ServerError
            )
            made = kind(error.status, {"x-oss-request-id": error.request_id}, b"", details)
        case ChecksumMismatch():
            made = exceptions.InconsistentError(str(error))
        case NetworkError():
            made = exceptions.RequestError(error)
        case _:
            made = exceptions.ClientError(str(error))
    raise made from error
