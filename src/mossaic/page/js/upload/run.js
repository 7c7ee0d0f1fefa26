// From a waiting task to an object: the steps of one run. A run ends with a result, with a Problem, or stopped.

import { Problem, toProblem } from "../core/problem.js";
import { complete, finished, published } from "./finish.js";
import { base64Of, finalHeaders, objectHeaders } from "./headers.js";
import { otherFile, prove, sortOut } from "./kept.js";
import { settle } from "./name.js";
import { evenPieces, piecesAround, piecesFromList } from "./plan.js";
import { Sender } from "./sender.js";
import { isStopped, sleep, stopped } from "./stop.js";
import { crc64Etag } from "./sums/crc64.js";

const BEGIN_TRIES = 5;

/**
 * @param {import("./task.js").Task} task
 * @param {AbortSignal} signal
 * @returns {Promise<import("./task.js").Result>}
 */
export async function run(task, signal) {
  if (task.uploadId === null) {
    const there = await settle(task, signal);
    if (there) return there;
    if (task.total <= task.partSize) return wholeObject(task, signal);
    await initiate(task, signal);
    return locked(task, () => parts(task, { sure: [], doubtful: [], missing: task.pieces }, signal));
  }
  return locked(task, async () => {
    const kept = await whatIsKept(task, signal);
    return kept.result ?? again(task, kept, signal);
  });
}

/** Complete may find parts replaced by somebody else since they were proved: then all is looked at once more. */
async function again(task, kept, signal) {
  try {
    return await parts(task, kept, signal);
  } catch (error) {
    if (error.code !== "InvalidPart") throw error;
    task.verified.clear();
    const now = await whatIsKept(task, signal);
    return now.result ?? parts(task, now, signal);
  }
}

async function locked(task, work) {
  const letGo = await task.world.locks.take(`${task.bucket}/${task.uploadId}`);
  if (!letGo) {
    throw new Problem("conflict", "this upload is running in another tab", { code: "RunsElsewhere", operation: "upload", retryable: true });
  }
  try {
    return await work();
  } finally {
    letGo();
  }
}

async function initiate(task, signal) {
  const headers = objectHeaders(task.options, task.file.type);
  task.to("sending");
  for (let tries = 1; ; tries += 1) {
    if (signal.aborted) throw stopped();
    try {
      // Not ended by a stop: an id whose answer nobody waits for is an upload that nobody knows.
      task.uploadId = await task.world.wire.initiate(task, headers);
      break;
    } catch (error) {
      const problem = toProblem(error, "InitiateMultipartUpload");
      if (!problem.retryable) throw problem;
      task.retries += 1;
      const wasDown = problem.status === 0 && (await task.world.line.up(signal));
      if (tries >= BEGIN_TRIES && !wasDown) throw problem;
      await sleep(300 * tries, signal);
    }
  }
  await task.save();
  if (signal.aborted) throw stopped();
}

/** @returns {Promise<{sure: object[], doubtful: object[], missing: object[], result?: object}>} */
async function whatIsKept(task, signal) {
  task.to("checking");
  const listed = await listParts(task, signal);
  if (listed === null) {
    const result = await published(task);
    if (result) return { sure: [], doubtful: [], missing: [], result };
    throw gone();
  }
  if (task.layout === "unknown") {
    lay(task, listed);
    await task.save();
  }
  return sortOut(task, listed);
}

/** null when the upload is not there any more. */
async function listParts(task, signal) {
  for (let tries = 1; ; tries += 1) {
    try {
      return await task.world.wire.listParts(task, task.uploadId, signal);
    } catch (error) {
      const problem = toProblem(error, "ListParts");
      if (problem.code === "NoSuchUpload") return null;
      if (problem.status !== 0 || problem.kind === "aborted") throw problem.kind === "aborted" ? stopped() : problem;
      const wasDown = await task.world.line.up(signal);
      if (tries >= BEGIN_TRIES && !wasDown) throw problem;
    }
  }
}

const gone = () =>
  new Problem("missing", "the upload is not on the server any more", { code: "NoSuchUpload", status: 404, operation: "upload", retryable: false });

/** The layout of an upload that somebody else began. */
function lay(task, listed) {
  const found = task.known
    ? { partSize: task.partSize, pieces: piecesAround(task.known, task.total, task.partSize) }
    : piecesFromList(listed, task.total, task.options.partSize);
  task.partSize = found.partSize;
  task.plan(found.pieces);
  const even = evenPieces(task.total, task.partSize);
  task.layout = even.every((piece, at) => piece.offset === task.pieces[at]?.offset && piece.number === task.pieces[at].number) ? "even" : "odd";
}

