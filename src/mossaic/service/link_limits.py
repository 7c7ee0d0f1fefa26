"""What the limits of an upload-request link say before and while a body comes; in the end the store counts.

Refusing early spares visitors the sending and the disk the bytes. Nothing depends on it: the step that publishes an object or
keeps a part checks everything again, in its own transaction, with what is true then.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mossaic.model.upload import no_such_upload
from mossaic.model.upload_request import Reason, not_valid, refusal

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Grant
    from mossaic.model.names import ObjectKey
    from mossaic.model.upload import Upload
    from mossaic.model.upload_request import UploadRequest
    from mossaic.ports import Clock, LinkRefused, MetadataStore
    from mossaic.protocol.errors import OssError
    from mossaic.service.intake import Expected


class LinkLimits:
    """One for the process: it knows which links were revoked here, so that bodies in flight stop at once."""

    def __init__(self, *, metadata: MetadataStore, clock: Clock) -> None:
        self._metadata = metadata
        self._clock = clock
        self._ended: set[str] = set()  # read by worker threads, too

    def end(self, request_id: str) -> None:
        """Stop whatever comes through the link now."""
        self._ended.add(request_id)

    async def for_object(
        self, request_id: str, bucket: Bucket, key: ObjectKey, expected: Expected
    ) -> Expected:
        """How a whole object may come. Raises OssError: ACCESS_DENIED, FILE_ALREADY_EXISTS."""
        link = await self._link(request_id)
        found = await self._metadata.head(bucket.name, key)
        if found is not None and not found.is_delete_marker:
            raise refusal(Reason.EXISTS, link, key=key)
        return self._watched(link, expected, others=0, replaced=0, count=1)

    async def for_part(self, upload: Upload, number: int, expected: Expected) -> Expected:
        """How a part may come. Raises OssError ACCESS_DENIED."""
        if upload.request_id is None:
            return expected
        link = await self._link(upload.request_id)
        others, replaced = await self._metadata.part_sizes(upload.upload_id, number)
        return self._watched(link, expected, others=others, replaced=replaced, count=0)

    async def _link(self, request_id: str) -> UploadRequest:
        link = await self._metadata.upload_request(request_id)
        if link is None or request_id in self._ended:
            raise not_valid()
        return link

    def _watched(
        self, link: UploadRequest, expected: Expected, *, others: int, replaced: int, count: int
    ) -> Expected:
        def watch(size: int) -> None:
            """In the thread that receives the body."""
            reason = link.why_not(self._clock.now(), size=others + size, more=size - replaced, count=count)
            if link.request_id in self._ended:
                reason = Reason.ENDED
            if reason is not None:
                raise refusal(reason, link)

        return replace(expected, watch=watch)


def require_own(grant: Grant | None, upload: Upload) -> None:
    """A visit has no business with uploads of others, nor with those of other visits of its link.

    Raises OssError NO_SUCH_UPLOAD: for the visit there is none.
    """
    if grant is not None and (upload.request_id, upload.visit) != (grant.request_id, grant.visit):
        raise no_such_upload(upload.upload_id)


def in_words(error: LinkRefused, key: str) -> OssError:
    """The store's refusal as OSS would say it."""
    return refusal(error.reason, error.request, key=key)
