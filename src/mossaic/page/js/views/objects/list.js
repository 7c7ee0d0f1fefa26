/** Listings of objects and versions, a page at a time; nothing here ever holds a whole bucket. */

import { call, children, xml } from "../../core/oss.js";

const FETCH = 1000; // the largest page the service gives, for walks

/**
 * @typedef {{kind: "object", key: string, size: number, etag: string, type: string, storageClass: string, modified: Date,
 *   versionId?: string, latest?: boolean}} ObjectRow
 * @typedef {{kind: "folder", key: string}} FolderRow
 * @typedef {{kind: "marker", key: string, versionId: string, latest: boolean, modified: Date}} MarkerRow
 */

const decoded = (text) => decodeURIComponent((text ?? "").replace(/\+/g, "%20"));
const bare = (etag) => (etag ?? "").replace(/^"|"$/g, "");
const filled = (query) => Object.fromEntries(Object.entries(query).filter(([, value]) => value !== "" && value != null));

/**
 * A page of objects (and folders, with the delimiter), in key order.
 * @param {{bucket: string, prefix?: string, delimiter?: string, token?: string, startAfter?: string, limit?: number, signal?: AbortSignal}} asked
 * @returns {Promise<{rows: Array<ObjectRow|FolderRow>, next: string}>}
 */
export async function listPage({ bucket, prefix = "", delimiter = "/", token = "", startAfter = "", limit = 100, signal }) {
  const query = filled({
    "list-type": "2", "encoding-type": "url", "max-keys": String(limit), prefix, delimiter,
    "continuation-token": token, "start-after": startAfter,
  });
  const answer = await call({ method: "GET", query }, { bucket, signal });
  const doc = xml(answer.data);
  const rows = [...folders(doc), ...children(doc, "Contents").map(objectRow)];
  return { rows: rows.sort(byKey), next: isTruncated(doc) ? decoded(field(doc, "NextContinuationToken")) : "" };
}

/**
 * A page of versions and delete markers, keys in order, of each key the newest first.
 * @param {{bucket: string, prefix?: string, delimiter?: string, token?: {key: string, versionId: string}, limit?: number, signal?: AbortSignal}} asked
 * @returns {Promise<{rows: Array<ObjectRow|FolderRow|MarkerRow>, next: {key: string, versionId: string} | null}>}
 */
export async function versionsPage({ bucket, prefix = "", delimiter = "/", token, limit = 100, signal }) {
  const query = filled({
    "encoding-type": "url", "max-keys": String(limit), prefix, delimiter,
    "key-marker": token?.key, "version-id-marker": token?.versionId,
  });
  const answer = await call({ method: "GET", subres: "versions", query }, { bucket, signal });
  const doc = xml(answer.data);
  const rows = [...doc.documentElement.children].flatMap((node) => versionRow(node));
  const next = isTruncated(doc)
    ? { key: decoded(field(doc, "NextKeyMarker")), versionId: field(doc, "NextVersionIdMarker") ?? "" }
    : null;
  // The answer has versions and markers in two groups; what belongs to one key is put together again.
  return { rows: rows.sort((a, b) => byKey(a, b) || newestFirst(a, b)), next };
}

/**
 * Every object below a prefix, page by page.
 * @param {{bucket: string, prefix: string, signal?: AbortSignal}} asked
 */
export async function* walk({ bucket, prefix, signal }) {
  let token = "";
  do {
    const page = await listPage({ bucket, prefix, delimiter: "", token, limit: FETCH, signal });
    yield* page.rows;
    token = page.next;
  } while (token);
}

/** Every version and delete marker below a prefix, page by page. */
export async function* walkVersions({ bucket, prefix, signal }) {
  let token = null;
  do {
    const page = await versionsPage({ bucket, prefix, delimiter: "", token, limit: FETCH, signal });
    yield* page.rows;
    token = page.next;
  } while (token);
}

/** The versions of one key, newest first, at most `limit` of them. */
export async function versionsOf({ bucket, key, limit = 200, signal }) {
  const found = [];
  let token = null;
  do {
    const page = await versionsPage({ bucket, prefix: key, delimiter: "", token, limit, signal });
    found.push(...page.rows.filter((row) => row.key === key));
    if (page.rows.some((row) => row.key !== key) || found.length >= limit) return { rows: found, more: found.length >= limit && page.next != null };
    token = page.next;
  } while (token);
  return { rows: found, more: false };
}

/** Whether the bucket keeps versions: "Enabled", "Suspended", "" or null where the caller may not know. */
export async function versioningOf(bucket, signal) {
  try {
    const answer = await call({ method: "GET", subres: "versioning" }, { bucket, signal });
    return field(xml(answer.data), "Status") ?? "";
  } catch (problem) {
    if (problem.kind === "denied") return null;
    throw problem;
  }
}

function folders(doc) {
  return children(doc, "CommonPrefixes").map((row) => ({ kind: "folder", key: decoded(row.Prefix) }));
}

function objectRow(row) {
  return {
    kind: "object",
    key: decoded(row.Key),
    size: Number(row.Size),
    etag: bare(row.ETag),
    type: row.Type ?? "Normal",
    storageClass: row.StorageClass ?? "Standard",
    modified: new Date(row.LastModified),
  };
}

function versionRow(node) {
  const row = Object.fromEntries([...node.children].map((child) => [child.localName, child.textContent]));
  if (node.localName === "CommonPrefixes") return [{ kind: "folder", key: decoded(row.Prefix) }];
  if (node.localName !== "Version" && node.localName !== "DeleteMarker") return [];
  const version = { versionId: row.VersionId, latest: row.IsLatest === "true" };
  if (node.localName === "Version") return [{ ...objectRow(row), ...version }];
  return [{ kind: "marker", key: decoded(row.Key), modified: new Date(row.LastModified), ...version }];
}

const field = (doc, name) => [...doc.documentElement.children].find((node) => node.localName === name)?.textContent;
const isTruncated = (doc) => field(doc, "IsTruncated") === "true";

// The order of UTF-8 bytes is the order of code points, which is not JavaScript's order of code units.
function byKey(a, b) {
  if (a.key === b.key) return 0;
  const [left, right] = [[...a.key], [...b.key]];
  for (let at = 0; at < Math.min(left.length, right.length); at += 1) {
    if (left[at] !== right[at]) return left[at].codePointAt(0) - right[at].codePointAt(0);
  }
  return left.length - right.length;
}

const newestFirst = (a, b) => Number(b.latest ?? false) - Number(a.latest ?? false) || b.modified - a.modified;
