"""How a command ends: the exit code, and a failure told in plain words with what to do next.

| exit code | |
| --- | --- |
| 0 | everything was done |
| 1 | it failed, or a part of it did |
| 2 | the command was not understood: wrong options, no endpoint |
| 130 | interrupted; what was under way can be resumed |
| 141 | whoever read the output went away |
"""

from __future__ import annotations

import os
import sys
import traceback
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import click

from mossaic.cli.advice import Where, advice

if TYPE_CHECKING:
    from collections.abc import Callable

    from mossaic.cli.output import Output

DONE: Final = 0
FAILED: Final = 1
USAGE: Final = 2
RESUMABLE: Final = 130
BROKEN_PIPE: Final = 141

DEBUG: Final = "MOSSAIC_DEBUG"


class Interrupted(click.ClickException):
    """Stopped by the user; `advice` says how to go on. A command raises it when it knows more than "interrupted"."""

    exit_code = RESUMABLE

    def __init__(self, message: str, *advice: str) -> None:
        super().__init__(message)
        self.advice = advice


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A failure, told. `code`: OSS's, or the name of the exception."""

    message: str
    code: str
    exit_code: int = FAILED
    status: int | None = None
    request_id: str | None = None
    ec: str | None = None
    operation: str | None = None
    part_number: int | None = None
    advice: tuple[str, ...] = field(default=())

    def record(self) -> dict[str, object]:
        """For programs: what is known."""
        named = {
            "code": self.code,
            "message": self.message,
            "status": self.status,
            "request_id": self.request_id,
            "ec": self.ec,
            "operation": self.operation,
            "part_number": self.part_number,
        }
        known: dict[str, object] = {name: value for name, value in named.items() if value is not None}
        return known | {"advice": list(self.advice)} if self.advice else known

    def lines(self) -> list[str]:
        """For people."""
        named = (
            ("request id", self.request_id),
            ("EC", self.ec),
            ("status", self.status),
            ("part", self.part_number),
            ("in", self.operation),
        )
        known = ", ".join(f"{title} {value}" for title, value in named if value is not None)
        first = f"{self.code}: {self.message}" if self.status is not None else self.message
        return [first, *([f"({known})"] if known else []), *(f"-> {text}" for text in self.advice)]


def tell(error: BaseException, where: Where) -> Story:
    """What happened, in words. It may ask the service for names that were perhaps meant."""
    from mossaic.client import errors  # noqa: PLC0415  # `mossaic ls --help` has no need of the client

    told = advice(error, where)
    match error:
        case errors.ServerError():
            return Story(
                message=error.message,
                code=error.code,
                status=error.status,
                request_id=error.request_id or None,
                ec=error.ec or None,
                operation=error.operation or None,
                part_number=error.part_number,
                advice=told,
            )
        case errors.UploadAborted():
            return Story(message=str(error), code="UploadAborted", advice=told)
        case errors.Cancelled() | KeyboardInterrupt():
            return Story(
                message=str(error) or "interrupted", code="Interrupted", exit_code=RESUMABLE, advice=told
            )
        case Interrupted():
            return Story(message=error.message, code="Interrupted", exit_code=RESUMABLE, advice=error.advice)
        case click.ClickException():
            return Story(message=error.format_message(), code=_name(error), exit_code=error.exit_code)
        case errors.MossaicError():
            return Story(message=str(error), code=_name(error), part_number=error.part_number, advice=told)
        case OSError():
            return Story(message=_os_words(error), code=_name(error), advice=told)
        case ValueError():
            return Story(message=str(error), code="InvalidValue", exit_code=USAGE, advice=told)
        case _:
            return Story(message=f"unexpected {_name(error)}: {error}", code=_name(error), advice=told)


def run(
    work: Callable[[], int | None], output: Output, where: Callable[[], Where], *, debug: bool = False
) -> int:
    """Do `work` and give the exit code of the command; a failure is told on standard error.

    What `work` returns is the code, None is 0. Wrong usage that click can show with the command's own usage is raised.
    """
    try:
        code = work()
        output.flush()
    except click.exceptions.Exit:
        raise
    except click.Abort:  # Ctrl-C or Ctrl-D where something was asked
        return _fail(Interrupted("not answered, nothing was done"), output, where(), debug=False)
    except BrokenPipeError as error:
        if _from_network(error):
            return _fail(error, output, where(), debug=debug)
        _close_output()
        return BROKEN_PIPE
    except click.UsageError as error:
        if output.face != "json":
            raise
        return _fail(error, output, where(), debug=debug)
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  # the end of a command: whatever it is, it is told
        return _fail(error, output, where(), debug=debug)
    return code or DONE


def report(error: BaseException, output: Output, where: Where, **about: object) -> Story:
    """Tell of one failure among several things, and go on. `about` is added for programs."""
    story = tell(error, where)
    output.error({**story.record(), **about}, story.lines())
    return story


def _fail(error: BaseException, output: Output, where: Where, *, debug: bool) -> int:
    if debug:
        traceback.print_exception(error)
    story = tell(error, where)
    try:
        output.error(story.record(), story.lines())
    except BrokenPipeError:
        _close_output()
        return BROKEN_PIPE
    return story.exit_code


def _from_network(error: OSError) -> bool:
    from mossaic.client.errors import MossaicError  # noqa: PLC0415  # as above

    return isinstance(error, MossaicError)


def _close_output() -> None:
    """Nobody reads it any more: the interpreter must not try to flush it at its end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


def _os_words(error: OSError) -> str:
    words = error.strerror or str(error)
    return f"{error.filename}: {words}" if error.filename is not None else words


def _name(error: BaseException) -> str:
    return type(error).__name__
