/** Copying objects inside the service: in one request, or by parts where they are large. Nothing travels through the page. */

import { abort, call, complete, initiate, xml } from "../../core/oss.js";
import { Problem, toProblem } from "../../core/problem.js";
import { aclOf, headObject, tagsOf } from "../object/facts.js";
import { removeOne } from "./remove.js";
import { copySource } from "./keys.js";

const MIB = 1024 ** 2;
const BY_PARTS_ABOVE = 1024 * MIB; // bytes; CopyObject of more may take longer than a proxy waits
const COPY_PART = 256 * MIB;
const MAX_PARTS = 10_000;
const PARTS_AT_ONCE = 4;

/**
 * Copy one object with everything that belongs to it: headers, metadata, tags, storage class, ACL.
 * @param {{bucket: string, key: string, versionId?: string}} from
 * @param {{bucket: string, key: string}} to
 * @param {{overwrite?: boolean, strict?: boolean, signal?: AbortSignal, onBytes?: (done: number, total: number) => void}} [how]
 *   strict: rather fail than lose an ACL that may not be read
 * @returns {Promise<{skipped: boolean, bytes: number, aclUnknown: boolean}>} skipped: there was an object, and it stayed
 */
export async function copyObject(from, to, { overwrite = false, strict = false, signal, onBytes } = {}) {
  const facts = await headObject({ ...from, signal });
  const acl = await knownAcl(from, strict, signal);
  const headers = keptHeaders(facts, acl);
  if (!overwrite) headers["x-oss-forbid-overwrite"] = "true";
  // The ETag that HEAD tells of a link is its target's.
  const source = { "x-oss-copy-source": copySource(from.bucket, from.key, from.versionId) };
  if (facts.type !== "Symlink") source["x-oss-copy-source-if-match"] = `"${facts.etag}"`;
  const job = { from, to, facts, headers, source, signal, onBytes };
  try {
    await (facts.size > BY_PARTS_ABOVE && facts.type !== "Symlink" && facts.type !== "Appendable" ? byParts(job) : atOnce(job));
  } catch (error) {
    if (!overwrite && toProblem(error).code === "FileAlreadyExists") return { skipped: true, bytes: 0, aclUnknown: false };
    throw error;
  }
  return { skipped: false, bytes: facts.size, aclUnknown: acl === null };
}

/** Copy, then delete the source; what could not be copied keeps its source. */
export async function moveObject(from, to, how = {}) {
  const result = await copyObject(from, to, { ...how, strict: true });
  if (!result.skipped) await removeOne({ bucket: from.bucket, key: from.key, signal: how.signal });
  return result;
}

async function knownAcl(from, strict, signal) {
  try {
    return await aclOf({ ...from, signal });
  } catch (error) {
    if (strict || toProblem(error).kind !== "denied") throw error;
    return null;
  }
}

/** A copy takes storage class, ACL and encryption from the request, not from its source. */
function keptHeaders(facts, acl) {
  const headers = { "x-oss-storage-class": facts.storageClass };
  if (acl && acl !== "default") headers["x-oss-object-acl"] = acl;
  if (facts.encryption) headers["x-oss-server-side-encryption"] = facts.encryption;
  return headers;
}

async function atOnce({ to, headers, source, signal }) {
  await call({ method: "PUT", object: to.key, headers: { ...headers, ...source } }, { bucket: to.bucket, signal });
}

async function byParts(job) {
  const { from, to, facts, signal } = job;
  const tags = facts.tagCount ? await tagsOf({ ...from, signal }) : {};
  const { uploadId } = await initiate({ ...to, headers: { ...job.headers, ...describing(facts), ...tagging(tags) }, signal });
  try {
    const parts = await copyParts({ ...job, uploadId });
    const done = await complete({ ...to, uploadId, parts, headers: refusing(job.headers), signal });
    checkSum(facts, done.crc64, to.key);
  } catch (error) {
    await giveBack(to, uploadId);
    throw error;
  }
}

const refusing = (headers) => (headers["x-oss-forbid-overwrite"] ? { "x-oss-forbid-overwrite": "true" } : {});

/** Headers and metadata as Initiate wants to hear them. @param {import("../object/facts.js").Facts} facts */
export function describing(facts) {
  const meta = Object.entries(facts.meta).map(([name, value]) => [`x-oss-meta-${name}`, value]);
  return { ...facts.stored, ...Object.fromEntries(meta), ...persistent(facts.persistent) };
}

function persistent(headers) {
  const pairs = Object.entries(headers).map(([name, value]) => `${name}:${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}`);
  return pairs.length ? { "x-oss-persistent-headers": pairs.join(",") } : {};
}

function tagging(tags) {
  const pairs = Object.entries(tags).map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`);
  return pairs.length ? { "x-oss-tagging": pairs.join("&") } : {};
}

async function copyParts(job) {
  const { facts, onBytes } = job;
  const size = Math.max(COPY_PART, Math.ceil(facts.size / MAX_PARTS / MIB) * MIB);
  const count = Math.ceil(facts.size / size);
  const parts = new Array(count);
  let next = 0;
  let bytes = 0;
  const worker = async () => {
    while (next < count) {
      const number = (next += 1);
      const [start, stop] = [(number - 1) * size, Math.min(number * size, facts.size)];
      parts[number - 1] = { number, etag: await copyPart(job, number, start, stop) };
      onBytes?.((bytes += stop - start), facts.size);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(PARTS_AT_ONCE, count) }, () => worker().catch(stop)));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
  return parts;

  function stop(error) {
    next = count; // no worker begins another part
    throw error;
  }
}

async function copyPart({ to, source, uploadId, signal }, number, start, stop) {
  const headers = { ...source, "x-oss-copy-source-range": `bytes=${start}-${stop - 1}` };
  const query = { partNumber: String(number), uploadId };
  const answer = await call({ method: "PUT", object: to.key, query, headers }, { bucket: to.bucket, signal });
  return xml(answer.data).getElementsByTagName("ETag")[0].textContent;
}

function checkSum(facts, crc64, key) {
  if (!facts.crc64 || !crc64 || facts.crc64 === crc64) return;
  const detail = { key, expected: facts.crc64, found: crc64 };
  throw new Problem("server", "the checksum of the copy is not that of its source", { code: "ChecksumMismatch", operation: "CompleteMultipartUpload", detail });
}

/** Also when the copy was stopped, hence without its signal. */
async function giveBack(to, uploadId) {
  try {
    await abort({ ...to, uploadId, retry: false });
  } catch {
    // it is listed among the unfinished uploads of the bucket, where it can be aborted
  }
}
