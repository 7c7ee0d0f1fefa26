// Which bytes make which part. Pure: sizes in, pieces out.

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

export const MIN_PART_SIZE = 100 * KIB;
export const MAX_PART_SIZE = 5 * GIB;
export const MAX_PARTS = 10_000;
export const AUTO_PART_SIZE = 8 * MIB;
const IDEAL_PARTS = 2000; // a listing of two pages
const PART_S = 8; // seconds: what a part should take at most on a limited line
const SMALLEST_AUTO = MIB;

/**
 * @typedef {{number: number, offset: number, size: number}} Piece  part `number` is the `size` bytes from `offset`
 */

const upToMib = (count) => Math.ceil(count / MIB) * MIB;

/**
 * Bytes a part. "auto": 8 MiB, more for a file that would have over 2,000 parts, less on a line limited to `rate` bytes a second.
 * A size that was asked for is raised only where 10,000 parts would not do, as ali-oss does.
 * @param {"auto"|number|undefined} asked @param {number} size @param {number} [rate] 0: not limited
 * @returns {number}  throws RangeError below 100 KiB, above 5 GiB and for what is no whole number
 */
export function choosePartSize(asked, size, rate = 0) {
  const least = Math.ceil(size / MAX_PARTS);
  if (asked !== undefined && asked !== "auto") {
    if (!Number.isSafeInteger(asked) || asked < MIN_PART_SIZE || asked > MAX_PART_SIZE) {
      throw new RangeError(`a part size is ${MIN_PART_SIZE} to ${MAX_PART_SIZE} bytes or "auto", not ${asked}`);
    }
    return Math.max(asked, least);
  }
  let chosen = AUTO_PART_SIZE;
  if (rate) chosen = Math.max(SMALLEST_AUTO, Math.min(chosen, Math.floor((rate * PART_S) / MIB) * MIB));
  return Math.min(MAX_PART_SIZE, Math.max(chosen, upToMib(Math.ceil(size / IDEAL_PARTS)), upToMib(least)));
}

/** All pieces of a file that is cut evenly; an empty file is one empty piece. @returns {Piece[]} */
export function evenPieces(size, partSize) {
  const count = Math.max(1, Math.ceil(size / partSize));
  return Array.from({ length: count }, (_, at) => pieceAt(at + 1, size, partSize));
}

function pieceAt(number, size, partSize) {
  const offset = (number - 1) * partSize;
  return { number, offset, size: Math.min(partSize, size - offset) };
}

/**
 * Pieces of a file some of whose parts lie elsewhere than their number alone says (the SDK's streams have growing parts).
 * @param {Piece[]} known  where stored parts lie; those that contradict each other or the file are left out
 * @returns {Piece[]}
 */
export function piecesAround(known, size, partSize) {
  const fitting = consistent(known, size);
  const pieces = [];
  let number = 0;
  let end = 0;
  for (const next of [...fitting, null]) {
    const until = next ? next.offset : size;
    const room = (next ? next.number : MAX_PARTS + 1) - number - 1;
    const between = cut({ start: end, stop: until, isEnd: !next }, number, room, partSize);
    if (between === null) return piecesAround(fitting.slice(0, -1), size, partSize);
    pieces.push(...between);
    if (next) {
      pieces.push(next);
      number = next.number;
      end = next.offset + next.size;
    }
  }
  return pieces.length ? pieces : evenPieces(size, partSize);
}

function consistent(known, size) {
  const kept = [];
  for (const piece of [...known].sort((a, b) => a.number - b.number)) {
    const before = kept.at(-1);
    const starts = before ? before.offset + before.size : 0;
    const inside = piece.offset >= starts && piece.offset + piece.size <= size && piece.size > 0;
    const sound = piece.size >= MIN_PART_SIZE || piece.offset + piece.size === size;
    if (inside && sound && piece.number !== before?.number) kept.push(piece);
  }
  return kept;
}

/** Pieces for the bytes from `start` to `stop`, with at most `room` numbers after `after`; null when that cannot be. `isEnd`: of the file. */
function cut({ start, stop, isEnd }, after, room, partSize) {
  const bytes = stop - start;
  if (bytes === 0) return [];
  if (room < 1 || (!isEnd && bytes < MIN_PART_SIZE)) return null;
  let size = Math.max(partSize, Math.ceil(bytes / room));
  // A part that is not the file's last one may not be smaller than OSS's least.
  if (!isEnd && bytes % size && bytes % size < MIN_PART_SIZE && bytes > size) size = Math.ceil(bytes / Math.floor(bytes / size));
  if (size > MAX_PART_SIZE) return null;
  return evenPieces(bytes, size).map((piece) => ({
    number: after + piece.number,
    offset: start + piece.offset,
    size: piece.size,
  }));
}

/**
 * The layout of an upload of which only the server's list of parts is known.
 * @param {{number: number, size: number}[]} listed
 * @returns {{partSize: number, pieces: Piece[]}}
 */
export function piecesFromList(listed, size, asked) {
  const fallback = choosePartSize(asked, size);
  if (!listed.length) return { partSize: fallback, pieces: evenPieces(size, fallback) };
  const partSize = evenSize(listed, size);
  if (partSize) return { partSize, pieces: evenPieces(size, partSize) };
  const known = [];
  let end = 0;
  for (const part of [...listed].sort((a, b) => a.number - b.number)) {
    if (part.number !== known.length + 1) break; // behind a gap nobody knows where a part lies
    known.push({ number: part.number, offset: end, size: part.size });
    end += part.size;
  }
  return { partSize: fallback, pieces: piecesAround(known, size, fallback) };
}

/** The one part size that explains the list, or 0. */
function evenSize(listed, size) {
  const largest = Math.max(...listed.map((part) => part.size));
  const last = listed.reduce((a, b) => (a.number > b.number ? a : b));
  const guesses = [largest];
  // Only the last part may be stored, which tells the size of all others.
  if (listed.length === 1 && last.number > 1) guesses.push((size - last.size) / (last.number - 1));
  for (const guess of guesses) {
    if (!Number.isSafeInteger(guess) || guess < MIN_PART_SIZE || Math.ceil(size / guess) > MAX_PARTS) continue;
    const fits = listed.every((part) => part.size === pieceAt(part.number, size, guess).size);
    if (fits) return guess;
  }
  return listed.length === 1 && last.number === 1 && last.size === size ? Math.max(size, MIN_PART_SIZE) : 0;
}
