// What is known of an upload from its parts alone. Pure.

/** @typedef {import("./listing.js").Part} Part */

/**
 * The states of parts 1 … as a part map wants them: 2 stored, 0 not.
 * @param {Part[]} parts
 * @param {number} [count] how many there will be, when it is known
 * @returns {Uint8Array}
 */
export function mapOf(parts, count = 0) {
  const last = parts.reduce((most, part) => Math.max(most, part.number), count);
  const states = new Uint8Array(last);
  for (const part of parts) states[part.number - 1] = 2;
  return states;
}

/** Numbers up to the last stored part that are not there. @param {Uint8Array} states @returns {number[]} */
export function missing(states) {
  const found = [];
  states.forEach((state, at) => {
    if (state !== 2 && state !== 4) found.push(at + 1);
  });
  return found;
}

/**
 * A checkpoint as `mossaic uploads import` and ali-oss read it, for an upload whose file is not at hand: the parts have one size, and one
 * that is shorter and the last ends the file. Null when that is not so: the file is then needed to tell where each part lies.
 * @param {{endpoint: string, bucket: string, key: string, uploadId: string, parts: Part[]}} known
 */
export function checkpointOf({ endpoint, bucket, key, uploadId, parts }) {
  if (!parts.length) return null;
  const sorted = [...parts].sort((a, b) => a.number - b.number);
  const partSize = Math.max(...sorted.map((part) => part.size));
  const last = sorted[sorted.length - 1];
  const odd = sorted.filter((part) => part.size !== partSize);
  if (odd.length > 1 || (odd.length === 1 && odd[0] !== last)) return null;
  const fileSize = odd.length ? (last.number - 1) * partSize + last.size : null;
  return {
    v: 1,
    file: null,
    name: key,
    fileSize,
    partSize,
    uploadId,
    doneParts: fileSize === null ? null : sorted.map(({ number, etag }) => ({ number, etag: `"${etag}"` })),
    bucket,
    endpoint,
    parts: sorted.map(({ number, size, etag, crc64 }) => ({ number, offset: (number - 1) * partSize, size, etag, crc64: crc64 || null })),
    source: null,
  };
}

/** Those begun longer ago than `ageMs`. */
export function olderThan(uploads, ageMs, now) {
  return uploads.filter((each) => now - each.initiated.getTime() >= ageMs);
}

/** "user/anna" of an ARN; the account itself is "root". */
export function ownerName(arn) {
  const at = arn.lastIndexOf(":");
  return at < 0 ? arn : arn.slice(at + 1);
}
