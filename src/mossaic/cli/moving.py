"""One file up or down, watched: what `cp`, `mv` and `uploads resume` have in common."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mossaic.cli.board import Board
from mossaic.cli.interrupts import Interrupts
from mossaic.cli.outcome import Interrupted
from mossaic.cli.units import human_size, human_span

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.cli.output import Output
    from mossaic.cli.remote import Shell
    from mossaic.cli.transfer_options import TransferChoice
    from mossaic.cli.urls import Remote
    from mossaic.client.transfer.events import Event
    from mossaic.client.transfer.handle import Transfer
    from mossaic.client.upload.task import UploadResult

Result = TypeVar("Result")

_WAIT_S: Final = 0.1
_AGAIN: Final = "run the same command again"
EVERY_S: Final = 5.0  # between the lines of a log


def send(
    shell: Shell, source: Any, target: Remote, *, again: str = "", every_s: float = EVERY_S, **options: Any
) -> UploadResult:  # Any: a source of the SDK, options of start_upload
    """Upload `source`, watched. `again`: the command that goes on after an interrupt, when it is another one.

    Raises Interrupted after Ctrl-C, and what `Client.multipart_upload` raises.
    """
    title = str(source) if hasattr(source, "__fspath__") or isinstance(source, str) else "-"
    upload = shell.client.start_upload(
        target.key, source, bucket=target.bucket, on_event=teller(shell.output, title), **options
    )
    return watch(shell.output, upload, title, every_s=every_s, again=again)


def upload_one(
    shell: Shell, source: Any, target: Remote, choice: TransferChoice
) -> int | None:  # Any: a source of the SDK
    """Raises Interrupted, and what an upload raises."""
    name = str(source) if hasattr(source, "__fspath__") else "-"
    if choice.dry_run:
        shell.output.event(
            "would-upload", f"would upload {name} to {target}", source=name, target=str(target)
        )
        return None
    began = time.monotonic()
    result = send(shell, source, target, every_s=choice.every, **choice.for_upload())
    tell_uploaded(shell.output, name, target, result, time.monotonic() - began)
    return None


def download_one(
    shell: Shell, source: Remote, path: Path, choice: TransferChoice, *, version_id: str | None = None
) -> int | None:
    """Raises Interrupted, and what a download raises."""
    if choice.dry_run:
        words = f"would download {source} to {path}"
        shell.output.event("would-download", words, source=str(source), target=str(path))
        return None
    began = time.monotonic()
    download = shell.client.start_download(
        source.key,
        path,
        bucket=source.bucket,
        version_id=version_id,
        overwrite=not choice.no_clobber,
        on_event=teller(shell.output, str(source)),
        **choice.for_download(),
    )
    result = watch(shell.output, download, str(source), every_s=choice.every)
    took = time.monotonic() - began
    shell.output.event(
        "downloaded",
        f"{source} -> {path}  {size_and_speed(result.size, result.resumed_bytes, took)}",
        source=str(source),
        target=str(path),
        size=result.size,
        crc64=_text(result.crc64),
        etag=result.etag,
        parts=result.parts,
        resumed_bytes=result.resumed_bytes,
        seconds=round(took, 3),
    )
    return None


def watch(
    output: Output, transfer: Transfer[Result], title: str, *, every_s: float, again: str = ""
) -> Result:
    """Show a transfer until it ends. Ctrl-C cancels it and waits until nothing is on its way any more.

    Raises Interrupted, and what the transfer raises.
    """
    with Interrupts() as interrupts, Board(output, every_s=every_s) as board:
        board.add(title, transfer)
        while not (transfer.done() or interrupts.came):
            board.tick()
            _ended(transfer)
        board.remove(transfer)
        if interrupts.came:
            transfer.cancel()
            _let_end(transfer)
            raise _interrupted(transfer, title, again)
    return transfer.result()


def _interrupted(transfer: Transfer[Any], title: str, again: str) -> Interrupted:  # Any: as above
    if _ended(transfer) and _has_result(transfer):
        return Interrupted(f"{title}: interrupted, but it had just ended: it is complete")
    kept = human_size(transfer.progress.stored)
    return Interrupted(
        f"{title}: interrupted; {kept} are there already and will not travel again",
        f"to go on: {again or _AGAIN}",
    )


def _has_result(transfer: Transfer[Any]) -> bool:  # Any: as above
    try:
        transfer.result(0)
    except Exception:  # noqa: BLE001  # of whatever kind
        return False
    return True


def _ended(transfer: Transfer[Any]) -> bool:  # Any: uploads and downloads
    try:
        transfer.result(_WAIT_S)
    except Exception:  # noqa: BLE001  # whatever it is, the caller asks for the result and gets it
        return transfer.done()
    return True


def _let_end(transfer: Transfer[Any]) -> None:  # Any: as above
    for _ in range(100):
        if _ended(transfer):
            return


def teller(output: Output, title: str) -> Any:  # Any: hears events
    """Tells of what a user should know of: resumed, discarded, left over, not written down."""

    def hear(event: Event) -> None:
        about = event.about
        if output.face == "json" and event.kind not in ("part", "parallel"):
            shown = {
                name: value if isinstance(value, int | float | str | None) else str(value)
                for name, value in about.items()
            }
            output.event(event.kind, "", name=title, **shown)
            return
        match event.kind:
            case "resumed" if about.get("parts"):
                output.note(
                    f"{title}: going on, {about['parts']} parts ({human_size(about['bytes'])}) are stored already"
                )
            case "discarded":
                output.note(f"{title}: beginning anew: {about['reason']}")
            case "leftover":
                ids = ", ".join(about["upload_ids"]) or "unknown"
                output.warn(
                    f"{title}: {about['reason']}; upload ids that may be left: {ids} (see `mossaic uploads ls`)"
                )
            case "unsaved":
                output.warn(
                    f"{title}: progress cannot be written down ({about['error']}): a crash would lose it"
                )
            case "unverified":
                output.note(f"{title}: part {about['part_number']} differs from the file and is sent again")
            case _:
                pass

    return hear


def tell_uploaded(
    output: Output, name: str, target: Remote, result: Any, took: float
) -> None:  # Any: UploadResult
    answer = None if result.callback is None else result.callback.decode("utf-8", "replace")
    more = f"  callback answered {answer}" if answer is not None else ""
    output.event(
        "uploaded",
        f"{name} -> {target}  {size_and_speed(result.size, result.resumed_bytes, took)}{more}",
        source=name,
        target=str(target),
        size=result.size,
        crc64=_text(result.crc64),
        etag=result.etag,
        parts=result.parts,
        resumed_bytes=result.resumed_bytes,
        seconds=round(took, 3),
        version_id=result.version_id,
        request_id=result.request_id,
        **({} if answer is None else {"callback": answer}),
    )


def shown(path: Path) -> str:
    return str(path)


def size_and_speed(size: int, resumed: int, took: float) -> str:
    """`1.0 GiB in 12s, 85.3 MiB/s (37.0 MiB were there), CRC-64 ok`: what went over the line counts for the speed."""
    rate = f", {human_size((size - resumed) / took)}/s" if took > 0.05 and size > resumed else ""
    kept = f" ({human_size(resumed)} were stored already)" if resumed else ""
    return f"{human_size(size)} in {human_span(took) if took >= 1 else f'{took:.2f}s'}{rate}{kept}"


def _text(crc64: int | None) -> str | None:
    """JSON readers elsewhere hold numbers of 53 bits."""
    return None if crc64 is None else str(crc64)
