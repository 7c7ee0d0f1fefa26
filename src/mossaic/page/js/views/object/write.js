/** Changes to one object: headers and metadata by a copy onto itself, tags and ACL by their own requests. */

import { call } from "../../core/oss.js";
import { describing } from "../objects/copy.js";
import { copySource, xmlText } from "../objects/keys.js";

/**
 * Replace what is said about an object; its bytes stay where they are. Tags and ACL are kept.
 * @param {{bucket: string, key: string}} where
 * @param {import("./facts.js").Facts} facts  as read: the change is refused when the object is another by now
 * @param {{acl: string, stored?: Record<string, string>, meta?: Record<string, string>, storageClass?: string}} next  acl: as it is set now
 */
export function rewrite({ bucket, key }, facts, { acl, stored = facts.stored, meta = facts.meta, storageClass = facts.storageClass }) {
  const headers = {
    ...describing({ ...facts, stored: withoutEmpty(stored), meta }),
    "x-oss-copy-source": copySource(bucket, key),
    "x-oss-copy-source-if-match": `"${facts.etag}"`,
    "x-oss-metadata-directive": "REPLACE",
    "x-oss-storage-class": storageClass,
  };
  if (acl !== "default") headers["x-oss-object-acl"] = acl;
  if (facts.encryption) headers["x-oss-server-side-encryption"] = facts.encryption;
  return call({ method: "PUT", object: key, headers }, { bucket });
}

const withoutEmpty = (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== ""));

/** @param {{bucket: string, key: string, versionId?: string}} where @param {Record<string, string>} tags  none: all are removed */
export function putTags({ bucket, key, versionId }, tags) {
  const query = versionId ? { versionId } : undefined;
  const rows = Object.entries(tags).map(([name, value]) => `<Tag><Key>${xmlText(name)}</Key><Value>${xmlText(value)}</Value></Tag>`);
  if (!rows.length) return call({ method: "DELETE", object: key, subres: "tagging", query }, { bucket });
  const content = `<?xml version="1.0" encoding="UTF-8"?><Tagging><TagSet>${rows.join("")}</TagSet></Tagging>`;
  return call({ method: "PUT", object: key, subres: "tagging", query, content, headers: { "Content-Type": "application/xml" } }, { bucket });
}

/** @param {{bucket: string, key: string, versionId?: string}} where @param {string} acl */
export function putAcl({ bucket, key, versionId }, acl) {
  const query = versionId ? { versionId } : undefined;
  return call({ method: "PUT", object: key, subres: "acl", query, headers: { "x-oss-object-acl": acl } }, { bucket });
}

/** Make an old version the current one: a copy of it becomes the newest; every version stays. */
export function restoreVersion({ bucket, key, versionId }, facts, acl) {
  const headers = { "x-oss-copy-source": copySource(bucket, key, versionId), "x-oss-storage-class": facts.storageClass };
  if (acl !== "default") headers["x-oss-object-acl"] = acl;
  if (facts.encryption) headers["x-oss-server-side-encryption"] = facts.encryption;
  return call({ method: "PUT", object: key, headers }, { bucket });
}
