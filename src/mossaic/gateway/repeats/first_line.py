"""The first lines that heads with a template have: what of one stays, and what it may say instead of the rest."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PART_NUMBER: Final = "partNumber"
UPLOAD_ID: Final = "uploadId"
QUERY: Final = "?"  # the whole query of a list, as it was sent
# What a list may be asked for. Of `list-type` another value is another operation.
_OF_LISTS: Final = frozenset(
    (
        "continuation-token",
        "delimiter",
        "encoding-type",
        "fetch-owner",
        "list-type",
        "marker",
        "max-keys",
        "prefix",
        "start-after",
    )
)
_STAYS: Final = "list-type"
VARYING: Final = (PART_NUMBER, UPLOAD_ID, *sorted(_OF_LISTS - {_STAYS}))
# What is signed as it is sent: such a path, and such a value, printable ASCII of which nothing is escaped that need not be. (V1 signs
# a continuation token as it is meant: one with an escape, which none of ours has, goes the usual way.)
_PATH: Final = r"(/([A-Za-z0-9\-._~/]{1,1088}))"
_BUCKET_PATH: Final = r"(/([A-Za-z0-9\-]{0,63}/?))"
_VALUE: Final = r"(?:[A-Za-z0-9\-._~]|%(?:2[0-9A-CF]|3[A-F]|40|5[B-E]|60|7[B-D])){1,1024}"


class FirstLine(NamedTuple):
    """`form`: a regular expression. Its groups: the method, the path, the path without the first slash, and what `names` say."""

    form: str
    names: tuple[str, ...]


_OF_OBJECTS: Final = tuple(
    (FirstLine(form, names), re.compile(form))
    for form, names in (
        (rf"(GET|PUT) {_PATH} HTTP/1\.1", ()),
        (
            rf"(PUT) {_PATH}\?{PART_NUMBER}=([0-9]{{1,5}})&{UPLOAD_ID}=([0-9A-F]{{32}}) HTTP/1\.1",
            (PART_NUMBER, UPLOAD_ID),
        ),
        (rf"(POST) {_PATH}\?{UPLOAD_ID}=([0-9A-F]{{32}}) HTTP/1\.1", (UPLOAD_ID,)),
    )
)
_LIST: Final = re.compile(rf"GET {_BUCKET_PATH}\?(\S+) HTTP/1\.1")


def first_line_of(line: str) -> FirstLine | None:
    """None when no head with such a line has a template."""
    for first_line, form in _OF_OBJECTS:
        if form.fullmatch(line):
            return first_line
    found = _LIST.fullmatch(line)
    return None if found is None else _of_list(found[3])


def _of_list(query: str) -> FirstLine | None:
    """Parameters may come in any order, each once. An empty one is signed in another form, and therefore stays as it is."""
    forms: dict[str, str] = {}
    varying: list[str] = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if name not in _OF_LISTS or name in forms:
            return None
        if name == _STAYS or not value:
            forms[name] = re.escape(pair)
            continue
        if not re.fullmatch(_VALUE, value):
            return None
        forms[name] = f"{name}=({_VALUE})"
        varying.append(name)
    return FirstLine(rf"(GET) {_BUCKET_PATH}\?({'&'.join(forms.values())}) HTTP/1\.1", (QUERY, *varying))
