// Sends the pieces of one task, some at a time, each again until it is stored and proved. How a piece travels (a part of an upload, or the
// whole object by one PUT) is the `carry` it is given.

import { Problem, toProblem } from "../core/problem.js";
import { isStopped, sleep, stopped } from "./stop.js";

const MOST_TRIES = 8; // of one piece, while the service can be reached
const MOST_DAMAGED = 4;
const FIRST_WAIT_MS = 400;
const MOST_WAIT_MS = 20_000;
const DRAIN_S = 3; // a part that ends sooner is finished after a pause: less is sent twice

const DAMAGED = new Set(["ChecksumMismatch", "InvalidDigest"]);
const ON_THE_WAY = new Set(["offline", "network", "timeout"]);
const MD5 = /^[0-9A-F]{32}$/;

/** @typedef {{etag: string, crc64: bigint|null, requestId: string}} Stored */

export class Sender {
  /**
   * @param {import("./task.js").Task} task
   * @param {{carry: (piece: object, flight: object) => Promise<Stored>, sum: (blob: Blob, signal: AbortSignal, md5: boolean) => Promise<object>|null, landed: (piece: object, stored: Stored) => void}} ways
   * @param {AbortSignal} signal  ends everything at once
   */
  constructor(task, ways, signal) {
    this.task = task;
    this.world = task.world;
    this.ways = ways;
    this.signal = signal;
    this.gate = new AbortController(); // nothing new begins once it is aborted
    signal.addEventListener("abort", () => this.close(-1), { once: true });
    this.queue = [];
    this.flights = new Map(); // part number -> {control, piece, startedAt, sent}
    this.held = false; // more pieces may come
    this.idle = [];
    this.failure = null;
    this.wantsMd5 = false;
    if (signal.aborted) this.gate.abort();
  }

  /** @param {object[]} pieces */
  add(pieces) {
    this.queue.push(...pieces);
    this.wake();
  }

  hold(held) {
    this.held = held;
    this.wake();
  }

  wake() {
    for (const look of this.idle.splice(0)) look();
  }

  /** Resolves when all pieces are stored; rejects with a Problem, or as stopped after `close`. */
  async run() {
    const lanes = Math.max(1, Math.min(16, this.task.options.parallel ?? 4));
    await Promise.all(Array.from({ length: lanes }, () => this.lane()));
    if (this.failure) throw this.failure;
    if (this.gate.signal.aborted) throw stopped();
  }

  /** Begin nothing more. Parts in flight that would need more than `seconds` are stopped, the others end. */
  close(seconds = DRAIN_S) {
    this.gate.abort();
    this.wake();
    for (const flight of this.flights.values()) {
      if (secondsLeft(flight) > seconds) flight.control.abort();
      else setTimeout(() => flight.control.abort(), 2 * seconds * 1000); // it was promised to end
    }
  }

  fail(problem) {
    this.failure ??= problem;
    this.close();
  }

  async lane() {
    for (let piece = await this.next(); piece; piece = await this.next()) {
      try {
        await this.send(piece);
      } catch (error) {
        this.task.mark(piece, isStopped(error) ? 0 : 3);
        if (!isStopped(error)) this.fail(toProblem(error));
        else if (!this.gate.signal.aborted) this.queue.unshift(piece);
      }
    }
  }

  async next() {
    while (!this.gate.signal.aborted) {
      if (this.queue.length) return this.queue.shift();
      if (!this.held) return null;
      await new Promise((resolve) => this.idle.push(resolve));
    }
    return null;
  }

  async send(piece) {
    const blob = this.task.source.slice(piece.offset, piece.offset + piece.size);
    const told = { tries: 0, damaged: 0 };
    for (;;) {
      try {
        const [stored, own] = await this.once(piece, blob);
        compare(own, stored, piece);
        this.world.line.good();
        this.task.tally.landed(piece.number, piece.size);
        this.ways.landed(piece, { ...stored, crc64: stored.crc64 ?? own?.crc64 ?? null });
        return;
      } catch (error) {
        this.task.tally.fell(piece.number);
        if (isStopped(error)) throw error;
        this.task.mark(piece, 3);
        await this.recover(toProblem(error), told, blob);
        this.task.retries += 1;
      }
    }
  }

