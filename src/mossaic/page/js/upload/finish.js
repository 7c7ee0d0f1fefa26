// Complete, and what to make of an answer that never came.

import { Problem, toProblem } from "../core/problem.js";
import { callbackAnswer, finalHeaders } from "./headers.js";
import { joinCrc64 } from "./sums/crc64.js";
import { Md5, hex } from "./sums/md5.js";
import { sleep } from "./stop.js";

const MOST_TRIES = 6;
const ON_THE_WAY = new Set(["offline", "network", "timeout"]);

/** OSS's ETag of an upload: MD5 over its parts' ETags as text, a hyphen, their number. */
function wholeEtag(parts) {
  const digest = new Md5();
  digest.update(new TextEncoder().encode(parts.map((part) => part.etag).join("")));
  return `${hex(digest.digest())}-${parts.length}`;
}

/** @param {import("./task.js").Task} task @returns {Promise<import("./task.js").Result>} */
export async function complete(task, signal) {
  const parts = task.pieces.map((piece) => task.verified.get(piece.number));
  const summed = parts.every((part) => part.crc64 !== null);
  const expected = { etag: wholeEtag(parts), crc64: summed ? joinCrc64(parts) : null, size: task.total };
  const before = task.completing !== null;
  task.completing = { etag: expected.etag, crc64: expected.crc64 === null ? null : String(expected.crc64), size: expected.size };
  await task.save();
  const asked = { uploadId: task.uploadId, parts: parts.map(({ number, etag }) => ({ number, etag })), headers: finalHeaders(task.options), callback: task.options.callback };
  for (let tries = 1; ; tries += 1) {
    try {
      return result(task, await task.world.wire.complete(task, asked), expected);
    } catch (error) {
      const problem = toProblem(error, "CompleteMultipartUpload");
      if (problem.code === "NoSuchUpload" || (problem.kind === "exists" && (before || tries > 1))) {
        const found = await published(task);
        if (found) return found;
      }
      if (!ON_THE_WAY.has(problem.kind) && !(problem.retryable && tries < MOST_TRIES)) throw problem;
      // The service answers a repeated Complete of the same upload with the first result.
      task.retries += 1;
      if (ON_THE_WAY.has(problem.kind)) await task.world.line.up(signal);
      if (tries >= MOST_TRIES) throw problem;
      await sleep(300 * tries, signal);
    }
  }
}

/** The object, if it is the one that this upload was about to make; null otherwise. */
export async function published(task) {
  const expected = task.completing;
  if (!expected) return null;
  const there = await task.world.wire.head(task);
  if (!there) return null;
  const sameCrc = expected.crc64 === null || there.crc64 === null || String(there.crc64) === expected.crc64;
  if (there.etag !== expected.etag || there.size !== expected.size || !sameCrc) return null;
  return { ...plain(there), callback: null, found: true };
}

function result(task, answer, expected) {
  if (expected.crc64 !== null && answer.crc64 !== null && expected.crc64 !== answer.crc64) {
    throw new Problem("changed", "the object's CRC-64 is not that of the file", {
      code: "ChecksumMismatch",
      requestId: answer.requestId,
      operation: "CompleteMultipartUpload",
      retryable: false,
      detail: { sent: String(expected.crc64), stored: String(answer.crc64) },
    });
  }
  return finished(task, answer);
}

/** @param {object} answer  as wire.js tells it */
export function finished(task, answer) {
  return { ...plain(answer), callback: typeof answer.callback === "string" ? callbackAnswer(answer.callback) : null };
}

function plain({ etag, crc64, requestId, versionId }) {
  return { etag, crc64: crc64 === null ? null : String(crc64), requestId, versionId };
}
