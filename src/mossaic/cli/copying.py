"""Copies inside the service: no byte comes here. What one request cannot copy is copied in parts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mossaic.cli.urls import Remote
    from mossaic.client.client import Client
    from mossaic.client.results import ObjectInfo

_MIB: Final = 1024 * 1024
_AT_ONCE: Final = 1024 * _MIB  # OSS advises copying in parts above it
_PART: Final = 256 * _MIB
_MAX_PARTS: Final = 10_000
_PARALLEL: Final = 4


def copy_object(
    client: Client, source: Remote, target: Remote, *, forbid_overwrite: bool = False
) -> ObjectInfo:
    """Copy an object with its headers, meta, tags and storage class; the ACL stays behind. What was copied is returned: the source as
    it was.

    Raises NoSuchKey, PreconditionFailed (the source was replaced meanwhile), FileAlreadyExists, ChecksumMismatch and what every
    call raises. A copy in parts that fails leaves nothing.
    """
    info = client.head(source.key, bucket=source.bucket)
    forbid = forbid_overwrite or None
    if info.size > _AT_ONCE:
        _in_parts(client, info, target, forbid_overwrite=forbid)
    else:
        client.copy(
            source.key,
            target.key,
            source_bucket=source.bucket,
            bucket=target.bucket,
            if_match=info.etag,
            storage_class=info.storage_class,
            forbid_overwrite=forbid,
        )
    return info


def _in_parts(client: Client, info: ObjectInfo, target: Remote, *, forbid_overwrite: bool | None) -> None:
    from mossaic.client.errors import ChecksumMismatch  # noqa: PLC0415  # `--help` has no need of the client
    from mossaic.client.object_options import ObjectOptions  # noqa: PLC0415  # as above

    named = {
        "Cache-Control": info.cache_control,
        "Content-Disposition": info.content_disposition,
        "Content-Encoding": info.content_encoding,
        "Content-Language": info.content_language,
        "Expires": info.expires,
    }
    options = ObjectOptions(
        headers={name: text for name, text in named.items() if text is not None},
        meta=info.meta,
        mime=info.content_type,
        tags=client.get_tags(info.name, bucket=info.bucket) if info.tag_count else {},
        storage_class=info.storage_class,
        forbid_overwrite=forbid_overwrite,
    )
    upload = client.init_multipart_upload(target.key, options, bucket=target.bucket)
    part = max(_PART, -(-info.size // _MAX_PARTS))

    def copy(number: int, start: int) -> tuple[int, str]:
        done = client.upload_part_copy(
            upload,
            number,
            info.name,
            range=(start, min(start + part, info.size)),
            source_bucket=info.bucket,
            if_match=info.etag,
        )
        return number, done.etag

    try:
        with ThreadPoolExecutor(_PARALLEL) as pool:
            jobs = [
                pool.submit(copy, number, start) for number, start in enumerate(range(0, info.size, part), 1)
            ]
            try:
                parts = [job.result() for job in jobs]
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        made = client.complete_multipart_upload(upload, parts, forbid_overwrite=forbid_overwrite)
    except BaseException:
        client.abort_multipart_upload(upload)
        raise
    if info.crc64 is not None and made.crc64 is not None and info.crc64 != made.crc64:
        raise ChecksumMismatch(
            f"the CRC-64 of the copy {target} is {made.crc64}, that of its source {info.crc64}"
        )
