"""A story of every step that changes something, told twice: done by the services, and worked out on dictionaries."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from mossaic.config import SweepSettings
from mossaic.model.conditions import Conditions
from mossaic.model.headers import Attributes
from mossaic.model.names import BucketName, ObjectKey
from mossaic.model.object import ObjectAcl, ObjectHeaders, StorageClass
from mossaic.model.page import ListQuery
from mossaic.protocol.operations import multipart as shapes
from mossaic.service.appending import AppendOrder
from mossaic.service.copying import PartCopyOrder, PartPlace
from mossaic.service.intake import Expected
from mossaic.service.sweeper import Sweeper
from tests.in_process import NOW, BytesBody, StandingClock

if TYPE_CHECKING:
    from mossaic.model.bucket import Bucket
    from mossaic.model.upload import Upload
    from mossaic.ports import BlobStore, MetadataStore
    from mossaic.service.services import Services

BUCKET = BucketName("bkt")
FAR = datetime(2100, 1, 1, tzinfo=UTC)
PLAIN = Attributes(
    headers=ObjectHeaders(),
    tags={},
    acl=ObjectAcl.DEFAULT,
    storage_class=StorageClass.STANDARD,
    forbid_overwrite=False,
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """`parts`: the list of a Complete. `source`: the object that a part is copied from."""

    kind: str
    key: str = ""
    number: int = 0
    size: int = 0
    parts: tuple[int, ...] = ()
    source: str = ""


STORY = (
    Step(kind="put", key="plain", size=200_000),
    Step(kind="put", key="plain", size=150_000),
    Step(kind="put", key="small", size=500),
    Step(kind="begin", key="big"),
    Step(kind="part", key="big", number=1, size=140_000),
    Step(kind="part", key="big", number=2, size=102_400),
    Step(kind="part", key="big", number=2, size=103_000),
    Step(kind="part", key="big", number=3, size=110_000),
    Step(kind="copy", key="big", number=4, source="plain"),
    Step(kind="complete", key="big", parts=(1, 2, 4)),
    Step(kind="begin", key="given-up"),
    Step(kind="part", key="given-up", number=7, size=120_000),
    Step(kind="abort", key="given-up"),
    Step(kind="append", key="log", size=300_000),
    Step(kind="append", key="log", size=20_000),
    Step(kind="delete", key="plain"),
    Step(kind="sweep"),
)
KINDS = tuple(dict.fromkeys(step.kind for step in STORY))


@cache
def content(index: int) -> bytes:
    """What the step of that index writes."""
    return random.Random(index).randbytes(STORY[index].size)


@dataclass
class State:
    """Everything that a client can see: objects, and the parts of open uploads, with their bytes."""

    objects: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, dict[int, bytes]] = field(default_factory=dict)

    def __repr__(self) -> str:
        parts = {key: sorted(numbers) for key, numbers in self.uploads.items()}
        return f"State(objects={ {key: len(value) for key, value in self.objects.items()} }, uploads={parts})"


def told(count: int) -> State:
    """The state after the first `count` steps."""
    state = State()
    for index in range(count):
        _tell(state, STORY[index], content(index))
    return state


def _tell(state: State, step: Step, data: bytes) -> None:
    match step.kind:
        case "put":
            state.objects[step.key] = data
        case "begin":
            state.uploads[step.key] = {}
        case "part":
            state.uploads[step.key][step.number] = data
        case "copy":
            state.uploads[step.key][step.number] = state.objects[step.source]
        case "complete":
            parts = state.uploads.pop(step.key)
            state.objects[step.key] = b"".join(parts[number] for number in step.parts)
        case "abort":
            del state.uploads[step.key]
        case "append":
            state.objects[step.key] = state.objects.get(step.key, b"") + data
        case "delete":
            del state.objects[step.key]
        case "sweep":
            pass


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Does the steps on real services over (perhaps wrapped) real stores. `now`: the sweeper's clock."""

    services: Services
    metadata: MetadataStore
    blobs: BlobStore
    bucket: Bucket
    now: datetime = NOW

    async def do(self, index: int) -> None:
        step = STORY[index]
        await getattr(self, f"_{step.kind}")(step, content(index))

    async def _put(self, step: Step, data: bytes) -> None:
        await self.services.objects.put(
            self.bucket, ObjectKey(step.key), BytesBody(data), said=PLAIN, expected=Expected()
        )

    async def _append(self, step: Step, data: bytes) -> None:
        key = ObjectKey(step.key)
        found = await self.metadata.head(BUCKET, key)
        order = AppendOrder(position=found.size if found else 0, said=PLAIN, expected=Expected())
        await self.services.objects.append(self.bucket, key, BytesBody(data), order)

    async def _delete(self, step: Step, _: bytes) -> None:
        await self.services.objects.delete(self.bucket, ObjectKey(step.key), None)

    async def _begin(self, step: Step, _: bytes) -> None:
        asked = shapes.InitiateMultipartUpload(bucket=BUCKET, key=step.key)
        await self.services.multipart.initiate(self.bucket, asked, initiator="1")

    async def _part(self, step: Step, data: bytes) -> None:
        asked = shapes.UploadPart(
            bucket=BUCKET,
            key=step.key,
            upload_id=(await self.upload(step.key)).upload_id,
            part_number=str(step.number),
            content_length=str(len(data)),
        )
        await self.services.multipart.put_part(self.bucket, asked, BytesBody(data))

    async def _copy(self, step: Step, _: bytes) -> None:
        upload = await self.upload(step.key)
        place = PartPlace(bucket=BUCKET, key=upload.key, upload_id=upload.upload_id, number=step.number)
        source = await self.services.copying.locate(f"/{BUCKET}/{step.source}")
        await self.services.copying.copy_part(place, source, PartCopyOrder(conditions=Conditions()))

    async def _complete(self, step: Step, _: bytes) -> None:
        upload = await self.upload(step.key)
        etags = {part.number: part.etag for part in await self.metadata.all_parts(upload.upload_id)}
        listed = "".join(
            f'<Part><PartNumber>{number}</PartNumber><ETag>"{etags[number]}"</ETag></Part>'
            for number in step.parts
        )
        document = f"<CompleteMultipartUpload>{listed}</CompleteMultipartUpload>".encode()
        asked = shapes.CompleteMultipartUpload(
            bucket=BUCKET, key=step.key, upload_id=upload.upload_id, document=document
        )
        await self.services.multipart.complete(self.bucket, asked)

    async def _abort(self, step: Step, _: bytes) -> None:
        upload = await self.upload(step.key)
        asked = shapes.AbortMultipartUpload(bucket=BUCKET, key=step.key, upload_id=upload.upload_id)
        await self.services.multipart.abort(self.bucket, asked)

    async def _sweep(self, _step: Step, _: bytes) -> None:
        sweeper = Sweeper(
            metadata=self.metadata,
            blobs=self.blobs,
            clock=StandingClock(self.now),
            settings=SweepSettings(orphan_grace_s=0.0),
        )
        await sweeper.sweep_once(FAR)

    async def upload(self, key: str) -> Upload:
        page = await self.metadata.list_uploads(ListQuery(bucket=BUCKET, prefix=key, limit=2))
        (upload,) = page.items
        return upload

    async def look(self) -> State:
        """The state as it is, every byte read."""
        state = State()
        for listed in (await self.metadata.list_objects(ListQuery(bucket=BUCKET, limit=1000))).columns.keys:
            version = await self.metadata.head(BUCKET, ObjectKey(listed))
            assert version is not None
            state.objects[listed] = self._bytes(version) if version.inline is None else version.inline
        for upload in (await self.metadata.list_uploads(ListQuery(bucket=BUCKET, limit=1000))).items:
            parts = await self.metadata.all_parts(upload.upload_id)
            state.uploads[upload.key] = {part.number: self._bytes(part) for part in parts}
        return state

    def _bytes(self, held: object) -> bytes:
        pieces = []
        for extent in held.manifest.extents:  # type: ignore[attr-defined]  # a version or a part
            with self.blobs.open(extent.blob_id) as source:
                pieces.append(source.read(extent.offset, extent.length))
        return b"".join(pieces)
