// What to do where the key is taken already.

const MOST_NAMES = 100;

/** "a/b.tar.gz" → "a/b (2).tar.gz" */
export function numbered(key, count) {
  const slash = key.lastIndexOf("/") + 1;
  const dot = key.indexOf(".", slash + 1);
  const stop = dot < 0 ? key.length : dot;
  return `${key.slice(0, stop)} (${count})${key.slice(stop)}`;
}

/**
 * Before anything is sent. Changes `task.key` for "rename".
 * @returns {Promise<import("./task.js").Result|null>} a result when the object is there already and need not be sent
 */
export async function settle(task, signal) {
  const { conflict } = task.options;
  if (conflict !== "rename" && conflict !== "skip") return null;
  const { wire, sums } = task.world;
  let there = await wire.head(task);
  if (!there) return null;
  if (conflict === "skip") {
    if (there.size !== task.total || there.crc64 === null) return null;
    const own = await sums.of(task.source, { signal });
    if (own.crc64 !== there.crc64) return null;
    const { etag, crc64, requestId, versionId } = there;
    return { etag, crc64: String(crc64), requestId, versionId, callback: null, skipped: true };
  }
  const wanted = task.key;
  for (let count = 1; there && count <= MOST_NAMES; count += 1) {
    task.key = numbered(wanted, count);
    there = await wire.head(task);
  }
  return null; // should even the last be taken, forbid-overwrite keeps it safe
}
