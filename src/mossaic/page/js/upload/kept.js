// What an earlier attempt stored, and how much of it may be trusted: the server's list says what is there; a part is kept when this very
// File gave it in this page, else only after the local bytes were summed and found the same. So a mixed object cannot come about.

import { Problem } from "../core/problem.js";
import { changedFile } from "./sender.js";
import { isStopped } from "./stop.js";

/**
 * @param {import("./task.js").Task} task
 * @param {{number: number, size: number, etag: string, crc64: bigint|null}[]} listed
 * @returns {{sure: object[], doubtful: {piece: object, part: object}[], missing: object[]}}
 */
export function sortOut(task, listed) {
  const there = new Map(listed.map((part) => [part.number, part]));
  const sure = [];
  const doubtful = [];
  const missing = [];
  for (const piece of task.pieces) {
    const part = there.get(piece.number);
    if (!part || part.size !== piece.size) {
      missing.push(piece);
      continue;
    }
    const known = task.verified.get(piece.number);
    if (known && known.etag === part.etag) sure.push(piece);
    else doubtful.push({ piece, part });
  }
  return { sure, doubtful, missing };
}

/**
 * Sum the file's bytes where parts are doubtful.
 * @param {{good: (piece: object, part: object) => void, bad: (piece: object) => void}} tell
 */
export async function prove(task, doubtful, tell, signal) {
  if (!doubtful.length) return;
  task.checkTotal = doubtful.reduce((bytes, { piece }) => bytes + piece.size, 0);
  task.checkedBytes = 0;
  const one = async ({ piece, part }) => {
    const same = await isSame(task, piece, part, signal);
    task.checkedBytes += piece.size;
    if (same) tell.good(piece, part);
    else tell.bad(piece);
    task.changed();
  };
  // A few at a time: the workers hold no more than they read.
  const rest = [...doubtful];
  const lane = async () => {
    while (rest.length) await one(rest.shift());
  };
  await Promise.all(Array.from({ length: task.world.sums.most }, lane));
}

async function isSame(task, piece, part, signal) {
  const blob = task.source.slice(piece.offset, piece.offset + piece.size);
  try {
    const own = await task.world.sums.of(blob, { md5: part.crc64 === null, signal });
    return part.crc64 === null ? own.md5 === part.etag : own.crc64 === part.crc64;
  } catch (error) {
    throw isStopped(error) ? error : changedFile(error);
  }
}

/** @param {string} message */
export const otherFile = (message, detail = {}) =>
  new Problem("changed", message, { code: "OtherFile", operation: "provide", retryable: false, detail });
