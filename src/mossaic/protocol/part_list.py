"""The list of parts in the body of CompleteMultipartUpload: 10,000 parts are 900 KB of XML, read as a few columns."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Final, NamedTuple

from mossaic.protocol.errors import MALFORMED_XML, OssError
from mossaic.protocol.limits import KIB, MAX_PART_NUMBER
from mossaic.protocol.records import COMMA, Numbers, Texts
from mossaic.protocol.shape import shape
from mossaic.protocol.xml import Node, XmlError, parse

if TYPE_CHECKING:
    from collections.abc import Iterable


@shape
class PartList:
    """The parts that are listed, in their order: the number of each, not yet compared with the limits, and its ETag, bare and
    upper case. `lines`: both, `number:etag` and a line feed for each part, which identifies the list."""

    numbers: Numbers
    etags: Texts
    lines: bytes

    @classmethod
    def of(cls, pairs: Iterable[tuple[int, str]]) -> PartList:
        listed = list(pairs)
        return cls(
            numbers=Numbers.of([number for number, _ in listed], COMMA),
            etags=Texts.of([etag for _, etag in listed]),
            lines="".join([f"{number}:{etag}\n" for number, etag in listed]).encode(),
        )


# The document as clients write it: blanks between elements, ETags quoted in one of three ways or not. Every repetition is
# bounded or possessive, so that no document makes the search go back over what it has seen. `\s` takes form feeds, which
# are no XML: they are looked for first.
_QUOTE: Final = b'(?:"|&quot;|&#34;)?'
_BLANK: Final = rb"\s*+"
_LIST: Final = re.compile(
    rb'(?:<\?xml version="1\.0"(?: encoding="(?:UTF|utf)-8")?\?>)?%(b)b'
    rb'<CompleteMultipartUpload(?: xmlns="[\w:/.-]*+")?>%(b)b((?s:.*))</CompleteMultipartUpload>%(b)b'
    % {b"b": _BLANK}
)
_PART: Final = re.compile(
    rb"<Part>%(b)b<PartNumber>%(b)b([0-9]{1,9}+)%(b)b</PartNumber>%(b)b"
    rb"<ETag>%(b)b%(q)b%(b)b([0-9A-Za-z-]{1,64}+)%(b)b%(q)b%(b)b</ETag>%(b)b</Part>%(b)b"
    % {b"b": _BLANK, b"q": _QUOTE}
)
_WORTH_TABLE: Final = (
    16 * KIB
)  # bytes of a document from which on it is quicker read as a table, some 180 parts
_MAX_DIGITS: Final = 9  # of a number in `_PART`
_IN_ETAGS: Final = b"-0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# What a character of an ETag becomes: upper case; one that `_PART` does not take in it a comma, which is looked for.
_UPPER: Final = bytes([byte if byte in _IN_ETAGS else COMMA[0] for byte in bytes(range(256)).upper()])


def listed_parts(document: bytes) -> PartList:
    """The list; it may be empty. 10,000 parts take some 3 ms where they are written alike, as clients do, 15 ms when they
    differ in blanks or quotes, and else 100 ms.

    ETags may be quoted and in either case (oss2, ali-oss and Java quote them). Raises OssError MALFORMED_XML.
    """
    usual = _usual_list(document)
    if usual is not None:
        return usual
    try:
        root = parse(document)
        if root.tag != "CompleteMultipartUpload":
            raise XmlError(f"the root element is {root.tag}, not CompleteMultipartUpload")
        return PartList.of(map(_listed_part, root.find_all("Part")))
    except ValueError as error:  # XmlError is one
        raise OssError(MALFORMED_XML, ec="0042-00000205", ErrorDetail=str(error)) from None


def _usual_list(document: bytes) -> PartList | None:
    """The list, when nothing but what the patterns describe is in the document: then it means what a parser would say.
    None: let the parser look at it."""
    if not document.isascii() or b"\x0b" in document or b"\x0c" in document:
        return None
    found = _LIST.fullmatch(document)
    if found is None:
        return None
    if len(document) > _WORTH_TABLE and (even := _even_list(found[1])) is not None:
        return even
    gaps_numbers_etags = _PART.split(found[1])
    if any(gaps_numbers_etags[::3]) or len(gaps_numbers_etags) > 3 * MAX_PART_NUMBER + 1:
        return None
    etags = [etag.decode().upper() for etag in gaps_numbers_etags[2::3]]
    return PartList.of(zip(map(int, gaps_numbers_etags[1::3]), etags, strict=True))


def _listed_part(node: Node) -> tuple[int, str]:
    number, etag = node.find("PartNumber"), node.find("ETag")
    if number is None or etag is None:
        raise XmlError("a Part needs a PartNumber and an ETag")
    digits = number.text.strip()
    if not digits.isascii() or not digits.removeprefix("-").isdigit() or len(digits) > 20:
        raise XmlError(f"PartNumber is no number: {digits[:40]!r}")
    return int(digits), etag.text.strip().strip('"').strip().upper()


# --- parts that are all written as the first one ---------------------------------------------------------------------


def _even_list(inner: bytes) -> PartList | None:
    """The list, when parts differ in nothing but number and ETag, and numbers do not become shorter.

    Parts whose numbers have as many digits are a table then, in which each character has its column: instead of 10,000 parts
    with 90 characters each, 90 columns of 10,000 characters are looked at.
    """
    first = _PART.match(inner)
    if first is None:
        return None
    form = _Form(
        before=inner[: first.start(1)],
        between=inner[first.end(1) : first.start(2)],
        width=len(first[2]),
        after=inner[first.end(2) : first.end()],
    )
    # Other blanks may follow the last part than the others.
    inner = inner.rstrip() + form.after[len(form.after.rstrip()) :]
    numbers, etags, lines, count, start = b"", b"", b"", 0, 0
    for _ in range(_MAX_DIGITS):
        table = form.table(inner, start)
        if table is None:
            return None
        numbers += _rows(*table.numbers, table.fill(b","))
        etags += _rows(*table.etags, table.fill(b","))
        lines += _rows(*table.numbers, table.fill(b":"), *table.etags, table.fill(b"\n"))
        count, start = count + len(table.etags[0]), table.stop
        if start == len(inner):
            break
    if start < len(inner) or count > MAX_PART_NUMBER:
        return None
    return PartList(
        numbers=Numbers(numbers[:-1], count, COMMA), etags=Texts(etags[:-1], count, COMMA), lines=lines
    )


def _rows(*columns: bytes) -> bytes:
    rows = bytearray(len(columns) * len(columns[0]))
    for place, column in enumerate(columns):
        rows[place :: len(columns)] = column
    return bytes(rows)


class _Table(NamedTuple):
    """The columns of the values of some parts, and where these end in the text."""

    numbers: list[bytes]
    etags: list[bytes]
    stop: int

    def fill(self, char: bytes) -> bytes:
        """A column of nothing else."""
        return char * len(self.etags[0])


class _Form(NamedTuple):
    """How a part is written: what is before its number, between this and the ETag, and after that, which has `width` bytes."""

    before: bytes
    between: bytes
    width: int
    after: bytes

    def table(self, inner: bytes, start: int) -> _Table | None:
        """The parts from `start` on whose numbers have as many digits as that of the first. None: they are not of this form."""
        before, between, width, after = self
        place = start + len(before)
        digits = inner.find(between, place, place + _MAX_DIGITS + len(between)) - place
        if digits <= 0:
            return None
        size = len(before) + digits + len(between) + width + len(after)
        mark = place + digits
        count = bisect_left(
            range((len(inner) - start) // size),
            x=True,
            key=lambda part: not inner.startswith(between, mark + part * size),
        )
        columns = [inner[at : start + count * size : size] for at in range(start, start + size)]
        at_between, at_etag = len(before) + digits, len(before) + digits + len(between)
        numbers, etags = columns[len(before) : at_between], columns[at_etag : at_etag + width]
        same = [*columns[: len(before)], *columns[at_between:at_etag], *columns[at_etag + width :]]
        is_form = same == [bytes((char,)) * count for char in before + between + after]
        # A number that begins with 0 has another text, too.
        if not is_form or not b"".join(numbers).isdigit() or b"0" in numbers[0]:
            return None
        etags = [etag.translate(_UPPER) for etag in etags]
        if any(COMMA in etag for etag in etags):
            return None
        return _Table(numbers, etags, start + count * size)
