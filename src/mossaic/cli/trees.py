"""Whole folders up and down, watched: what `cp -r` and `sync` have in common."""

from __future__ import annotations

import threading
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from mossaic.cli.board import Board
from mossaic.cli.interrupts import Interrupts
from mossaic.cli.moving import size_and_speed
from mossaic.cli.outcome import DONE, FAILED, Interrupted, report
from mossaic.cli.units import human_size, human_span

if TYPE_CHECKING:
    from pathlib import Path

    from mossaic.cli.remote import Shell
    from mossaic.cli.transfer_options import TransferChoice
    from mossaic.cli.urls import Remote
    from mossaic.client.folder.batch import Batch
    from mossaic.client.folder.entry import BatchProgress, BatchResult, FolderEvent


_WAIT_S: Final = 0.1
_LET_END_S: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """What `sync` adds to a copy of a folder: what is left out, and whether the target loses what the source has not."""

    skip: str
    delete: bool = False


def upload_tree(
    shell: Shell, folder: Path, target: Remote, choice: TransferChoice, mirror: Mirror | None = None
) -> int:
    """The exit code. Raises Interrupted, and what `Client.upload_folder` raises."""

    def plan(options: dict[str, Any]) -> Batch:  # Any: options of upload_folder
        return shell.client.plan_upload_folder(folder, target.key, bucket=target.bucket, **options)

    return _Run(shell, f"{folder} -> {target}", choice, mirror).go(plan, choice.for_upload())


def download_tree(
    shell: Shell, source: Remote, folder: Path, choice: TransferChoice, mirror: Mirror | None = None
) -> int:
    """The exit code. Raises Interrupted, and what `Client.download_folder` raises."""

    def plan(options: dict[str, Any]) -> Batch:  # Any: options of download_folder
        return shell.client.plan_download_folder(source.key, folder, bucket=source.bucket, **options)

    return _Run(shell, f"{source} -> {folder}", choice, mirror).go(plan, choice.for_download())


class _Run:
    """One folder under way."""

    def __init__(self, shell: Shell, title: str, choice: TransferChoice, mirror: Mirror | None) -> None:
        self._shell = shell
        self._title = title
        self._choice = choice
        self._mirror = mirror or Mirror(skip=choice.skip)
        self._board = Board(shell.output, every_s=choice.every)
        self._seen: BatchProgress | None = None
        self._lock = threading.Lock()  # events come from the threads of the jobs

    def go(self, plan: Any, options: dict[str, Any]) -> int:  # Any: makes the batch; options of its files
        choice = self._choice
        options |= {
            "include": choice.include,
            "exclude": choice.exclude,
            "jobs": choice.jobs or "auto",
            "skip": self._mirror.skip,
            "delete": self._mirror.delete,
            "dry_run": choice.dry_run,
            "progress": self._progress,
            "on_event": self._event,
        }
        self._board.overall(self._overall)
        batch: Batch = plan(options)
        with Interrupts() as interrupts, self._board:
            outcome = _started(batch)
            while not (outcome.done() or interrupts.came):
                self._board.tick()
                wait([outcome], _WAIT_S)
            if interrupts.came:
                batch.cancel()
                wait([outcome], _LET_END_S)
                raise Interrupted(
                    f"{self._title}: interrupted; what was moved stays",
                    "to go on: run the same command again",
                )
        return self._told(outcome.result())

    def _progress(self, seen: BatchProgress) -> None:
        self._seen = seen

    def _overall(self) -> str:
        seen = self._seen
        if seen is None:
            return ""
        of = f" of {seen.files}" if seen.counted else f" of {seen.files}+"
        said = [
            f"{seen.done}{of} files",
            human_size(seen.sent) + (f" of {human_size(seen.total)}" if seen.counted else ""),
        ]
        if seen.speed is not None:
            said.append(f"{human_size(seen.speed)}/s")
        if seen.eta_s is not None:
            said.append(f"{human_span(seen.eta_s)} left")
        if seen.failed:
            said.append(f"{seen.failed} failed")
        return "  ".join(said)

    def _event(self, event: FolderEvent) -> None:
        entry, output = event.entry, self._shell.output
        match event.kind:
            case "begun":
                assert event.transfer is not None
                with self._lock:
                    self._board.add(entry.path, event.transfer)
            case "done":
                with self._lock:
                    self._board.remove(event.transfer)
                self._moved(event)
            case "deleted":
                output.event("deleted", f"deleted {entry.key or entry.path}", key=entry.key, path=entry.path)
            case "planned" if entry.action != "skip":
                words = f"would {entry.action} {entry.path or entry.key}  {entry.reason}"
                output.event(
                    f"would-{entry.action}",
                    words,
                    key=entry.key,
                    path=entry.path,
                    size=entry.size,
                    reason=entry.reason,
                )
            case "failed":
                with self._lock:
                    self._board.remove(event.transfer)
                assert event.error is not None
                report(event.error, output, self._shell.where(), path=entry.path, key=entry.key)
            case _:
                pass

    def _moved(self, event: FolderEvent) -> None:
        """Programs hear of every file, people of the sum: a folder may have a hundred thousand."""
        output, entry, result = self._shell.output, event.entry, event.result
        if output.face == "human":
            return
        crc64 = getattr(result, "crc64", None)
        with self._lock:
            output.event(
                f"{entry.action}ed",
                "",
                path=entry.path,
                key=entry.key,
                size=entry.size,
                crc64=None if crc64 is None else str(crc64),
                resumed_bytes=getattr(result, "resumed_bytes", 0),
            )

    def _told(self, result: BatchResult) -> int:
        said = [f"{result.moved} moved ({size_and_speed(result.size, result.resumed_bytes, result.seconds)})"]
        said += [
            f"{count} {word}"
            for count, word in (
                (result.skipped, "skipped"),
                (result.deleted, "deleted"),
                (result.failed, "failed"),
            )
            if count
        ]
        would = "would be: " if result.dry_run else ""
        self._shell.output.event(
            "summary",
            f"{self._title}  {would}{', '.join(said)}",
            moved=result.moved,
            skipped=result.skipped,
            deleted=result.deleted,
            failed=result.failed,
            size=result.size,
            resumed_bytes=result.resumed_bytes,
            seconds=round(result.seconds, 3),
            dry_run=result.dry_run,
        )
        return DONE if result.ok else FAILED


def _started(batch: Batch) -> Future[BatchResult]:
    """Run it in a thread of its own, which the end of the program does not wait for."""
    outcome: Future[BatchResult] = Future()

    def run() -> None:
        try:
            outcome.set_result(batch.run())
        except BaseException as error:  # noqa: BLE001  # whoever asks for the result gets it
            outcome.set_exception(error)

    threading.Thread(target=run, name="mossaic-folder", daemon=True).start()
    return outcome
