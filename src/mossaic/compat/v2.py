"""`alibabacloud_oss_v2`'s Uploader, done by Mossaic's engine: same requests, same results, same exceptions.

```python
from mossaic.compat.v2 import Uploader
uploader = Uploader(client)                          # was: uploader = client.uploader()
uploader.upload_file(oss.PutObjectRequest(bucket=…, key=…), "big.bin")
```

What is different: an upload is always resumable (`enable_checkpoint` is taken and not needed; `checkpoint_dir` is where its journal goes), parts after a gap count, a
changed part size or a missing first part leave no upload behind, `traffic_limit` reaches the parts, and a stream does not grow in memory.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final, NoReturn
from urllib.parse import parse_qsl

from mossaic.client.client import Client
from mossaic.client.credentials import Credentials
from mossaic.client.errors import MossaicError, ServerError
from mossaic.client.store import File

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from mossaic.client.upload.progress import Progress

_HEADERS: Final = {
    "cache_control": "Cache-Control",
    "content_disposition": "Content-Disposition",
    "content_encoding": "Content-Encoding",
    "expires": "Expires",
    "callback": "x-oss-callback",
    "callback_var": "x-oss-callback-var",
    "server_side_encryption_key_id": "x-oss-server-side-encryption-key-id",
    "server_side_data_encryption": "x-oss-server-side-data-encryption",
    "request_payer": "x-oss-request-payer",
}


class Uploader:
    """Takes the options of `Client.uploader()`: part_size, parallel_num, leave_parts_on_error, enable_checkpoint, checkpoint_dir."""

    def __init__(  # noqa: PLR0913  # v2's options
        self,
        client: Any,  # Any: an alibabacloud_oss_v2.Client
        *,
        part_size: int | None = None,
        parallel_num: int | None = None,
        leave_parts_on_error: bool | None = None,  # noqa: ARG002  # v2's; parts are kept, to be resumed
        enable_checkpoint: bool | None = None,  # noqa: ARG002  # v2's
        checkpoint_dir: str | None = None,
    ) -> None:
        self._client = client_of(client, checkpoint_dir)
        self._part_size = part_size
        self._parallel = parallel_num

    def upload_file(
        self,
        request: Any,
        filepath: str | os.PathLike[str],
        **options: Any,  # Any: a PutObjectRequest, v2's options
    ) -> Any:  # Any: v2's UploadResult
        """Upload a file. Raises v2's UploadError."""
        return self._upload(request, filepath, options)

    def upload_from(
        self,
        request: Any,
        reader: Any,
        **options: Any,  # Any: as above; anything with `read`
    ) -> Any:  # Any: as above
        """Upload what a reader gives. Raises v2's UploadError."""
        return self._upload(request, reader, options)

    def _upload(self, request: Any, source: Any, options: dict[str, Any]) -> Any:  # Any: as above
        models: Any = importlib.import_module("alibabacloud_oss_v2.uploader")  # Any: it has no types

        try:
            done = self._client.multipart_upload(
                request.key,
                source,
                bucket=request.bucket,
                part_size=options.get("part_size") or self._part_size,
                parallel=options.get("parallel_num") or self._parallel,
                progress=_progress(request.progress_fn),
                headers={
                    header: text
                    for name, header in _HEADERS.items()
                    if (text := getattr(request, name, None))
                },
                meta=request.metadata,
                mime=request.content_type,
                tags=dict(parse_qsl(request.tagging or "", keep_blank_values=True)),
                storage_class=request.storage_class,
                acl=request.acl,
                forbid_overwrite=_flag(request.forbid_overwrite),
                server_side_encryption=request.server_side_encryption,
                traffic_limit=request.traffic_limit,
            )
        except MossaicError as error:
            _raise_as_v2(error, str(source))
        result = models.UploadResult(
            upload_id=done.upload_id,
            etag=f'"{done.etag}"',
            version_id=done.version_id,
            hash_crc64=None if done.crc64 is None else str(done.crc64),
        )
        result.status, result.status_code, result.request_id = "OK", 200, done.request_id
        return result


def client_of(client: Any, checkpoint_dir: str | None = None) -> Client:  # Any: an alibabacloud_oss_v2.Client
    """A Client for what v2's is for: its endpoint, region, credentials, signature version and addressing."""
    options = client._client._options  # noqa: SLF001  # v2 shows none of this otherwise
    style = getattr(options.address_style, "name", "").lower()
    return Client(
        options.endpoint.geturl(),
        region=options.region,
        credentials=_OfProvider(options.credentials_provider),
        signature="v1" if "V1" in type(options.signer).__name__ else "v4",
        addressing="path" if style == "path" else "cname" if style == "cname" else "auto",
        store=None if checkpoint_dir is None else File(checkpoint_dir),
    )


class _OfProvider:
    """v2's credentials provider, asked for every request as v2 does."""

    def __init__(self, provider: Any) -> None:  # Any: a CredentialsProvider
        self._provider = provider

    def get(self) -> Credentials:
        found = self._provider.get_credentials()
        return Credentials(
            access_key_id=found.access_key_id or "",
            access_key_secret=found.access_key_secret or "",
            security_token=found.security_token or None,
        )

    def renew(self, stale: Credentials) -> Credentials:  # noqa: ARG002  # the interface's
        return self.get()


def _flag(value: bool | str | None) -> bool | None:
    return value.lower() == "true" if isinstance(value, str) else value


def _progress(hear: Callable[[int, int, int], None] | None) -> Callable[[Progress], None] | None:
    """v2 tells the bytes since the last call, those so far, and the total (-1 when it is not known)."""
    if hear is None:
        return None
    before = 0

    def tell(seen: Progress) -> None:
        nonlocal before
        if seen.sent > before:
            hear(seen.sent - before, seen.sent, -1 if seen.total is None else seen.total)
            before = seen.sent

    return tell


def _raise_as_v2(error: MossaicError, path: str) -> NoReturn:
    exceptions: Any = importlib.import_module("alibabacloud_oss_v2.exceptions")  # Any: it has no types
    uploader: Any = importlib.import_module("alibabacloud_oss_v2.uploader")  # Any: as above

    inner: Exception = error
    if isinstance(error, ServerError):
        inner = exceptions.ServiceError(
            status_code=error.status,
            code=error.code,
            message=error.message,
            request_id=error.request_id,
            ec=error.ec,
            timestamp="",
            request_target=error.operation,
        )
    upload_id = error.checkpoint.upload_id if error.checkpoint is not None else ""
    raise uploader.UploadError(upload_id=upload_id, path=path, error=inner) from error
