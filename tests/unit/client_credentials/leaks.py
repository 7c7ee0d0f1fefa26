"""Whether an exception shows a secret anywhere: its text, its traceback, and what it drags along."""

from __future__ import annotations

import traceback

SECRET = "SECRETsecretSECRET"
TOKEN = "TOKENtokenTOKEN"


def shown(error: BaseException) -> str:
    """Everything that a log, a debugger's first look or a crash reporter could show of `error`."""
    texts = ["".join(traceback.format_exception(error))]
    seen: set[int] = set()
    queue: list[BaseException | None] = [error]
    while queue:
        one = queue.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        texts += [repr(one), str(one), repr(vars(one)), repr(one.args)]
        queue += [one.__cause__, one.__context__]
    return "\n".join(texts)


def assert_keeps_secrets(error: BaseException) -> None:
    text = shown(error)
    assert SECRET not in text
    assert TOKEN not in text
