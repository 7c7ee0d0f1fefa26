/** Files dropped on a folder of the Objects view, on their way to the Upload view. */

let waiting = null;

/**
 * @param {string} bucket
 * @param {string} prefix  the folder they were dropped on
 * @param {import("../../upload/files.js").Found[]} found
 */
export function handOver(bucket, prefix, found) {
  waiting = { bucket, prefix, found };
}

/**
 * What was dropped for this bucket, once.
 * @param {string} bucket
 * @returns {{prefix: string, found: import("../../upload/files.js").Found[]} | null}
 */
export function takeDropped(bucket) {
  if (waiting?.bucket !== bucket) return null;
  const taken = waiting;
  waiting = null;
  return { prefix: taken.prefix, found: taken.found };
}
