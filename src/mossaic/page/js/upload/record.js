// A task as a row of the store, and back.

import { evenPieces } from "./plan.js";
import { Task } from "./task.js";

const VERSION = 1;

/** @param {Task} task @param {{endpoint: string, principal: string}} who */
export function recordOf(task, { endpoint, principal }) {
  const { id, bucket, key, file, options, partSize, uploadId, completing } = task;
  const owner = task.world.locks.owner; // the tab that lists it
  const record = { v: VERSION, id, owner, endpoint, principal, bucket, key, file, options, partSize, uploadId, completing };
  record.createdAt = task.createdAt.getTime();
  if (task.layout === "odd") record.pieces = task.pieces;
  if (task.fileHandle) record.handle = task.fileHandle;
  return record;
}

/** @param {object} world @param {object} record @param {object[]} parts  rows of the store */
export function restored(world, record, parts) {
  const { id, bucket, key, file, options, handle } = record;
  const task = new Task(world, { id, bucket, key, file, options, handle: handle ?? null });
  task.uploadId = record.uploadId ?? null;
  task.completing = record.completing ?? null;
  task.createdAt = new Date(record.createdAt);
  task.partSize = record.partSize;
  if (record.pieces) task.layout = "odd";
  task.plan(record.pieces ?? evenPieces(file.size, record.partSize));
  for (const part of parts) remember(task, part);
  task.tally.starts(parts.reduce((bytes, part) => bytes + part.size, 0));
  task.fromStore = true;
  task.state = handle ? "paused" : "needs-file";
  return task;
}

/** Shown as stored, and told in checkpoints; whether it holds is asked when the task goes on with its file. */
function remember(task, part) {
  const at = task.places.get(part.number);
  if (at === undefined) return;
  task.parts[at] = 2;
  const { number, offset, size, etag } = part;
  task.verified.set(number, { number, offset, size, etag, crc64: part.crc64 === null ? null : BigInt(part.crc64) });
}
