/** Which of the chosen files may go, and under which names. Only to spare a visitor the waiting: the server decides. No DOM in here. */

const MAX_KEY_BYTES = 1023;
const size = (text) => new TextEncoder().encode(text).length;

/** "photo.jpg" → "photo (2).jpg". @param {string} path @param {number} n */
export function numbered(path, n) {
  const slash = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const at = dot > slash ? dot : path.length;
  return `${path.slice(0, at)} (${n})${path.slice(at)}`;
}

/** The first name that `taken` does not have. @param {string} path @param {(path: string) => boolean} taken */
export function freeName(path, taken) {
  if (!taken(path)) return path;
  let n = 2;
  while (taken(numbered(path, n))) n += 1;
  return numbered(path, n);
}

/**
 * @param {{file: File | null, path: string, handle?: any}[]} found  as files.js finds them
 * @param {{folder: string, maxObjectBytes: number, leftBytes: number, leftObjects: number, taken: (key: string) => boolean}} room
 * @returns {{items: {file: File, key: string, path: string, handle?: any}[], refused: {path: string, size: number, why: "size" | "total" | "count" | "name"}[]}}
 */
export function choose(found, room) {
  const items = [];
  const refused = [];
  const given = new Set();
  let { leftBytes, leftObjects } = room;
  for (const { file, path, handle } of found) {
    if (!file) continue; // an empty folder
    const why = whyNot(file, room.folder + path, { ...room, leftBytes, leftObjects });
    if (why) {
      refused.push({ path, size: file.size, why });
      continue;
    }
    const key = freeName(room.folder + path, (name) => given.has(name) || room.taken(name));
    given.add(key);
    items.push({ file, key, path, ...(handle ? { handle } : {}) });
    leftBytes -= file.size;
    leftObjects -= 1;
  }
  return { items, refused };
}

function whyNot(file, key, { maxObjectBytes, leftBytes, leftObjects }) {
  if (size(key) > MAX_KEY_BYTES - 8) return "name";
  if (file.size > maxObjectBytes) return "size";
  if (leftObjects < 1) return "count";
  if (file.size > leftBytes) return "total";
  return null;
}
