/** What the list of buckets asks of the service. */

import { call, children, xml } from "../../core/oss.js";
import { escaped } from "../../core/xml.js";

const PAGE = 1000;

/**
 * @typedef {{name: string, created: Date, region: string, storageClass: string}} Bucket
 * @param {{marker?: string, signal?: AbortSignal}} [options]
 * @returns {Promise<{buckets: Bucket[], next: string}>}  `next` is "" at the end
 */
export async function listBuckets({ marker, signal } = {}) {
  const { data } = await call({ method: "GET", query: { "max-keys": PAGE, marker } }, { signal, operation: "ListBuckets" });
  const found = xml(data);
  const rows = [].concat(children(found, "Buckets")[0]?.Bucket ?? []);
  const buckets = rows.map((row) => ({ name: row.Name, created: new Date(row.CreationDate), region: row.Region || row.Location || "", storageClass: row.StorageClass }));
  return { buckets, next: children(found, "IsTruncated")[0] === "true" ? children(found, "NextMarker")[0] : "" };
}

/** @param {string} bucket @param {{signal?: AbortSignal}} [options] @returns {Promise<string>} the bucket's ACL */
export async function bucketAcl(bucket, { signal } = {}) {
  const { data } = await call({ method: "GET", subres: "acl" }, { bucket, signal, operation: "GetBucketAcl" });
  return children(xml(data), "AccessControlList")[0]?.Grant ?? "";
}

/** @param {string} bucket @param {{signal?: AbortSignal}} [options] @returns {Promise<{bytes: number, objects: number, uploads: number}>} */
export async function bucketStat(bucket, { signal } = {}) {
  const { data } = await call({ method: "GET", subres: "stat" }, { bucket, signal, operation: "GetBucketStat" });
  const number = (name) => Number(children(xml(data), name)[0] ?? 0);
  return { bytes: number("Storage"), objects: number("ObjectCount"), uploads: number("MultipartUploadCount") };
}

/** @param {{name: string, acl: string, storageClass: string}} asked */
export async function createBucket({ name, acl, storageClass }) {
  const content = `<CreateBucketConfiguration><StorageClass>${escaped(storageClass)}</StorageClass></CreateBucketConfiguration>`;
  await call({ method: "PUT", headers: { "x-oss-acl": acl }, content, mime: "application/xml" }, { bucket: name, retry: false, operation: "PutBucket" });
}

/** A rule with which pages of any origin may upload in parts: they read the ETag of each. @param {string} bucket */
export async function allowPages(bucket) {
  const methods = ["GET", "PUT", "POST", "DELETE", "HEAD"].map((method) => `<AllowedMethod>${method}</AllowedMethod>`).join("");
  const exposed = ["ETag", "x-oss-request-id", "x-oss-hash-crc64ecma", "x-oss-version-id"].map((name) => `<ExposeHeader>${name}</ExposeHeader>`).join("");
  const rule = `<CORSRule><AllowedOrigin>*</AllowedOrigin>${methods}<AllowedHeader>*</AllowedHeader>${exposed}<MaxAgeSeconds>600</MaxAgeSeconds></CORSRule>`;
  await call({ method: "PUT", subres: "cors", content: `<CORSConfiguration>${rule}</CORSConfiguration>`, mime: "application/xml" }, { bucket, operation: "PutBucketCors" });
}

/** @param {string} bucket */
export async function deleteBucket(bucket) {
  await call({ method: "DELETE" }, { bucket, retry: false, operation: "DeleteBucket" });
}
