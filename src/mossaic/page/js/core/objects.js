/** The operations on objects and parts that every area needs. All answer plain values, and reject with Problem. */

import { Problem } from "./problem.js";
import { call } from "./oss.js";
import { children, escaped, textOf, xml } from "./xml.js";

const PAGE = 1000;

/** ETags travel in quotes, and are compared without. @param {string | undefined} text */
export const bareEtag = (text) => (text ?? "").replace(/^"|"$/g, "");

/** An answer whose ETag this page may not read is one that other pages cannot use either: the rule lacks ExposeHeader. */
function etagOf(headers, operation) {
  const etag = bareEtag(headers.get("etag"));
  if (!etag) throw new Problem("cors", "the answer's ETag is not exposed", { operation, detail: { origin: location.origin, expose: "ETag" } });
  return etag;
}

/**
 * @typedef {{bucket: string, key: string, signal?: AbortSignal, headers?: Record<string, string>}} Where
 */

/** @param {Where} where @returns {Promise<{uploadId: string, requestId: string}>} repeated when the line broke: an unused upload may stay */
export async function initiate({ bucket, key, headers, mime, ...options }) {
  const params = { method: "POST", object: key, subres: { uploads: "" }, headers, mime };
  const answer = await call(params, { retry: "always", operation: "InitiateMultipartUpload", ...options, bucket });
  return { uploadId: textOf(xml(answer.data), "UploadId"), requestId: idOf(answer) };
}

const idOf = ({ headers }) => headers.get("x-oss-request-id") ?? "";

/**
 * @param {Where & {uploadId: string, partNumber: number, body: Blob, onUpload?: (sentBytes: number) => void, retry?: boolean}} part
 * @returns {Promise<{etag: string, crc64: string, requestId: string}>}
 */
export async function uploadPart({ bucket, key, uploadId, partNumber, body, headers, ...options }) {
  const params = { method: "PUT", object: key, subres: { partNumber: String(partNumber), uploadId }, headers };
  const answer = await call(params, { operation: "UploadPart", ...options, bucket, body });
  return { etag: etagOf(answer.headers, "UploadPart"), crc64: answer.headers.get("x-oss-hash-crc64ecma") ?? "", requestId: idOf(answer) };
}

/**
 * @param {Where & {uploadId: string, parts: {number: number, etag: string}[], callback?: object, retry?: boolean}} asked
 * @returns {Promise<{etag: string, crc64: string, versionId: string, requestId: string, callback: string | null}>}
 *   `callback`: what the receiver answered, where one was asked for
 */
export async function complete({ bucket, key, uploadId, parts, headers, callback, ...options }) {
  const sorted = [...parts].sort((one, other) => one.number - other.number);
  const list = sorted.map(({ number, etag }) => `<Part><PartNumber>${number}</PartNumber><ETag>"${escaped(bareEtag(etag))}"</ETag></Part>`);
  const content = `<?xml version="1.0" encoding="UTF-8"?>\n<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`;
  const sent = { ...headers, ...(callback ? callbackHeaders(callback) : {}) };
  const params = { method: "POST", object: key, subres: { uploadId }, headers: sent, content, mime: "application/xml" };
  const answer = await call(params, { operation: "CompleteMultipartUpload", idleMs: 180000, ...options, bucket });
  return stored(answer, Boolean(callback));
}

function stored(answer, called) {
  const document = !called && answer.data.startsWith("<") ? xml(answer.data) : null;
  return {
    etag: bareEtag(answer.headers.get("etag")) || bareEtag(document ? textOf(document, "ETag") : ""),
    crc64: answer.headers.get("x-oss-hash-crc64ecma") ?? "",
    versionId: answer.headers.get("x-oss-version-id") ?? "",
    requestId: idOf(answer),
    callback: called ? answer.data : null,
  };
}

/**
 * @param {Where & {body: Blob, mime?: string, callback?: object, onUpload?: (sentBytes: number) => void, retry?: boolean}} asked
 * @returns {Promise<{etag: string, crc64: string, versionId: string, requestId: string, callback: string | null}>}
 */
export async function put({ bucket, key, body, headers, mime, callback, ...options }) {
  const sent = { ...headers, ...(callback ? callbackHeaders(callback) : {}) };
  const answer = await call({ method: "PUT", object: key, headers: sent, mime }, { operation: "PutObject", ...options, bucket, body });
  return stored(answer, Boolean(callback));
}

/**
 * The headers of an upload callback. `customValue` gets the prefix x: that OSS wants.
 * @param {{url: string, host?: string, body: string, contentType?: string, customValue?: Record<string, string>}} callback
 */
