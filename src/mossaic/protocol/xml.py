"""XML as OSS speaks it: read safely and tolerantly, written plainly and without a namespace.

Reading: UTF-8 only, bounded size, depth and number of elements, no DOCTYPE, no NUL. The body is decoded *before* it is
searched for a DOCTYPE: handing UTF-16 bytes to a parser that was told "utf-8" once let a document type with entities
slip past a byte search. Namespaces and prefixes of requests are ignored (OSS samples carry one, clients do not).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from xml.parsers import expat

from mossaic.protocol.records import Texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mossaic.protocol.records import Column

MAX_DEPTH: Final = 16
MAX_ELEMENTS: Final = 60_000  # 10,000 parts are 30,001

# XML 1.0 has no way to write these characters, not even as references; v2 for Python writes `&#12;` for a form feed in a
# key all the same. They travel through the parser as private-use characters and are turned back in the text.
_CONTROL_REFERENCE: Final = re.compile(r"&#(?:x([0-9a-fA-F]{1,2})|([0-9]{1,2}));")
_PRIVATE_BASE: Final = 0xF8E0
_PRIVATE: Final = re.compile(f"[{chr(_PRIVATE_BASE)}-{chr(_PRIVATE_BASE + 31)}]")
_UNWRITABLE: Final = re.compile(r"[\x00-\x08\x0b-\x1f]")
_UNWRITABLE_BYTES: Final = re.compile(rb"[\x00-\x08\x0b-\x1f]")
_SPECIAL: Final = b"&<>" + bytes(range(9)) + bytes(range(11, 32))  # whatever `escape` changes


class XmlError(ValueError):
    """The document cannot be read; the text says why."""


class Node:
    """An element: its local name, its text (outside children, joined) and its children in order."""

    __slots__ = ("children", "tag", "text")

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.text = ""
        self.children: list[Node] = []

    def find(self, tag: str) -> Node | None:
        for child in self.children:
            if child.tag == tag:
                return child
        return None

    def find_all(self, tag: str) -> Iterator[Node]:
        return (child for child in self.children if child.tag == tag)


def _shield(match: re.Match[str]) -> str:
    code = int(match[1], 16) if match[1] else int(match[2])
    if code in (0x09, 0x0A, 0x0D) or code >= 0x20:
        return match[0]
    return chr(_PRIVATE_BASE + code)


def _unshield(match: re.Match[str]) -> str:
    return chr(ord(match[0]) - _PRIVATE_BASE)


class _Builder:
    def __init__(self) -> None:
        self.root = Node("")
        self.stack = [self.root]
        # Of the open elements: joined at their end, not added up piece by piece.
        self.texts: list[list[str]] = [[]]
        self.count = 0

    def start(self, name: str, _attributes: dict[str, str]) -> None:
        self.count += 1
        if len(self.stack) > MAX_DEPTH or self.count > MAX_ELEMENTS:
            raise XmlError("too many or too deeply nested elements")
        node = Node(name.rpartition(":")[2])
        self.stack[-1].children.append(node)
        self.stack.append(node)
        self.texts.append([])

    def end(self, _name: str) -> None:
        self.stack.pop().text = "".join(self.texts.pop())

    def data(self, text: str) -> None:
        self.texts[-1].append(text)


def parse(body: bytes) -> Node:
    """The root element. Raises XmlError."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise XmlError("the document is not UTF-8") from None
    if "\0" in text or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise XmlError("document type declarations are not accepted")
    shielded = "&#" in text
    if shielded:
        text = _CONTROL_REFERENCE.sub(_shield, text)
    builder = _Builder()
    parser = expat.ParserCreate(encoding="utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    try:
        parser.Parse(text.encode(), True)
    except expat.ExpatError as error:
        raise XmlError(str(error)) from None
    root = builder.root.children[0]
    if shielded:
        _restore(root)
    return root


def _restore(node: Node) -> None:
    node.text = _PRIVATE.sub(_unshield, node.text)
    for child in node.children:
        _restore(child)


def escape(text: str) -> str:
    """Text for an element. Control characters become numeric references, as the real service writes them."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if not text.isprintable():
        text = _UNWRITABLE.sub(lambda match: f"&#{ord(match[0])};", text)
    return text


def escape_all(texts: Column[Any]) -> Column[Any]:  # Any: of any texts
    """`escape` for many texts, which mostly need none: one look at all of them."""
    whole = texts.whole
    if len(whole.translate(None, _SPECIAL)) == len(whole):
        return texts
    whole = whole.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b">", b"&gt;")
    whole = _UNWRITABLE_BYTES.sub(lambda match: b"&#%d;" % ord(match[0]), whole)
    return Texts(whole, len(texts), texts.gap)


DECLARATION: Final = '<?xml version="1.0" encoding="UTF-8"?>\n'
