/** What the service says of one object, sorted into what people read and what may be changed. */

import { call, xml } from "../../core/oss.js";

/** The headers that a writer may say, by the name OSS spells them. */
export const STORED = ["Content-Type", "Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Language", "Expires"];
export const CLASSES = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
export const ACLS = ["default", "private", "public-read", "public-read-write"];

// Headers of the answer, not of the object. What is in none of these lists was stored with x-oss-persistent-headers.
const OF_THE_ANSWER = new Set([
  "server", "date", "connection", "keep-alive", "content-length", "content-range", "transfer-encoding", "etag", "last-modified", "accept-ranges",
  "content-md5", "vary", "age", "via", "alt-svc", "strict-transport-security", "content-security-policy", "referrer-policy",
  "x-content-type-options", "x-frame-options", "x-xss-protection", "cross-origin-resource-policy", "cross-origin-opener-policy",
  "timing-allow-origin", "content-security-policy-report-only", "permissions-policy",
]);

/**
 * @typedef {object} Facts
 * @property {string} key
 * @property {number} size
 * @property {string} etag  bare
 * @property {string} crc64  "" where the service tells none
 * @property {string} md5  base64, "" where it tells none
 * @property {string} type  Normal, Multipart, Appendable, Symlink
 * @property {string} storageClass
 * @property {Date} modified
 * @property {string} versionId
 * @property {string} encryption
 * @property {string} restore
 * @property {number|null} tagCount
 * @property {number|null} appendPosition
 * @property {Record<string, string>} stored  Content-Type…
 * @property {Record<string, string>} persistent
 * @property {Record<string, string>} meta  names without prefix
 * @property {[string, string][]} headers  all, as they came
 * @property {string} requestId
 */

/**
 * @param {{bucket: string, key: string, versionId?: string, signal?: AbortSignal}} asked
 * @returns {Promise<Facts>}
 */
export async function headObject({ bucket, key, versionId, signal }) {
  const query = versionId ? { versionId } : undefined;
  const { headers } = await call({ method: "HEAD", object: key, query }, { bucket, signal });
  return factsOf(key, headers);
}

/** @param {string} key @param {Map<string, string>} headers */
export function factsOf(key, headers) {
  const get = (name) => headers.get(name) ?? "";
  const entries = [...headers];
  const stored = STORED.filter((name) => headers.has(name.toLowerCase())).map((name) => [name, get(name.toLowerCase())]);
  const meta = entries.filter(([name]) => name.startsWith("x-oss-meta-")).map(([name, value]) => [name.slice("x-oss-meta-".length), value]);
  return {
    key,
    size: Number(get("content-length")),
    etag: get("etag").replace(/^"|"$/g, ""),
    crc64: get("x-oss-hash-crc64ecma"),
    md5: get("content-md5"),
    type: get("x-oss-object-type") || "Normal",
    storageClass: get("x-oss-storage-class") || "Standard",
    modified: new Date(get("last-modified")),
    versionId: get("x-oss-version-id"),
    encryption: get("x-oss-server-side-encryption"),
    restore: get("x-oss-restore"),
    tagCount: headers.has("x-oss-tagging-count") ? Number(get("x-oss-tagging-count")) : null,
    appendPosition: headers.has("x-oss-next-append-position") ? Number(get("x-oss-next-append-position")) : null,
    stored: Object.fromEntries(stored),
    persistent: Object.fromEntries(entries.filter(([name]) => isPersistent(name))),
    meta: Object.fromEntries(meta),
    headers: entries,
    requestId: get("x-oss-request-id"),
  };
}

function isPersistent(name) {
  const known = name.startsWith("x-oss-") || name.startsWith("access-control-") || OF_THE_ANSWER.has(name);
  return !known && !STORED.some((each) => each.toLowerCase() === name);
}

/** The ACL as it was set; "default" follows the bucket. */
export async function aclOf({ bucket, key, versionId, signal }) {
  const query = versionId ? { versionId } : undefined;
  const answer = await call({ method: "GET", object: key, subres: "acl", query }, { bucket, signal });
  return xml(answer.data).getElementsByTagName("Grant")[0]?.textContent ?? "default";
}

/** @returns {Promise<Record<string, string>>} */
export async function tagsOf({ bucket, key, versionId, signal }) {
  const query = versionId ? { versionId } : undefined;
  const answer = await call({ method: "GET", object: key, subres: "tagging", query }, { bucket, signal });
  return Object.fromEntries([...xml(answer.data).getElementsByTagName("Tag")].map((tag) => [tag.children[0]?.textContent ?? "", tag.children[1]?.textContent ?? ""]));
}

/** Where a symbolic link points to. */
export async function symlinkTarget({ bucket, key, versionId, signal }) {
  const query = versionId ? { versionId } : undefined;
  const { headers } = await call({ method: "GET", object: key, subres: "symlink", query }, { bucket, signal });
  return decodeURIComponent(headers.get("x-oss-symlink-target") ?? "");
}
