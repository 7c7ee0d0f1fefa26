"""What a look at one thing found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Verdict = Literal["ok", "warning", "failed", "skipped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`check`: dns, connection, clock, signature, cors, parts. `words` say what was found, `advice` what to do; `facts` are for programs:
    seconds, bytes, bytes a second."""

    check: str
    verdict: Verdict
    words: str
    advice: tuple[str, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict[str, object])
