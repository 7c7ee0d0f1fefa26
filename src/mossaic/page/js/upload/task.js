// One file on its way: its state, its steps, and what a person can do to it.

import { Problem, toProblem } from "../core/problem.js";
import { toCheckpoint } from "./checkpoint.js";
import { abortUntilGone } from "./abort.js";
import { otherFile } from "./kept.js";
import { Meter } from "./meter.js";
import { choosePartSize, evenPieces } from "./plan.js";
import { run } from "./run.js";
import { isStopped } from "./stop.js";
import { Tally } from "./tally.js";

/**
 * @typedef {"waiting"|"checking"|"sending"|"paused"|"offline"|"completing"|"done"|"failed"|"cancelled"|"aborted"|"needs-file"} State
 *
 * @typedef {object} Result
 * @property {string} etag  bare
 * @property {string|null} crc64  decimal
 * @property {string} requestId
 * @property {string|null} versionId
 * @property {*} callback  what the callback's receiver answered (JSON as a value, else text); null without callback
 * @property {boolean} [found]  the answer to Complete was lost and the object was looked up
 * @property {boolean} [skipped]  the object was there already
 */

const TELL_MS = 100;
const BUSY = new Set(["waiting", "checking", "sending", "completing", "offline"]);
const OVER = new Set(["done", "aborted"]);

/** Fields are read only outside the engine. `watch` tells of changes: at once of a new state, else at most ten times a second. */
export class Task {
  /**
   * @param {object} world  what all tasks share, see uploads.js
   * @param {{id: string, bucket: string, key: string, file: {name: string, size: number, lastModified: number, type: string},
   *   options: import("./uploads.js").UploadOptions, source?: File|null, handle?: FileSystemFileHandle|null}} facts
   */
  constructor(world, { id, bucket, key, file, options = {}, source = null, handle = null }) {
    this.world = world;
    this.id = id;
    this.bucket = bucket;
    this.key = key;
    /** @type {{name: string, size: number, lastModified: number, type: string}} */
    this.file = file;
    this.options = options;
    this.createdAt = new Date();
    this.principal = world.who().principal; // whose upload it is
    /** Milliseconds since 1970; null before. */
    this.begunAt = null;
    this.endedAt = null;
    /** Left by an earlier visit. */
    this.fromStore = false;
    /** @type {State} */
    this.state = "waiting";
    /** @type {Problem|null} */
    this.problem = null;
    /** @type {Result|null} */
    this.result = null;
    /** @type {string|null} */
    this.uploadId = null;
    this.retries = 0;
    this.checkedBytes = 0; // of `checkTotal` bytes of stored parts, when they have to be proved
    this.checkTotal = 0;

    this.source = source; // File|null
    this.fileHandle = handle;
    this.verified = new Map(); // part number -> {number, offset, size, etag, crc64}: proved against `source`, in this page
    this.completing = null; // what Complete was asked to make
    this.layout = "even"; // "unknown": begun elsewhere, not looked at yet; "odd": parts not where their number alone says
    this.known = null; // pieces that a checkpoint told
    this.sizeKnown = true;
    this.strict = ""; // "all", "some": stored parts have to speak for the file before anything is sent
    this.sender = null;
    this.control = null;
    this.running = null;
    this.tally = new Tally(file.size);
    this.meter = new Meter();
    this.watchers = new Set();
    this.timer = null;
    this.partSize = choosePartSize(options.partSize, file.size, world.pace.rate.value);
    this.plan(evenPieces(file.size, this.partSize));
  }

  // --- what views read

  /** Bytes sent; never goes back. */
  get sent() {
    return this.tally.shown;
  }

  /** Bytes of parts that the server confirmed. */
  get stored() {
    return this.tally.stored;
  }

  get total() {
    return this.tally.total;
  }

  /** Bytes a second, averaged over some seconds. */
  get speed() {
    return this.state === "sending" ? this.meter.speed : 0;
  }

  /** Seconds, null while nobody can know. */
  get eta() {
    return this.state === "sending" ? this.meter.eta(this.total - this.tally.now) : null;
  }

  /** Whether it can go on after a reload without picking the file again. */
  get handle() {
    return this.fileHandle !== null;
  }

  /** Whether `resume`, in a click, can get the file again by itself. */
  get canContinue() {
    return this.source === null && this.fileHandle !== null;
  }

