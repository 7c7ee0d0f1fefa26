"""The web page's files: what is vendored is what it says, the rest is small, plain and safe by construction."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "src/mossaic/page"
SCRIPTS = sorted(PAGE.glob("js/**/*.js"))
DOCUMENTS = sorted(PAGE.glob("*.html"))
MAX_FILE = 400
# Each would make markup or code of a text, or needs a secure context, which a service on a LAN address is not.
FORBIDDEN = {
    "innerHTML": r"\.(innerHTML|outerHTML)\b|insertAdjacentHTML|document\.write",
    "code from text": r"\beval\(|new Function\(|setTimeout\(\s*[\"'`]",
    "crypto.subtle": r"crypto\.subtle\.\w+\(",
    "a cookie": r"document\.cookie",
    "another server": r"(from|import\()\s*[\"']https?:",
}


def _name(path: Path) -> str:
    return str(path.relative_to(PAGE))


def test_what_is_vendored_is_what_it_says() -> None:
    text = (PAGE / "vendor/README.md").read_text()
    bundle = (PAGE / "vendor/aliyun-oss-sdk.min.js").read_bytes()

    assert re.findall(r"`([0-9a-f]{64})`", text) == [hashlib.sha256(bundle).hexdigest()]
    assert b"Aliyun OSS SDK for JavaScript v6.23.0" in bundle[:100]
    assert "6.23.0" in text
    assert (PAGE / "vendor/LICENSE.ali-oss.txt").read_text().startswith("The MIT License")
    assert {path.name for path in (PAGE / "vendor").iterdir()} == {
        "README.md",
        "LICENSE.ali-oss.txt",
        "aliyun-oss-sdk.min.js",
    }


@pytest.mark.parametrize("path", SCRIPTS, ids=_name)
def test_a_script_is_small_and_safe(path: Path) -> None:
    text = path.read_text()

    assert len(text.splitlines()) <= MAX_FILE
    assert [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)] == []
    missing = [
        name
        for name in re.findall(r"(?:from|import)\s*\(?\s*[\"'](\.[^\"']+)[\"']", text)
        if not (path.parent / name).is_file()
    ]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_a_document_has_nothing_inline(path: Path) -> None:
    """The Content-Security-Policy would not run it."""
    text = path.read_text()

    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))
    assert not re.search(r"(src|href)=\"(https?:)?//", text)


@pytest.mark.parametrize("path", sorted(PAGE.glob("js/words/*.js")), ids=_name)
def test_words_come_in_both_languages(path: Path) -> None:
    text = path.read_text()

    assert re.search(r"\ben\b", text)
    assert re.search(r"[\u4e00-\u9fff]", text)
