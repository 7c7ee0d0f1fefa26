"""Write the generated pages: docs/compat.md from the operation table, docs/limits.md from protocol/limits.py.

Hand-written text around a generated block stays: only what stands between the markers is replaced.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

from mossaic.protocol.operation import AnyOperation, Level, NotProvided
from mossaic.protocol.operations import NOT_PROVIDED, TABLE

ROOT = Path(__file__).parent.parent
BEGIN, END = "<!-- generated: begin -->", "<!-- generated: end -->"
LEVELS = {Level.SERVICE: "service", Level.BUCKET: "bucket", Level.OBJECT: "object"}


def compat() -> str:
    rows = [
        "| operation | method | on | sub-resource, query | RAM action |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {row.name} | {row.method} | {LEVELS[row.level]} | {_marks(row)} | `{row.action}` |"
        for row in sorted(TABLE, key=lambda row: (list(Level).index(row.level), row.name, row.method))
    ]
    rows.append("| OptionObject | OPTIONS | object | preflight, answered before routing | none |")
    rows += ["", f"{len({row.name for row in TABLE}) + 1} operations in {len(TABLE)} rows.", ""]
    rows += ["## Not provided: answered 501 NotImplemented", ""]
    rows += [
        "| operation | method | on | sub-resource, query | priority | reason |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| {row.name} | {row.method} | {LEVELS[row.level]} | {_marks(row)} | {row.priority} | {row.reason} |"
        for row in sorted(NOT_PROVIDED, key=lambda row: (row.priority, row.name))
    ]
    return "\n".join(rows)


def _marks(row: AnyOperation | NotProvided) -> str:
    said = [f"`?{name}`" for name in sorted(row.marks)]
    said += [f"`?{name}={value}`" for name, value in sorted(row.values.items())]
    if row.header:
        said.append(f"header `{row.header}`")
    return " ".join(said) or "-"


def limits() -> str:
    """Names, values and comments of protocol/limits.py, as they stand there."""
    path = ROOT / "src/mossaic/protocol/limits.py"
    rows = ["| limit | value | unit and meaning |", "| --- | --- | --- |"]
    lines = path.read_text().splitlines()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            comment = lines[node.lineno - 1].partition("#")[2].strip()
            rows.append(f"| {node.target.id} | {ast.unparse(node.value)} | {comment} |")
    return "\n".join(rows)


PAGES = {"docs/compat.md": compat, "docs/limits.md": limits}


def rendered(name: str) -> str:
    """The page as it should be."""
    text = (ROOT / name).read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{PAGES[name]()}\n{END}{tail}"


def main() -> None:
    for name in PAGES:
        (ROOT / name).write_text(rendered(name))
        print(f"wrote {name}")


if __name__ == "__main__":
    sys.exit(main())