  get active() {
    return BUSY.has(this.state);
  }

  /** @param {(task: Task) => void} fn  called at once and on changes @param {{signal?: AbortSignal, now?: boolean}} [options] @returns {() => void} */
  watch(fn, { signal, now = true } = {}) {
    if (signal?.aborted) return () => {};
    const own = () => fn(this);
    this.watchers.add(own);
    const stop = () => this.watchers.delete(own);
    signal?.addEventListener("abort", stop, { once: true });
    if (now) own();
    return stop;
  }

  // --- what a person does

  /** Stop sending. A part that would end within some seconds is finished; what others sent of themselves is sent again later. */
  pause() {
    if (!BUSY.has(this.state) || this.state === "completing") return;
    this.to("paused");
    if (this.sender) this.sender.close();
    else this.control?.abort();
  }

  /**
   * Go on after pause, cancel or a failure; where the upload is gone from the server, anew. With a stored handle the browser may ask for
   * permission: call it from a click.
   */
  async resume() {
    if (OVER.has(this.state) || this.active) return;
    if (!this.source && !(await this.reopen())) return;
    await this.running; // parts that a pause let end
    if (this.active || OVER.has(this.state)) return;
    if (this.problem?.code === "NoSuchUpload" && this.uploadId !== null) await this.beginAnew();
    this.start();
  }

  retry() {
    return this.resume();
  }

  /** Stop at once. What is stored stays on the server, and `resume` goes on with it. */
  cancel() {
    if (OVER.has(this.state)) return;
    this.to("cancelled");
    this.control?.abort();
  }

  /** Stop and free the parts on the server. Resolves when the server lists nothing; rejects with a Problem, and the task is then "failed". */
  async abort() {
    if (OVER.has(this.state)) return;
    this.to("cancelled");
    this.control?.abort();
    await this.running;
    if (OVER.has(this.state)) return; // it was complete before it could be stopped
    try {
      if (this.uploadId !== null) await abortUntilGone(this.world, this, this.uploadId);
    } catch (error) {
      this.to("failed", toProblem(error, "AbortMultipartUpload"));
      throw this.problem;
    }
    this.tally.restart();
    this.parts.fill(0);
    this.verified.clear();
    await this.world.store.forget(this.id);
    this.to("aborted");
  }

  /**
   * The file of a task in needs-file, or of any task that stands. Rejects with Problem kind "changed" when it is another file as far as
   * can be seen; when only its content tells, the task ends up in needs-file with that problem and nothing was sent.
   * @param {File} file @param {FileSystemFileHandle} [handle]
   */
  async provide(file, handle) {
    if (OVER.has(this.state) || this.active) return;
    await this.running;
    if (!this.sizeKnown) this.resize(file.size);
    if (file.size !== this.total) {
      const problem = otherFile(`the upload is of ${this.total} bytes, this file has ${file.size}`, { expected: this.total, size: file.size });
      this.to("needs-file", problem);
      throw problem;
    }
    this.takeFile(file, handle ?? null);
    await this.resume();
  }

  /** JSON-safe, as mossaic.Checkpoint and ali-oss read it; null before the upload has an id. */
  checkpoint() {
    return this.uploadId === null ? null : toCheckpoint(this, this.world.session.live.value?.endpoint ?? "");
  }

  // --- what the engine does

  start() {
    this.control = new AbortController();
    this.meter.reset();
    this.begunAt ??= Date.now();
    this.endedAt = null;
    this.to("waiting");
    const { signal } = this.control;
    this.running = this.go(signal).finally(() => {
      this.running = null;
    });
  }

  async go(signal) {
    let giveBack = null;
    try {
      giveBack = await this.world.turns.take(signal);
      const result = await run(this, signal);
      this.tally.starts(this.total);
      this.result = result;
      this.to("done");
      await this.world.store.forget(this.id);
    } catch (error) {
      if (isStopped(error) || this.state === "paused" || this.state === "cancelled") return;
      this.ended(toProblem(error, "upload"));
    } finally {
      giveBack?.();
    }
  }

