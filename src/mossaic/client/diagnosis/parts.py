"""What a part costs on this line, and the part size, parallelism and time-outs that follow."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from mossaic.client.diagnosis.finding import Finding
from mossaic.client.errors import MossaicError, ServerError
from mossaic.client.exchange import Ask
from mossaic.client.http import BytesBody
from mossaic.client.object_options import ObjectOptions
from mossaic.client.upload import wire
from mossaic.protocol.limits import KIB, MIB, MIN_PART_SIZE
from mossaic.protocol.operations import multipart as ops

if TYPE_CHECKING:
    from mossaic.client.exchange import Session
    from mossaic.client.upload.wire import UploadRef

_SMALL: Final = MIN_PART_SIZE
_SIZES: Final = (MIN_PART_SIZE, MIB, 4 * MIB, 16 * MIB)
_ENOUGH_S: Final = 1.5  # a measurement that took this long needs no larger part
_PART_S: Final = 8.0  # what a part should take at most: so much is lost when a line breaks
_TRIES: Final = 3
_NAME: Final = ".mossaic-doctor"


def parts(session: Session, bucket: str, prefix: str) -> Finding:
    """Sends some parts to an upload that is aborted afterwards; no object is made."""
    ask = Ask(deadline=60)
    try:
        began = wire.initiate(session, bucket, f"{prefix}{_NAME}", ObjectOptions(), ask)
    except ServerError as error:
        words = f"no upload may be begun: {error.code} (request id {error.request_id})"
        return Finding(check="parts", verdict="warning" if error.status == 403 else "failed", words=words)
    except MossaicError as error:
        return Finding(check="parts", verdict="failed", words=str(error))
    ref = wire.UploadRef(bucket=bucket, name=f"{prefix}{_NAME}", upload_id=began.value.upload_id)
    try:
        trip = min(_sent(session, ref, _SMALL) for _ in range(_TRIES))
        rate = _rate(session, ref, trip)
    except MossaicError as error:
        return Finding(check="parts", verdict="failed", words=f"a part could not be sent: {error}")
    finally:
        wire.abort_for_good(session, ref, ask)
    return _advised(trip, rate)


def _rate(session: Session, ref: UploadRef, trip: float) -> float:
    """Bytes a second of one connection, measured with parts that grow until one takes long enough."""
    best = _SMALL / trip
    for size in _SIZES[1:]:
        if size / best > _ENOUGH_S * 4:
            break
        took = _sent(session, ref, size)
        best = max(best, size / took)
        if took >= _ENOUGH_S:
            break
    return best


def _sent(session: Session, ref: UploadRef, size: int) -> float:
    data = bytes(size)
    asked = ops.UploadPart(bucket=ref.bucket, key=ref.name, upload_id=ref.upload_id, part_number="1")
    began = time.monotonic()
    session.do(ops.UPLOAD_PART, asked, Ask(body=lambda: BytesBody(data), deadline=60))
    return max(time.monotonic() - began, 1e-4)


def advised_part_size(rate: float) -> int:
    """What one connection moves in eight seconds, in whole steps: 100 KiB … 8 MiB, beyond which a larger part gains nothing."""
    wanted = rate * _PART_S
    if wanted < MIB:
        return max(_SMALL, int(wanted) // (100 * KIB) * 100 * KIB)
    size = MIB
    while size * 2 <= min(wanted, 8 * MIB):
        size *= 2
    return size


def _advised(trip: float, rate: float) -> Finding:
    size = advised_part_size(rate)
    takes = size / rate
    parallel = 8 if takes < trip * 20 else 4
    timeout = max(60, round(4 * parallel * takes / 10) * 10)  # the parts share the line
    shown = f"{size // MIB}m" if size >= MIB else f"{size // KIB}k"
    return Finding(
        check="parts",
        verdict="ok",
        words=f"a part of 100 KiB takes {trip * 1000:.0f} ms, one connection moves {rate / MIB:.1f} MiB/s",
        advice=(
            f"part size {shown}, {parallel} parts at a time: mossaic cp --part-size {shown} --parallel {parallel}",
            f"ali-oss: partSize: {size}, parallel: {parallel}, timeout: {timeout * 1000} (a part has to fit into it)",
        ),
        facts={
            "round_trip_s": round(trip, 4),
            "bytes_a_second": round(rate),
            "part_size": size,
            "parallel": parallel,
            "timeout_s": timeout,
        },
    )
