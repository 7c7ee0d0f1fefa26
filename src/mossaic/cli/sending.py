"""One file on its way to the service: watched, stopped by Ctrl-C so that it can be resumed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from mossaic.cli.outcome import Interrupted
from mossaic.cli.units import human_size, human_span

if TYPE_CHECKING:
    from mossaic.cli.output import Output
    from mossaic.cli.remote import Shell
    from mossaic.cli.urls import Remote
    from mossaic.client.upload.progress import Progress
    from mossaic.client.upload.task import Event, UploadResult

_EVERY_S: Final = 1.0  # lines of progress for programs


def send(
    shell: Shell, source: str, target: Remote, *, again: str, **options: Any
) -> UploadResult:  # Any: those of start_upload
    """Upload the file `source`. `again`: the command that goes on after an interrupt. `options`: those of `Client.start_upload`.

    Raises Interrupted after Ctrl-C, and what `Client.multipart_upload` raises.
    """
    watch = Watch(shell.output, str(target))
    upload = shell.client.start_upload(
        target.key, source, bucket=target.bucket, progress=watch.progress, on_event=watch.event, **options
    )
    try:
        result = upload.result()
    except KeyboardInterrupt:
        upload.cancel()
        raise _stopped(upload, again) from None
    finally:
        watch.end()
    return result


def _stopped(upload: Any, again: str) -> Interrupted:  # Any: an Upload
    from mossaic.client.errors import MossaicError  # noqa: PLC0415  # `--help` has no need of the client

    try:
        upload.result()
    except MossaicError:
        seen = upload.progress
        return Interrupted(
            f"interrupted; {human_size(seen.stored)} are stored and will not be sent again",
            f"to go on: {again}",
        )
    return Interrupted("interrupted, but the upload had just ended: the object is complete")


class Watch:
    """Says how far an upload is: a line that changes on a terminal, an event a second in JSON, else nothing."""

    def __init__(self, output: Output, name: str) -> None:
        self._output = output
        self._name = name
        self._next = 0.0
        self._drawn = False

    def progress(self, seen: Progress) -> None:
        output = self._output
        if output.live:
            output.err.write(f"\r\x1b[K{_line(seen)}")
            output.err.flush()
            self._drawn = True
        elif output.face == "json" and time.monotonic() >= self._next:
            self._next = time.monotonic() + _EVERY_S
            output.event(
                "progress",
                "",
                url=self._name,
                phase=seen.phase,
                sent=seen.sent,
                stored=seen.stored,
                total=seen.total,
                speed=None if seen.speed is None else round(seen.speed),
                parts_done=seen.parts_done,
                parts_total=seen.parts_total,
                retries=seen.retries,
            )

    def event(self, event: Event) -> None:
        about = event.about
        match event.kind:
            case "resumed":
                self._note(f"{about['parts']} parts ({human_size(about['bytes'])}) are stored already")
            case "discarded":
                self._note(f"an earlier attempt could not be used: {about['reason']}")
            case "leftover":
                self._note(
                    f"uploads that may be left over: {', '.join(about['upload_ids'])} ({about['reason']})"
                )
            case "unsaved":
                self._note(f"progress cannot be written down: {about['error']}")
            case _:
                pass

    def end(self) -> None:
        """Take the changing line away."""
        if self._drawn:
            self._output.err.write("\r\x1b[K")
            self._output.err.flush()
            self._drawn = False

    def _note(self, words: str) -> None:
        self.end()
        self._output.note(words)


def _line(seen: Progress) -> str:
    said: list[str] = [seen.phase]
    said.append(
        human_size(seen.sent)
        if seen.fraction is None
        else f"{seen.fraction:.1%} of {human_size(seen.total or 0)}"
    )
    if seen.speed:
        said.append(f"{human_size(seen.speed)}/s")
    if seen.eta_s is not None:
        said.append(f"{human_span(seen.eta_s)} left")
    if seen.parts_total:
        said.append(f"part {seen.parts_done}/{seen.parts_total}")
    if seen.retries:
        said.append(f"{seen.retries} retries")
    return "  ".join(said)
