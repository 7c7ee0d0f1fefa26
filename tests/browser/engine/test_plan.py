"""Which bytes make which part, for whatever layout an upload was begun with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.engine.driver import Engine

SIZES = """async () => {
  const { choosePartSize, piecesFromList } = await import("/-/console/js/upload/plan.js");
  const MIB = 2 ** 20;
  const tooSmall = (() => { try { choosePartSize(1000, 5); } catch (error) { return error.name; } })();
  return [
    choosePartSize("auto", 100 * MIB) / MIB,
    choosePartSize("auto", 2000 * 8 * MIB + 1) / MIB,
    Math.ceil(2 ** 38 / choosePartSize("auto", 2 ** 38)) <= 2000,
    Math.ceil(48 * 2 ** 40 / choosePartSize("auto", 48 * 2 ** 40)) <= 10000,
    choosePartSize(102400, 102400 * 20000),
    choosePartSize("auto", 100 * MIB, 300000) / MIB,
    piecesFromList([{ number: 5, size: 500 }], 4 * MIB + 500, "auto").partSize / MIB,
    tooSmall,
  ];
}"""

# Layouts by chance, the same in every run: the pieces must cover the file in order, and only the last may be short.
LAYOUTS = """async () => {
  const { piecesAround, piecesFromList } = await import("/-/console/js/upload/plan.js");
  let state = 1;
  const chance = (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const wrong = ({ pieces, size }) => {
    let end = 0;
    let number = 0;
    for (const piece of pieces) {
      if (piece.offset !== end || piece.number <= number || piece.size <= 0) return "order";
      if (piece.size < 102400 && end + piece.size < size) return "short";
      end += piece.size;
      number = piece.number;
    }
    return end !== size || number > 10000 ? "cover" : "";
  };
  const bad = [];
  for (let round = 0; round < 5000; round += 1) {
    const size = chance(50 * 2 ** 20) + 1;
    const known = [];
    for (let at = 0, number = 0; at < size && chance(10) < 7; ) {
      number += 1 + chance(3);
      at += chance(2) * chance(3 * 2 ** 20);
      const piece = { number, offset: at, size: Math.min(size - at, chance(4 * 2 ** 20) + 1) };
      if (piece.size > 0) known.push(piece);
      at += piece.size;
    }
    const around = wrong({ pieces: piecesAround(known, size, [102400, 2 ** 20, 2 ** 23][round % 3]), size });
    const listed = wrong({ pieces: piecesFromList(known, size, "auto").pieces, size });
    if (around || listed) bad.push({ size, known, around, listed });
  }
  return bad.slice(0, 3);
}"""


def test_part_sizes_and_layouts(engine: Engine) -> None:
    sizes, bad = engine.page.evaluate(SIZES), engine.page.evaluate(LAYOUTS)

    assert sizes == [8, 9, True, True, 204_800, 2, 1, "RangeError"]
    assert bad == []