export function callbackHeaders({ url, host, body, contentType, customValue }) {
  const asked = { callbackUrl: url, callbackBody: body, ...(host ? { callbackHost: host } : {}), ...(contentType ? { callbackBodyType: contentType } : {}) };
  const headers = { "x-oss-callback": base64(JSON.stringify(asked)) };
  const own = Object.entries(customValue ?? {}).map(([name, value]) => [name.startsWith("x:") ? name : `x:${name}`, String(value)]);
  if (own.length) headers["x-oss-callback-var"] = base64(JSON.stringify(Object.fromEntries(own)));
  return headers;
}

/** @param {string} text */
const base64 = (text) => btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));

/** @param {Where & {uploadId: string}} asked  an upload that is gone already is as good */
export async function abort({ bucket, key, uploadId, ...options }) {
  try {
    await call({ method: "DELETE", object: key, subres: { uploadId } }, { operation: "AbortMultipartUpload", ...options, bucket });
  } catch (error) {
    if (error.code !== "NoSuchUpload") throw error;
  }
}

/**
 * All parts that are stored, by number.
 * @param {Where & {uploadId: string}} asked
 * @returns {Promise<{number: number, size: number, etag: string, crc64: string, lastModified: string}[]>}
 */
export async function listParts({ bucket, key, uploadId, ...options }) {
  const found = [];
  for (let marker = ""; ; ) {
    const query = { "max-parts": String(PAGE), ...(marker ? { "part-number-marker": marker } : {}) };
    const answer = await call({ method: "GET", object: key, subres: { uploadId }, query }, { operation: "ListParts", ...options, bucket });
    const document = xml(answer.data);
    for (const part of children(document, "Part")) {
      const { PartNumber, Size, ETag, HashCrc64ecma = "", LastModified } = part;
      found.push({ number: Number(PartNumber), size: Number(Size), etag: bareEtag(ETag), crc64: HashCrc64ecma, lastModified: LastModified });
    }
    marker = textOf(document, "NextPartNumberMarker");
    if (textOf(document, "IsTruncated") !== "true") return found;
  }
}

/**
 * One page of the bucket's unfinished uploads.
 * @param {{bucket: string, prefix?: string, delimiter?: string, keyMarker?: string, uploadIdMarker?: string, limit?: number, signal?: AbortSignal}} asked
 * @returns {Promise<{uploads: {key: string, uploadId: string, initiated: string, storageClass: string}[], prefixes: string[],
 *   next: {keyMarker: string, uploadIdMarker: string} | null}>}
 */
export async function listUploads({ bucket, prefix, delimiter, keyMarker, uploadIdMarker, limit = PAGE, signal }) {
  const query = { prefix, delimiter, "key-marker": keyMarker, "upload-id-marker": uploadIdMarker, "max-uploads": String(limit), "encoding-type": "url" };
  const answer = await call({ method: "GET", subres: { uploads: "" }, query }, { operation: "ListMultipartUploads", bucket, signal });
  const document = xml(answer.data);
  const decode = textOf(document, "EncodingType") === "url" ? decodeURIComponent : (text) => text;
  return {
    uploads: children(document, "Upload").map(({ Key, UploadId, Initiated, StorageClass = "" }) => ({
      key: decode(Key),
      uploadId: UploadId,
      initiated: Initiated,
      storageClass: StorageClass,
    })),
    prefixes: children(document, "CommonPrefixes").map(({ Prefix }) => decode(Prefix)),
    next:
      textOf(document, "IsTruncated") === "true"
        ? { keyMarker: decode(textOf(document, "NextKeyMarker")), uploadIdMarker: textOf(document, "NextUploadIdMarker") }
        : null,
  };
}

/**
 * @param {Where & {versionId?: string}} asked
 * @returns {Promise<{size: number, etag: string, crc64: string, headers: Map<string, string>} | null>}  null: there is no such object
 */
export async function head({ bucket, key, versionId, headers, ...options }) {
  try {
    const query = { versionId };
    const answer = await call({ method: "HEAD", object: key, query, headers }, { operation: "HeadObject", ...options, bucket });
    return {
      size: Number(answer.headers.get("content-length") ?? 0),
      etag: bareEtag(answer.headers.get("etag")),
      crc64: answer.headers.get("x-oss-hash-crc64ecma") ?? "",
      headers: answer.headers,
    };
  } catch (error) {
    if (error.status === 404 && error.code !== "NoSuchBucket") return null;
    throw error;
  }
}
