// Where the cells of a part map lie, and what its numbers are. Pure.

const GAP = 2;
const STRETCH_FROM = 12; // below this width cells no longer share one row
const SIZES = [14, 12, 10, 8, 6];

/**
 * Few parts share one row and its whole width; more become a grid; when the grid is full, a cell stands for `per` parts.
 * @param {number} count parts
 * @param {number} width of the picture, in CSS pixels
 * @param {number} rows at most
 * @param {boolean} compact a single thin row, whatever the count
 */
export function layout(count, width, rows, compact = false) {
  if (compact) return oneRow(count, width, 10, 3);
  if (count <= Math.floor((width + GAP) / STRETCH_FROM)) return oneRow(count, width, 14, 1);
  for (const size of SIZES) {
    const columns = Math.floor((width + GAP) / (size + GAP));
    if (Math.ceil(count / columns) <= rows) return grid(count, 1, columns, size);
  }
  const size = SIZES[SIZES.length - 1];
  const columns = Math.floor((width + GAP) / (size + GAP));
  return grid(count, Math.ceil(count / (columns * rows)), columns, size);
}

function oneRow(count, width, height, least) {
  const per = Math.max(1, Math.ceil((count * least) / width));
  const cells = Math.ceil(count / per);
  const gap = width / cells >= 6 ? GAP : width / cells >= 3 ? 1 : 0;
  const wide = (width + gap) / cells;
  // Whole pixels: cells of a fraction would blur.
  const edge = (cell) => Math.round(cell * wide);
  return {
    cells,
    per,
    height,
    box: (cell) => [edge(cell), 0, Math.max(1, edge(cell + 1) - edge(cell) - gap), height],
    at: (x) => (x >= 0 && x < width ? Math.min(cells - 1, Math.floor(x / wide)) : -1),
  };
}

function grid(count, per, columns, size) {
  const cells = Math.ceil(count / per);
  const step = size + GAP;
  return {
    cells,
    per,
    height: Math.ceil(cells / columns) * step - GAP,
    box: (cell) => [(cell % columns) * step, Math.floor(cell / columns) * step, size, size],
    at(x, y) {
      const column = Math.floor(x / step);
      const cell = Math.floor(y / step) * columns + column;
      return column >= 0 && column < columns && cell >= 0 && cell < cells ? cell : -1;
    },
  };
}

/** How many parts are in each state. @param {Uint8Array} parts @returns {{counts: number[], total: number}} */
export function summary(parts) {
  const counts = [0, 0, 0, 0, 0];
  for (const state of parts) counts[state] += 1;
  return { counts, total: parts.length };
}

/**
 * Numbers as people read them: "3, 7–9 …". At most `limit` ranges.
 * @param {Iterable<number>} numbers ascending
 * @returns {{text: string, more: number}} `more`: numbers that are left out
 */
export function ranges(numbers, limit = 12) {
  const found = [];
  for (const number of numbers) {
    const last = found[found.length - 1];
    if (last && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  const shown = found.slice(0, limit).map(([first, last]) => (first === last ? `${first}` : `${first}–${last}`));
  const more = found.slice(limit).reduce((sum, [first, last]) => sum + last - first + 1, 0);
  return { text: shown.join(", "), more };
}
