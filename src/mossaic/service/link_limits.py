"""What the limits of an upload-request link say before and while a body comes; in the end the store counts.

Refusing early spares visitors the sending and the disk the bytes. Nothing depends on it: the step that publishes an object or
keeps a part checks everything again, in its own transaction, with what is true then.
"""

from __future__ import annotations

from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from mossaic.model.upload import no_such_upload
from mossaic.model.upload_request import Reason, not_valid, refusal
from mossaic.protocol.errors import SERVICE_UNAVAILABLE, OssError
from mossaic.protocol.limits import MIB
from mossaic.service.news import OwnNews
from mossaic.service.tally import OwnTally

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Generator

    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Grant
    from mossaic.model.names import ObjectKey
    from mossaic.model.upload import Upload
    from mossaic.model.upload_request import UploadRequest
    from mossaic.ports import Clock, LinkRefused, MetadataStore
    from mossaic.service.intake import Expected
    from mossaic.service.news import News
    from mossaic.service.tally import Tally

# What is in flight may be this much more than what is left: a client that lost its line sends again what is still arriving.
_CROWD: Final = 2
_CROWD_BYTES: Final = 64 * MIB


@dataclass(slots=True, kw_only=True, eq=False)
class _Flight:
    """A body on its way: what its object has besides, what it replaces, and its size as far as is known."""

    link: UploadRequest
    others: int
    replaced: int
    count: int
    size: int = 0


class LinkLimits:
    """One for the process: it knows which links were revoked, so that bodies in flight stop at once, and what is in flight, so
    that many at once do not fill the disk with what will be refused. `news` tells other processes of a revocation, `tally` what
    is in flight here."""

    def __init__(
        self,
        *,
        metadata: MetadataStore,
        clock: Clock,
        news: News | None = None,
        tally: Tally | None = None,
    ) -> None:
        self._metadata = metadata
        self._clock = clock
        self._news = news or OwnNews()
        self._tally = tally or OwnTally()
        self._heard = self._news.heard()
        self._ended: set[str] = set()  # read by worker threads, too
        self._flights: dict[str, set[_Flight]] = {}  # as above

    def end(self, request_id: str) -> None:
        """Stop whatever comes through the link now."""
        self._ended.add(request_id)
        self._news.tell()

    async def look_again(self) -> None:
        """Stop what comes through links that other processes have ended since the last call. Raises StoreError."""
        heard = self._news.heard()
        if heard == self._heard:
            return
        self._heard = heard
        for request_id in list(self._flights):
            link = await self._metadata.upload_request(request_id)
            if link is None or link.has_ended(self._clock.now()):
                self._ended.add(request_id)

    @asynccontextmanager
    async def object_coming(
        self, request_id: str, bucket: Bucket, key: ObjectKey, expected: Expected
    ) -> AsyncGenerator[Expected]:
        """How a whole object may come, while it comes. Raises OssError: ACCESS_DENIED, FILE_ALREADY_EXISTS."""
        link = await self._link(request_id)
        found = await self._metadata.head(bucket.name, key)
        if found is not None and not found.is_delete_marker:
            raise refusal(Reason.EXISTS, link, key=key)
        flight = _Flight(link=link, others=0, replaced=0, count=1)
        with self._aloft(flight):
            yield replace(expected, watch=partial(self._watch, flight))

    @asynccontextmanager
    async def part_coming(
        self, request_id: str, upload: Upload, number: int, expected: Expected
    ) -> AsyncGenerator[Expected]:
        """How a part may come, while it comes. Raises OssError ACCESS_DENIED."""
        link = await self._link(request_id)
        others, replaced = await self._metadata.part_sizes(upload.upload_id, number)
        flight = _Flight(link=link, others=others, replaced=replaced, count=0)
        with self._aloft(flight):
            yield replace(expected, watch=partial(self._watch, flight))

    async def _link(self, request_id: str) -> UploadRequest:
        link = await self._metadata.upload_request(request_id)
        if link is None or request_id in self._ended:
            raise not_valid()
        return link

    @contextmanager
    def _aloft(self, flight: _Flight) -> Generator[None]:
        flights = self._flights.setdefault(flight.link.request_id, set())
        flights.add(flight)
        try:
            yield
        finally:
            flights.discard(flight)
            if not flights:
                self._flights.pop(flight.link.request_id, None)
            self._weigh(flight.link)

    def _watch(self, flight: _Flight, size: int) -> None:
        """In the thread that receives the body: the size that was announced first, then what has come. Raises OssError."""
        link = flight.link
        more = size - flight.replaced
        reason = link.why_not(self._clock.now(), size=flight.others + size, more=more, count=flight.count)
        if link.request_id in self._ended:
            reason = Reason.ENDED
        if reason is not None:
            raise refusal(reason, link)
        if size <= flight.size:
            return  # who makes it more is asked to wait
        flight.size = size
        if self._weigh(link) > _CROWD * (link.left_bytes + flight.replaced) + _CROWD_BYTES:
            raise OssError(
                SERVICE_UNAVAILABLE, "Too much is coming through the link at once. Try again soon."
            )

    def _weigh(self, link: UploadRequest) -> int:
        """What comes through the link in all processes; the others are told of what comes here."""
        here = sum(each.size for each in tuple(self._flights.get(link.request_id, ())))
        self._tally.put(link.request_id, here, self._clock.now().timestamp())
        return here + self._tally.others(link.request_id)


def require_own(grant: Grant | None, upload: Upload) -> None:
    """A visit has no business with uploads of others, nor with those of other visits of its link.

    Raises OssError NO_SUCH_UPLOAD: for the visit there is none.
    """
    if grant is not None and (upload.request_id, upload.visit) != (grant.request_id, grant.visit):
        raise no_such_upload(upload.upload_id)


def in_words(error: LinkRefused, key: str) -> OssError:
    """The store's refusal as OSS would say it."""
    return refusal(error.reason, error.request, key=key)