async function parts(task, kept, signal) {
  const { sure, missing } = kept;
  let { doubtful } = kept;
  const again = [];
  for (const piece of sure) task.mark(piece, 4);
  if (task.strict) {
    again.push(...(await proveFirst(task, doubtful, signal)));
    sure.push(...doubtful.map(({ piece }) => piece).filter((piece) => !again.includes(piece)));
    doubtful = [];
    task.strict = "";
  }
  for (const { piece } of doubtful) task.mark(piece, 2);
  task.tally.starts(bytes(sure) + bytes(doubtful.map(({ piece }) => piece)));
  await sendMissing(task, [...missing, ...again].sort((a, b) => a.number - b.number), doubtful, signal);
  task.to("completing");
  return complete(task, signal);
}

const bytes = (pieces) => pieces.reduce((sum, piece) => sum + piece.size, 0);

/**
 * A file that may be another one: nothing is sent before the stored parts speak for it.
 * @returns {Promise<object[]>} pieces to be sent again
 */
async function proveFirst(task, doubtful, signal) {
  const wrong = [];
  if (task.strict === "all" && !doubtful.length) throw otherFile("nothing is stored yet that could prove that this is the file");
  await prove(task, doubtful, { good: (piece, part) => task.keep(piece, part, 4), bad: (piece) => wrong.push(piece) }, signal);
  const refused = task.strict === "all" ? wrong.length > 0 : doubtful.length > 0 && wrong.length === doubtful.length;
  if (refused) throw otherFile("the stored parts are of another file", { parts: wrong.map((piece) => piece.number) });
  return wrong;
}

/** Sends what is missing while what is doubtful is proved; what is not proved is sent again. */
async function sendMissing(task, missing, doubtful, signal) {
  const sender = new Sender(task, partWays(task), signal);
  task.sender = sender;
  if (missing.length || !doubtful.length) task.to("sending");
  sender.add(missing);
  sender.hold(doubtful.length > 0);
  const good = (piece, part) => task.keep(piece, part, 4);
  const bad = (piece) => {
    task.tally.lost(piece.size);
    task.forgetPart(piece);
    task.to("sending");
    sender.add([piece]);
  };
  const proving = prove(task, doubtful, { good, bad }, sender.gate.signal)
    .catch((error) => isStopped(error) || sender.fail(toProblem(error)))
    .finally(() => sender.hold(false));
  try {
    await Promise.all([sender.run(), proving]);
  } finally {
    task.sender = null;
  }
}

function trafficLimit(task) {
  const limit = task.world.pace.header(task.world.slots.taken);
  return limit === null ? {} : { "x-oss-traffic-limit": limit };
}

function partWays(task) {
  const { wire, sums } = task.world;
  const { verify = true } = task.options;
  return {
    carry: (piece, { blob, control, onUpload }) =>
      wire.part(task, { uploadId: task.uploadId, number: piece.number, body: blob, headers: trafficLimit(task), signal: control.signal, onUpload }),
    sum: (blob, signal, more) => (verify === false ? null : sums.of(blob, { md5: verify === "md5" || more, signal })),
    landed: (piece, stored) => task.keep(piece, stored, 2),
  };
}

/** A file of one part goes by one PUT. Its MD5 goes ahead: damaged bytes shall not become the object. */
async function wholeObject(task, signal) {
  const { wire, sums } = task.world;
  let sum = null;
  let answer = null;
  let tries = 0;
  const ways = {
    sum: (blob, stop) => {
      sum = task.options.verify === false ? null : sums.of(blob, { md5: true, signal: stop });
      return sum;
    },
    carry: async (piece, { blob, control, onUpload }) => {
      const own = await sum;
      const md5 = own ? { "Content-MD5": base64Of(own.raw) } : {};
      const headers = { ...objectHeaders(task.options, task.file.type), ...finalHeaders(task.options), ...md5, ...trafficLimit(task) };
      tries += 1;
      try {
        answer = await wire.put(task, { body: blob, headers, callback: task.options.callback, signal: control.signal, onUpload });
      } catch (error) {
        const there = tries > 1 && error.kind === "exists" && own && (await wire.head(task));
        if (!there || ![own.md5, crc64Etag(own.crc64, task.total)].includes(there.etag)) throw error;
        answer = { ...there, callback: null }; // the first answer was lost
      }
      return answer;
    },
    landed: (piece) => task.mark(piece, 2),
  };
  const sender = new Sender(task, ways, signal);
  task.sender = sender;
  task.plan(evenPieces(task.total, Math.max(task.total, 1)));
  task.to("sending");
  sender.add(task.pieces);
  try {
    await sender.run();
  } finally {
    task.sender = null;
  }
  return finished(task, answer);
}
