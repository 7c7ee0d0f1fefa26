"""The house stays tidy: sizes, sentences at the door, no room that nobody enters."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mossaic"
FILES = sorted(SOURCE.rglob("*.py"))
MAX_FILE = 500
MAX_FUNCTION = 60


def _name(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = function.body[0]
    has_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    docstring = (first.end_lineno or 0) - first.lineno + 1 if has_docstring else 0
    return (function.end_lineno or 0) - function.lineno + 1 - docstring


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_is_small_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    tree = ast.parse(text)

    assert len(text.splitlines()) <= MAX_FILE
    assert not tree.body or ast.get_docstring(tree), (
        "a module opens with one sentence that tells a stranger its contents"
    )
    long = [
        f"{node.name}: {_body_lines(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _body_lines(node) > MAX_FUNCTION
    ]
    assert not long


def test_the_gods_stay_out() -> None:
    assert len((SOURCE / "ports.py").read_text().splitlines()) <= 480
    assert len((SOURCE / "gateway/pipeline.py").read_text().splitlines()) <= 300


def test_every_module_is_used() -> None:
    modules = {
        ".".join(path.relative_to(SOURCE.parent).with_suffix("").parts): path
        for path in FILES
        if path.name not in ("__init__.py", "__main__.py")
    }
    used = {"mossaic.compat.oss2", "mossaic.compat.v2"}  # by those who come from there
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module:
                used.add(node.module)
                used |= {f"{node.module}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Import):
                used |= {alias.name for alias in node.names}
            elif (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and node.value.startswith("mossaic.")
            ):
                used.add(node.value)  # commands are imported by name

    assert not set(modules) - used


def test_no_left_overs() -> None:
    words = ("TODO", "FIXME", "XXX", "NotImplementedError", "breakpoint(", "\n    print(")
    found = [f"{_name(path)}: {word}" for path in FILES for word in words if word in path.read_text()]

    assert not found
