// Sizes as people type them, and how a file is cut into parts.

export const KIB = 1024;
export const MIB = 1024 * KIB;
export const MIN_PART = 100 * KIB;
export const MAX_PART = 5 * 1024 * MIB;
export const MAX_PARTS = 10_000;
const UNITS = { "": 1, k: KIB, m: MIB, g: 1024 * MIB };

/**
 * "8 MiB", "8m", "100k", "1048576" → bytes; null when it is none of these. Units are powers of 1024, with or without "iB" or "B".
 * @param {string} text
 * @returns {number|null}
 */
export function parseSize(text) {
  const match = /^\s*(\d+(?:[.,]\d+)?)\s*([kmg]?)(?:i?b)?\s*$/i.exec(text);
  if (!match) return null;
  const size = Math.round(Number(match[1].replace(",", ".")) * UNITS[match[2].toLowerCase()]);
  return Number.isSafeInteger(size) ? size : null;
}

/** The part size that a file needs so as not to exceed 10,000 parts. */
export function fittingPartSize(size, wanted) {
  return Math.max(wanted, Math.ceil(size / MAX_PARTS));
}

/** @returns {number} at least 1: an empty file is one part */
export function partCount(size, partSize) {
  return Math.max(1, Math.ceil(size / partSize));
}
