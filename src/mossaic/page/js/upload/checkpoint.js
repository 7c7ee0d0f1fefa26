// The JSON of an unfinished upload that the page, the SDK, the command line and ali-oss understand: ali-oss's fields, and ours beside them.

import { Problem } from "../core/problem.js";

const VERSION = 1;
const MOST_PARTS = 10_000;

const invalid = (message) => new Problem("invalid", `not a checkpoint: ${message}`, { code: "NotACheckpoint", operation: "checkpoint", retryable: false });

/** @param {import("./task.js").Task} task  with an upload id */
export function toCheckpoint(task, endpoint) {
  const parts = [...task.verified.values()].sort((a, b) => a.number - b.number);
  const onGrid = (part) => part.offset === (part.number - 1) * task.partSize && part.size === Math.min(task.partSize, task.total - part.offset);
  return {
    v: VERSION,
    file: null, // browsers tell no path
    name: task.key,
    fileSize: task.total,
    partSize: task.partSize,
    uploadId: task.uploadId,
    doneParts: parts.filter(onGrid).map(({ number, etag }) => ({ number, etag: `"${etag}"` })),
    bucket: task.bucket,
    endpoint,
    parts: parts.map(({ number, offset, size, etag, crc64 }) => ({ number, offset, size, etag, crc64: crc64 === null ? null : String(crc64) })),
    // The SDK compares nanoseconds and inodes, which browsers do not tell, so that it proves every part by content.
    source: { kind: "file", size: task.total, mtime_ns: null, ctime_ns: null, inode: null, device: null, edges_crc64: null },
  };
}

/**
 * Read ours and ali-oss's.
 * @param {string|object} json
 * @returns {{bucket: string, key: string, uploadId: string, size: number, partSize: number, fileName: string, known: object[]}}  known: pieces with etag
 */
export function readCheckpoint(json) {
  const value = parsed(json);
  if (value.v !== undefined && value.v !== VERSION) throw invalid(`version ${value.v} is not understood`);
  const size = whole(value.fileSize, "fileSize");
  const partSize = whole(value.partSize, "partSize");
  if (!partSize) throw invalid("partSize is 0");
  const found = {
    bucket: typeof value.bucket === "string" ? value.bucket : "",
    key: text(value.name, "name"),
    uploadId: text(value.uploadId, "uploadId"),
    size,
    partSize,
    fileName: typeof value.file === "string" ? value.file.split(/[\\/]/).at(-1) : "",
  };
  if (value.v === undefined) found.key = found.key.replace(/^\/+/, ""); // ali-oss asks for it without them
  const own = list(value.parts, "parts").map((part) => ({
    number: whole(part?.number, "parts.number"),
    offset: whole(part.offset, "parts.offset"),
    size: whole(part.size, "parts.size"),
  }));
  const done = list(value.doneParts, "doneParts").map((part) => {
    const number = whole(part?.number, "doneParts.number");
    const offset = (number - 1) * partSize;
    return { number, offset, size: Math.min(partSize, size - offset) };
  });
  const byNumber = new Map([...own, ...done].map((piece) => [piece.number, piece]));
  // ali-oss adds to doneParts alone; what it has not is known by ours.
  for (const piece of own) if (!done.some(({ number }) => number === piece.number)) byNumber.set(piece.number, piece);
  return { ...found, known: [...byNumber.values()] };
}

function parsed(json) {
  try {
    const value = typeof json === "string" ? JSON.parse(json) : json;
    if (value && typeof value === "object" && !Array.isArray(value)) return value;
  } catch {
    throw invalid("this is not JSON");
  }
  throw invalid("expected an object");
}

function whole(value, field) {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value) ? Number(value) : value;
  if (!Number.isSafeInteger(number) || number < 0) throw invalid(`${field} is no whole number`);
  return number;
}

function text(value, field) {
  if (typeof value !== "string" || !value) throw invalid(`${field} is missing`);
  return value;
}

function list(value, field) {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value) || value.length > MOST_PARTS) throw invalid(`${field} is no list of parts`);
  return value;
}
