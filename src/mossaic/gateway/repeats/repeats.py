"""Answers requests that repeat earlier ones without reading them word by word.

Nothing is refused here. A repeat is answered when its head is, but for what varies, that of a request which went the usual way, and
when the services say the same as then: the key is valid and the account's own, the time is right, the signature fits, the bucket is
there and has no policy. Whatever else a request is, it goes the usual way (`gateway.pipeline`), which also has the words for it.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.gateway import cors
from mossaic.gateway.admit import is_owners_own, signed_request
from mossaic.gateway.lockstep import step
from mossaic.gateway.pages_again import PagesAgain
from mossaic.gateway.plain_get import PlainGets
from mossaic.gateway.record import finish, put_on_record, record_of
from mossaic.gateway.refusal import refusal_of
from mossaic.gateway.repeats.first_line import PART_NUMBER, UPLOAD_ID
from mossaic.gateway.repeats.kinds import kind_of
from mossaic.gateway.repeats.template import (
    LONGEST,
    NoTemplate,
    Template,
    place_of,
    shape_of,
)
from mossaic.model.names import BucketName
from mossaic.ports import StoreError
from mossaic.protocol.errors import OssError
from mossaic.protocol.operation import Level
from mossaic.protocol.signing import claim as claims
from mossaic.protocol.signing.request import same
from mossaic.protocol.signing.verify import is_timely

if TYPE_CHECKING:
    from mossaic.gateway.admit import Admission
    from mossaic.gateway.call import Call
    from mossaic.gateway.message import After, HttpResponse, IncomingBody
    from mossaic.gateway.record import Recorder
    from mossaic.gateway.repeats.kinds import Kind
    from mossaic.gateway.repeats.template import Said, Shape
    from mossaic.model.bucket import Bucket
    from mossaic.model.identity import Principal
    from mossaic.ports import Clock
    from mossaic.protocol.addressing import Address
    from mossaic.service.services import Services

_MOST: Final = 64  # shapes of heads; with more all are forgotten
_MOST_ALIKE: Final = 16  # templates that a head is compared with
_MOST_SEEN: Final = 256  # heads that get a template when their like comes again


class Repeats:
    """The templates of requests of late, and what it takes to answer by them."""

    def __init__(
        self,
        *,
        services: Services,
        admission: Admission,
        clock: Clock,
        records: Recorder,
    ) -> None:
        self.services = services
        self.admission = admission
        self.clock = clock
        self.records = records
        self.plain_gets = PlainGets()
        self.pages = PagesAgain()
        self._templates: dict[tuple[str, int], list[tuple[Template, Kind]]] = {}
        self._known: set[Shape] = set()  # that have a template, or can have none
        self._seen: set[Shape] = set()

    def recognize(self, head: bytes) -> Repeat | None:
        """`head`: all before the empty line."""
        if not self._templates:
            return None
        text = head.decode("latin-1")
        for template, kind in self._templates.get(place_of(text), ()):
            said = template.read(text)
            if said is not None:
                return Repeat(self, template, kind, said)
        return None

    def lesson(self, call: Call, address: Address, asked: object) -> After | None:
        """What there may be to learn of a call that was answered the usual way. It takes a millisecond, so the answer goes first.
        `asked`: see `kind_of`."""
        is_short = len(call.request.raw) <= LONGEST
        if not is_short or not is_owners_own(call.principal, call.bucket_or_none):
            return None
        kind = kind_of(call, asked, self.plain_gets, self.pages)
        return None if kind is None else partial(self._learn, call, address, kind)

    async def _learn(self, call: Call, address: Address, kind: Kind) -> None:
        """Make a template when the like of the call has come for the second time."""
        head = call.request.raw.decode("latin-1")
        shape = shape_of(head.split("\r\n"))
        if shape is None or shape in self._known or not self._has_seen(shape):
            return
        if len(self._known) >= _MOST:
            self._templates.clear()
            self._known.clear()
        self._known.add(shape)
        try:
            template = await self._template_of(call, head, address.bucket if address.virtual else None)
        except StoreError:
            self._known.discard(shape)  # another time
            return
        if template is not None:
            alike = self._templates.setdefault(place_of(head), [])
            if len(alike) < _MOST_ALIKE:
                alike.append((template, kind))

    async def _template_of(self, call: Call, head: str, bucket: str | None) -> Template | None:
        """Raises StoreError."""
        request = signed_request(call.request)
        claim = claims.read(request)
        if claim is None:
            return None
        try:
            template = Template(head.split("\r\n"), request, claim, bucket)
            credentials = await self.admission.credentials(template.presented, call.now)
        except (NoTemplate, OssError):
            return None
        # Some clients sign another text than most: the usual way knows them all.
        said = template.read(head)
        fits = said is not None and same(
            template.signature(said, credentials.secret.reveal()), said.signature
        )
        return template if fits else None

    def _has_seen(self, shape: Shape) -> bool:
        if shape in self._seen:
            return True
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen.add(shape)
        return False


class Repeat(NamedTuple):
    """See `gateway.message.Repeat`."""

    repeats: Repeats
    template: Template
    kind: Kind
    said: Said

    @property
    def length(self) -> int:
        return self.said.length

    async def answer(self, body: IncomingBody, remote: str) -> HttpResponse | None:
        started = time.perf_counter()
        repeats, said = self.repeats, self.said
        try:
            admitted = await self._admitted()
        except (OssError, StoreError):
            return None
        if admitted is None:
            return None
        await step()
        principal, bucket = admitted
        record = record_of(said.method, said.path, self.template.headers, remote)
        record.bucket, record.key = said.bucket, said.key or None
        record.operation, record.principal = self.kind.operation.name, principal.arn
        record.upload_id, record.part_number = said.values.get(UPLOAD_ID), said.values.get(PART_NUMBER)
        response: HttpResponse | None
        await step()
        try:
            response = await self.kind.answer(repeats.services, bucket, body, said)
        except Exception as error:  # noqa: BLE001  # as in the pipeline
            response = refusal_of(error, record)
        if response is None:
            return None
        await step()
        response.headers.extend(cors.answer_headers(said.method, self.template.headers, bucket))
        record.bytes_in = body.received
        finish(record, response, started)
        await step()
        await put_on_record(repeats.records, record)
        return response

    async def _admitted(self) -> tuple[Principal, Bucket] | None:
        """Raises OssError as `Admission.credentials`, StoreError."""
        repeats, template, said = self.repeats, self.template, self.said
        now = repeats.clock.now()
        is_of_object = self.kind.operation.level is Level.OBJECT
        if bool(said.key) is not is_of_object or not is_timely(template.scope, said.time, now):
            return None
        credentials = await repeats.admission.credentials(template.presented, now)
        bucket = await repeats.services.buckets.find(BucketName(said.bucket))
        if bucket is None or not is_owners_own(credentials.principal, bucket):
            return None
        if not same(template.signature(said, credentials.secret.reveal()), said.signature):
            return None
        return credentials.principal, bucket
