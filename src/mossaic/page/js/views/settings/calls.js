/** Every request of the settings views, one function each: what was read comes back as plain values. */
import { call, listParts, listUploads } from "../../core/oss.js";
import { api } from "../../core/api.js";
import { corsXml, readCors } from "./cors-model.js";
import { lifecycleXml, readLifecycle } from "./lifecycle-model.js";
import { all, documentOf, element, first, numberOf, rootOf, textOf } from "./xml.js";

/** One request on the bucket's sub-resource; `content` is a document to put. */
async function ask(bucket, method, subres, { content, mime = "application/xml", headers = {}, signal } = {}) {
  const params = { method, subres, headers };
  if (content !== undefined) Object.assign(params, { content, mime });
  const answer = await call(params, { bucket, signal });
  return answer.data;
}

/** The document, or null where the server says that there is none. */
async function askOr(absent, ...request) {
  try {
    return await ask(...request);
  } catch (problem) {
    if (problem.code === absent) return null;
    throw problem;
  }
}

// --- what is known of the bucket ---------------------------------------------------------------

/** @param {string} bucket @param {AbortSignal} [signal] */
export async function readInfo(bucket, signal) {
  const info = first(rootOf(await ask(bucket, "GET", "bucketInfo", { signal })), "Bucket");
  const text = (name) => textOf(info, name) ?? "";
  return {
    name: text("Name"),
    createdAt: new Date(text("CreationDate")),
    location: text("Location"),
    endpoint: text("ExtranetEndpoint"),
    storageClass: text("StorageClass"),
    redundancy: text("DataRedundancyType"),
    versioning: text("Versioning"),
    owner: textOf(first(info, "Owner"), "ID") ?? "",
    acl: textOf(first(info, "AccessControlList"), "Grant") ?? "",
  };
}

const CLASS_ELEMENTS = {
  Standard: ["StandardStorage", "StandardObjectCount"],
  IA: ["InfrequentAccessStorage", "InfrequentAccessObjectCount"],
  Archive: ["ArchiveStorage", "ArchiveObjectCount"],
  ColdArchive: ["ColdArchiveStorage", "ColdArchiveObjectCount"],
  DeepColdArchive: ["DeepColdArchiveStorage", "DeepColdArchiveObjectCount"],
};

/** Bytes and counts. @param {string} bucket @param {AbortSignal} [signal] */
export async function readStat(bucket, signal) {
  const root = rootOf(await ask(bucket, "GET", "stat", { signal }));
  const value = (name) => numberOf(root, name) ?? 0;
  return {
    bytes: value("Storage"),
    objects: value("ObjectCount"),
    uploads: value("MultipartUploadCount"),
    parts: value("MultipartPartCount"),
    markers: value("DeleteMarkerCount"),
    changedAt: new Date(value("LastModifiedTime") * 1000),
    classes: Object.entries(CLASS_ELEMENTS).map(([name, [bytes, count]]) => ({
      name,
      bytes: value(bytes),
      count: value(count),
    })),
  };
}

/**
 * The bytes that parts of unfinished uploads take, counted upload by upload.
 * @param {string} bucket
 * @param {{limit: number, signal?: AbortSignal}} options  limit: how many uploads are looked at
 * @returns {Promise<{bytes: number, uploads: number, complete: boolean}>}
 */
export async function countPartBytes(bucket, { limit, signal }) {
  let bytes = 0;
  let uploads = 0;
  for (let next = {}; next;) {
    const page = await listUploads({ bucket, ...next, limit: Math.min(limit, 1000), signal });
    for (const { key, uploadId } of page.uploads) {
      if (uploads === limit) return { bytes, uploads, complete: false };
      const parts = await partsOf({ bucket, key, uploadId, signal });
      bytes += parts.reduce((sum, part) => sum + part.size, 0);
      uploads += 1;
    }
    next = page.next;
  }
  return { bytes, uploads, complete: true };
}

/** An upload that ended in the meantime has none. */
async function partsOf(upload) {
  try {
    return await listParts(upload);
  } catch (problem) {
    if (problem.code === "NoSuchUpload") return [];
    throw problem;
  }
}