  async once(piece, blob) {
    const { slots, pace } = this.world;
    const giveBack = await slots.take(this.gate.signal);
    const control = new AbortController();
    const flight = { control, piece, blob, startedAt: performance.now(), sent: 0, onUpload: (sent) => this.moved(flight, sent) };
    let taken = false;
    try {
      await pace.take(piece.size, this.gate.signal);
      taken = true;
      flight.startedAt = performance.now();
      this.flights.set(piece.number, flight);
      this.task.mark(piece, 1);
      const sum = this.ways.sum(blob, control.signal, this.wantsMd5);
      sum?.catch(() => {}); // looked at below, and only if the part got through
      const stored = await this.ways.carry(piece, flight);
      giveBack();
      taken = false;
      return [stored, sum && (await this.sumFor(stored, await sum, blob, control.signal))];
    } catch (error) {
      throw control.signal.aborted ? stopped() : error;
    } finally {
      this.flights.delete(piece.number);
      if (taken) pace.back(piece.size - flight.sent);
      giveBack();
    }
  }

  /** Where the server tells no CRC-64, the ETag has to do, which takes an MD5. */
  async sumFor(stored, own, blob, signal) {
    if (stored.crc64 !== null || own.md5 !== null) return own;
    this.wantsMd5 = true;
    return this.ways.sum(blob, signal, true);
  }

  moved(flight, sent) {
    flight.sent = Math.min(sent, flight.piece.size);
    this.task.tally.flies(flight.piece.number, flight.sent);
    this.task.changed();
  }

  /** Waits for better times, or throws what cannot be mended. */
  async recover(problem, told, blob) {
    if (DAMAGED.has(problem.code)) {
      told.damaged += 1;
      if (told.damaged >= MOST_DAMAGED) throw problem;
      return;
    }
    if (ON_THE_WAY.has(problem.kind)) {
      // A browser that cannot read the file (changed, gone) fails the request as if the line were broken.
      if (!(await isReadable(blob))) throw changedFile(problem);
      if (await this.world.line.up(this.gate.signal)) return; // it was down: no fault of this part
    } else if (!problem.retryable) {
      throw problem;
    }
    told.tries += 1;
    if (told.tries >= MOST_TRIES) throw problem;
    await sleep(waitMs(told.tries), this.gate.signal);
  }
}

/** Seconds until it ends, as far as can be told: endless before the first bytes went out. */
function secondsLeft(flight) {
  const passed = (performance.now() - flight.startedAt) / 1000;
  const left = flight.piece.size - flight.sent;
  return left === 0 ? 0 : (left * passed) / flight.sent; // Infinity for none
}

/** Doubling, with chance in it, so that many clients do not come back at the same moment. */
const waitMs = (tries) => Math.min(MOST_WAIT_MS, FIRST_WAIT_MS * 2 ** (tries - 1)) * (0.5 + Math.random() / 2);

/** Throws when the server stored other bytes than the file has. An ETag of another form than an MD5's says nothing of that. */
function compare(own, stored, piece) {
  if (!own) return;
  const crcWrong = stored.crc64 !== null && stored.crc64 !== own.crc64;
  const md5Wrong = own.md5 !== null && MD5.test(stored.etag) && stored.etag !== own.md5;
  if (!crcWrong && !md5Wrong) return;
  throw new Problem("changed", `part ${piece.number} arrived damaged`, {
    code: "ChecksumMismatch",
    requestId: stored.requestId,
    operation: "UploadPart",
    retryable: true,
    detail: { PartNumber: piece.number, sent: String(own.crc64), stored: String(stored.crc64) },
  });
}

async function isReadable(blob) {
  try {
    await blob.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

export const changedFile = (cause) =>
  new Problem("changed", "the file changed or cannot be read any more", { code: "FileChanged", operation: "read", retryable: false, cause });
