"""The heads of one client's requests of one kind: what they have in common, and where each of them differs.

A template is made of a request that was served the usual way. A head fits it when it is that head character for character, but
for the path and the values of a few headers: all else of it was read, checked and understood before. What is signed is not
put together here. The one place that knows is asked, with marks instead of what varies; its text is kept with the marks as gaps.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.gateway.repeats.first_line import VARYING, first_line_of
from mossaic.protocol.signing import v1, v4
from mossaic.protocol.signing.request import How, Resource, Version
from mossaic.service.identity import Presented

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mossaic.protocol.signing.claim import Claim
    from mossaic.protocol.signing.request import SignedRequest

_END: Final = "\r\n"
_START: Final = slice(0, 4)  # of a head: the method, of those that have templates
_CLAIM: Final = "authorization"
# Headers that say something new each time, and what they may say. Of the time and of the signature nothing is believed before the
# signature has shown that the whole text is the client's.
_VARYING: Final[Mapping[str, str]] = {
    _CLAIM: r"[ -~]*",
    "content-length": r"[0-9]{1,18}",
    "content-md5": r"[A-Za-z0-9+/]{22}==",
    "date": r"[ -~]{1,64}",
    "x-oss-date": r"[ -~]*",
}
_FRAMING: Final = frozenset(("expect", "transfer-encoding"))
_KEEP: Final = "keep-alive"
LONGEST: Final = 2048  # bytes of a head that is worth a template
_BUCKET: Final = "bucket"
_KEY: Final = "key"
_MARKS: Final = {name: f"mark-{secrets.token_hex(16)}" for name in (_BUCKET, _KEY, *VARYING, *_VARYING)}

Shape = tuple[str, ...]


class NoTemplate(Exception):
    """There can be none of such a head."""


class Said(NamedTuple):
    """What a head that fits says anew. `bucket` and `key` may be no names; `length` is the body's, in bytes. `values` fill the
    gaps in what is signed; those of the query have the names that they have there."""

    method: str
    path: str
    bucket: str
    key: str
    time: str
    signature: str
    length: int
    content_md5: str | None
    values: Mapping[str, str]


class Template:
    """`headers` are those of the head that it was made of, `presented` is what all that fit show of their credentials."""

    __slots__ = ("_bucket", "_form", "_names", "_text", "_time", "headers", "presented", "scope")

    def __init__(
        self, lines: Sequence[str], request: SignedRequest, claim: Claim, bucket: str | None
    ) -> None:
        """`lines`: of a head that was served; `bucket`: of its Host header, if that names one. Raises NoTemplate."""
        headers = request.headers
        is_usual = claim.how is How.HEADER and claim.version is not Version.V2
        stays_open = headers.get("connection", _KEEP).lower() == _KEEP and _FRAMING.isdisjoint(headers)
        if (
            not is_usual
            or not claim.times
            or not stays_open
            or not _VARYING.keys().isdisjoint(claim.additional)
        ):
            raise NoTemplate
        self.headers = headers
        self.presented = Presented(claim.access_key_id, claim.token)
        self.scope = claim.scope
        self._bucket = bucket
        self._time = "x-oss-date" if "x-oss-date" in headers else "date"
        self._names, self._form = _form_of(lines, claim)
        self._text = _text_with_gaps(request, claim, self._time, self._names)

    def read(self, head: str) -> Said | None:
        """What a head says, if it fits."""
        found = self._form.fullmatch(head)
        if found is None:
            return None
        method, path, key, *rest = found.groups()
        values = dict(zip(self._names, rest, strict=True))
        bucket = self._bucket
        if bucket is None:
            bucket, _, key = key.partition("/")
        elif key.startswith(bucket):  # ali-oss may have it in both, and which is meant is another question
            return None
        values[_BUCKET], values[_KEY] = bucket, key
        return Said(
            method,
            path,
            bucket,
            key,
            values[self._time],
            values[_CLAIM],
            int(values.get("content-length", "0")),
            values.get("content-md5"),
            values,
        )

    def signature(self, said: Said, secret: str) -> str:
        """The one that it has to bear."""
        text = self._text % said.values
        if self.scope is None:
            return v1.signature(secret, text)
        return v4.signature(secret, self.scope, v4.string_to_sign(text, self.scope, said.time))


def place_of(head: str) -> tuple[str, int]:
    """Where the templates are that a head may fit."""
    return head[_START], head.count(_END)


def shape_of(lines: Sequence[str]) -> Shape | None:
    """What all heads have in common that one template is for. None: no head with such a first line has one."""
    first_line = first_line_of(lines[0])
    if first_line is None:
        return None
    kept = (line for line in lines[1:] if _name(line) not in _VARYING)
    return (lines[0][_START], first_line.form, *kept)


def _name(line: str) -> str:
    return line.partition(":")[0].lower()


def _form_of(lines: Sequence[str], claim: Claim) -> tuple[tuple[str, ...], re.Pattern[str]]:
    """The form of a whole head, with a group for each value of the query and each line that varies, and their names."""
    first_line = first_line_of(lines[0])
    if first_line is None or not "".join(lines).isascii():
        raise NoTemplate
    names = list(first_line.names)
    forms = [first_line.form]
    for line in lines[1:]:
        name = _name(line)
        if name not in _VARYING:
            forms.append(re.escape(line))
            continue
        front = f"{line[: len(name)]}: "
        if name in names or not line.startswith(front) or line.strip(" \t") != line:
            raise NoTemplate
        if name == _CLAIM:
            front = line.removesuffix(claim.signature)
        names.append(name)
        forms.append(f"{re.escape(front)}({_VARYING[name]})")
    return tuple(names), re.compile(_END.join(forms))


def _text_with_gaps(request: SignedRequest, claim: Claim, time: str, names: Sequence[str]) -> str:
    """What is signed (of V4 the canonical request), to be filled in with `%`. `names`: what varies."""
    headers = {name: _MARKS[name] if name in _VARYING else value for name, value in request.headers.items()}
    query = tuple((name, _MARKS[name] if name in names else value) for name, value in request.query)
    marked = request._replace(headers=headers, query=query)
    resource = Resource(bucket=_MARKS[_BUCKET], key=_MARKS[_KEY])
    if claim.version is Version.V1:
        text = v1.string_to_sign(marked, resource, _MARKS[time])
    else:
        text = v4.canonical_request(marked, resource, v4.canonical_query(marked.query), claim.additional)
    text = text.replace("%", "%%")
    for name, mark in _MARKS.items():
        text = text.replace(mark, f"%({name})s")
    return text