/** @param {string} bucket */
export const deleteBucket = (bucket) => call({ method: "DELETE" }, { bucket, retry: false });

// --- documents ---------------------------------------------------------------------------------

/** @param {string} bucket @param {AbortSignal} [signal] @returns {Promise<import("./cors-model.js").Cors>} */
export async function readCorsOf(bucket, signal) {
  const text = await askOr("NoSuchCORSConfiguration", bucket, "GET", "cors", { signal });
  return text === null ? { rules: [], responseVary: null } : readCors(rootOf(text));
}

/** No rules: the configuration is taken away, for an empty one is refused. */
export const writeCors = (bucket, cors) =>
  cors.rules.length ? ask(bucket, "PUT", "cors", { content: corsXml(cors) }) : ask(bucket, "DELETE", "cors");

/** What a page of `origin` would see of the saved rules. */
export const testCors = (bucket, { origin, method, headers }) =>
  api.get("cors-test", { bucket, origin, method, headers: headers.join(",") });

/** @param {string} bucket @param {AbortSignal} [signal] */
export async function readLifecycleOf(bucket, signal) {
  const text = await askOr("NoSuchLifecycle", bucket, "GET", "lifecycle", { signal });
  return text === null ? [] : readLifecycle(rootOf(text));
}

/** @param {string} bucket @param {import("./lifecycle-model.js").LifecycleRule[]} rules @param {boolean} overlapping */
export function writeLifecycle(bucket, rules, overlapping) {
  if (!rules.length) return ask(bucket, "DELETE", "lifecycle");
  const headers = overlapping ? { "x-oss-allow-same-action-overlap": "true" } : {};
  return ask(bucket, "PUT", "lifecycle", { content: lifecycleXml(rules), headers });
}

/** "", "Enabled" or "Suspended". */
export async function readVersioning(bucket, signal) {
  return textOf(rootOf(await ask(bucket, "GET", "versioning", { signal })), "Status") ?? "";
}

/** @param {string} bucket @param {"Enabled"|"Suspended"} status */
export function writeVersioning(bucket, status) {
  const content = documentOf(element("VersioningConfiguration", [element("Status", status)]));
  return ask(bucket, "PUT", "versioning", { content });
}

/** The policy as it was put, "" when there is none. */
export const readPolicy = async (bucket, signal) => (await askOr("NoSuchBucketPolicy", bucket, "GET", "policy", { signal })) ?? "";

/** @param {string} bucket @param {string} text */
export const writePolicy = (bucket, text) =>
  text.trim() ? ask(bucket, "PUT", "policy", { content: text, mime: "application/json" }) : ask(bucket, "DELETE", "policy");

/** What the server says of the saved policy. @returns {Promise<boolean>} */
export async function readIsPublic(bucket, signal) {
  return textOf(rootOf(await ask(bucket, "GET", "policyStatus", { signal })), "IsPublic") === "true";
}

/** @returns {Promise<{key: string, value: string}[]>} */
export async function readTags(bucket, signal) {
  const set = first(rootOf(await ask(bucket, "GET", "tagging", { signal })), "TagSet");
  return all(set, "Tag").map((tag) => ({ key: textOf(tag, "Key") ?? "", value: textOf(tag, "Value") ?? "" }));
}

/** @param {string} bucket @param {{key: string, value: string}[]} tags */
export function writeTags(bucket, tags) {
  if (!tags.length) return ask(bucket, "DELETE", "tagging");
  const inner = tags.map((tag) => element("Tag", [element("Key", tag.key), element("Value", tag.value)]));
  return ask(bucket, "PUT", "tagging", { content: documentOf(element("Tagging", [element("TagSet", inner)])) });
}

export async function readAcl(bucket, signal) {
  const root = rootOf(await ask(bucket, "GET", "acl", { signal }));
  return textOf(first(root, "AccessControlList"), "Grant") ?? "private";
}

/** @param {string} bucket @param {string} acl */
export const writeAcl = (bucket, acl) => ask(bucket, "PUT", "acl", { headers: { "x-oss-acl": acl } });
