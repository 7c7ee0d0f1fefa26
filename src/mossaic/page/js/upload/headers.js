// The headers of an object as OSS takes them, from a task's options.

const FORBID = "x-oss-forbid-overwrite";

/** @param {Uint8Array} raw */
export const base64Of = (raw) => btoa(String.fromCharCode(...raw));

const isForbidden = (options) => options.forbidOverwrite || options.conflict === "refuse" || options.conflict === "rename";

/** What Initiate and PutObject say once and for all. @param {import("./uploads.js").UploadOptions} options @param {string} type of the file */
export function objectHeaders(options, type) {
  const headers = { ...(options.headers ?? {}) };
  headers["Content-Type"] = options.mime || type || "application/octet-stream";
  for (const [name, text] of Object.entries(options.meta ?? {})) headers[`x-oss-meta-${name.toLowerCase()}`] = text;
  if (options.storageClass) headers["x-oss-storage-class"] = options.storageClass;
  const tags = new URLSearchParams(options.tags ?? {}).toString().replaceAll("+", "%20");
  if (tags) headers["x-oss-tagging"] = tags;
  if (options.acl) headers["x-oss-object-acl"] = options.acl;
  if (isForbidden(options)) headers[FORBID] = "true";
  return headers;
}

/** What is asked at the end, of Complete or of a single PUT. */
export function finalHeaders(options) {
  const headers = {};
  if (isForbidden(options)) headers[FORBID] = "true";
  if (options.acl) headers["x-oss-object-acl"] = options.acl;
  return headers;
}

/** The callback's answer as a value: JSON, else text. */
export function callbackAnswer(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