  /** @param {Problem} problem */
  ended(problem) {
    if (problem.kind === "callback" && problem.status === 203) {
      // The object is there; only the receiver did not hear of it, or answered what OSS does not take.
      this.result = { etag: "", crc64: null, requestId: problem.requestId, versionId: null, callback: null };
      this.tally.starts(this.total);
      this.world.store.forget(this.id);
      this.to("done", problem);
    } else if (problem.code === "FileChanged" || problem.code === "OtherFile") {
      this.source = null;
      this.fileHandle = null;
      this.verified.clear();
      this.to("needs-file", problem);
    } else {
      this.to("failed", problem);
    }
  }

  /** @param {State} state @param {Problem|null} [problem] */
  to(state, problem = null) {
    // A step that ends after somebody stopped the task does not bring it back.
    if ((this.state === "paused" || this.state === "cancelled") && ["checking", "sending", "completing", "offline"].includes(state)) return;
    if (OVER.has(this.state)) return;
    const before = this.state;
    this.state = state;
    this.problem = problem;
    if (!BUSY.has(state)) this.endedAt = Date.now();
    this.world.moved(this, before);
    this.tell();
  }

  /** Something moved: watchers hear of it soon. */
  changed() {
    this.timer ??= setTimeout(() => this.tell(), TELL_MS);
  }

  tell() {
    clearTimeout(this.timer);
    this.timer = null;
    this.meter.sample(this.tally.moved);
    for (const fn of [...this.watchers]) fn();
  }

  /** @param {import("./plan.js").Piece[]} pieces */
  plan(pieces) {
    this.pieces = pieces;
    /** Per piece: 0 waiting, 1 sending, 2 stored, 3 trouble, 4 kept & proved. */
    this.parts = new Uint8Array(pieces.length);
    this.places = new Map(pieces.map((piece, at) => [piece.number, at]));
  }

  mark(piece, state) {
    this.parts[this.places.get(piece.number)] = state;
    this.changed();
  }

  /** A part is stored and proved against the file. */
  keep(piece, { etag, crc64 }, mark) {
    const part = { ...piece, etag, crc64 };
    this.verified.set(piece.number, part);
    this.mark(piece, mark);
    this.world.store.savePart(this.id, { ...part, crc64: crc64 === null ? null : String(crc64) });
  }

  forgetPart(piece) {
    this.verified.delete(piece.number);
    this.mark(piece, 3);
    this.world.store.dropParts(this.id, [piece.number]);
  }

  /** An upload of which only the id is known has the size of the first file that is given. */
  resize(size) {
    this.tally.total = size;
    this.sizeKnown = true;
    this.partSize = choosePartSize(this.options.partSize, size);
    this.plan(evenPieces(size, this.partSize));
  }

  takeFile(file, handle) {
    const same = file.name === this.file.name && file.lastModified === this.file.lastModified && this.layout !== "unknown";
    if (this.source !== file) this.verified.clear(); // proved against another File: to be proved again
    this.source = file;
    this.fileHandle = handle;
    if (this.uploadId !== null && !same) this.strict = this.layout === "unknown" && !this.known ? "some" : "all";
    this.file = { name: file.name, size: file.size, lastModified: file.lastModified, type: file.type || this.file.type };
  }

  /** The file again from its handle. */
  async reopen() {
    const file = this.fileHandle && (await openHandle(this.fileHandle));
    if (!file) {
      this.to("needs-file", this.problem);
      return false;
    }
    if (file.size !== this.total) {
      this.fileHandle = null;
      this.to("needs-file", otherFile(`the file has ${file.size} bytes now, not ${this.total}`));
      return false;
    }
    this.takeFile(file, this.fileHandle);
    return true;
  }

  async beginAnew() {
    this.uploadId = null;
    this.completing = null;
    this.layout = "even";
    this.known = null;
    this.strict = "";
    this.verified.clear();
    this.tally.restart();
    this.plan(evenPieces(this.total, this.partSize));
    await this.world.store.clearParts(this.id);
  }

  save() {
    return this.world.save(this);
  }
}

/** @returns {Promise<File|null>} null: not allowed, or gone */
async function openHandle(handle) {
  try {
    if (handle.queryPermission && (await handle.queryPermission({ mode: "read" })) !== "granted") {
      if ((await handle.requestPermission({ mode: "read" })) !== "granted") return null;
    }
    return await handle.getFile();
  } catch {
    return null;
  }
}
