// All uploads of this page: what is going on, what was left by an earlier visit, and the limits they share. No DOM in here.

import { toProblem, Problem } from "../core/problem.js";
import { live } from "../ui/live.js";
import { Awake } from "./awake.js";
import { readCheckpoint } from "./checkpoint.js";
import { otherFile } from "./kept.js";
import { Line } from "./line.js";
import { Locks } from "./locks.js";
import { Pace } from "./pace.js";
import { recordOf, restored } from "./record.js";
import { Slots } from "./slots.js";
import { Store } from "./store.js";
import { Sums } from "./sums/pool.js";
import { Task } from "./task.js";
import { Wire } from "./wire.js";

const JOBS = 3;
const PARTS_AT_ONCE = 5; // a browser opens six connections to a host over HTTP/1.1; one is left for everything else
const OVERALL_MS = 250;

/**
 * @typedef {object} Item  A file to be sent.
 * @property {File} file
 * @property {string} key  the object key
 * @property {FileSystemFileHandle} [handle]  kept in IndexedDB, so that a later visit can go on without picking the file again
 *
 * @typedef {object} UploadOptions
 * @property {"auto"|number} [partSize]  bytes; "auto": 8 MiB, more where a file would have over 2,000 parts
 * @property {number} [parallel]  parts at once, 4
 * @property {Record<string, string>} [headers]  Cache-Control, Content-Disposition, Content-Encoding, Expires, x-oss-…
 * @property {string} [storageClass]  Standard, IA, Archive…
 * @property {Record<string, string>} [tags]
 * @property {Record<string, string>} [meta]  without the prefix x-oss-meta-
 * @property {string} [mime]  default: the file's type
 * @property {boolean} [forbidOverwrite]
 * @property {"replace"|"refuse"|"rename"|"skip"} [conflict]  where the key is taken: "refuse" is forbidOverwrite; "rename": name (1).txt …;
 *     "skip": done at once when the object has this very content (`result.skipped`), else replaced
 * @property {{url: string, host?: string, body: string, contentType?: string, customValue?: Record<string, string>}} [callback]
 * @property {string} [acl]  private, public-read…
 * @property {boolean|"md5"} [verify]  true: CRC-64 of every part and of the object (MD5 where the server tells no CRC); "md5": both of every part
 *
 * @typedef {object} Overall
 * @property {number} sent  bytes of all tasks but those that were cancelled or aborted
 * @property {number} total
 * @property {number} speed  bytes a second, 0 while nothing moves
 * @property {number|null} eta  seconds; null: not known yet
 * @property {number} active  checking, sending, completing or offline
 * @property {number} waiting
 * @property {number} done
 * @property {number} failed
 */

export class Uploads {
  /** @param {{oss: object, session: object, storeName?: string}} world  oss: module namespace of core/oss.js */
  constructor({ oss, session, storeName = "mossaic" }) {
    const pace = new Pace();
    const store = new Store(storeName);
    const wire = new Wire(oss);
    /** @type {import("../ui/live.js").Live<Task[]>} in the order they were added */
    this.tasks = live([]);
    /** @type {import("../ui/live.js").Live<Overall>} */
    this.overall = live(this.sum());
    /** @type {import("../ui/live.js").Live<number>} bytes a second over all tasks, 0: no limit; counts from the next part */
    this.bandwidth = pace.rate;
    /** @type {import("../ui/live.js").Live<number>} files at once */
    this.jobs = live(JOBS);
    this.awake = new Awake();
    this.timer = null;
    this.world = {
      session,
      store,
      wire,
      pace,
      sums: new Sums(),
      slots: new Slots(PARTS_AT_ONCE),
      turns: new Slots(JOBS),
      locks: new Locks(store),
      line: new Line(() => this.probe()),
      who: () => this.who(),
      moved: (task, before) => this.moved(task, before),
      save: (task) => store.save(recordOf(task, this.who())),
    };
    this.jobs.watch((jobs) => this.world.turns.resize(Math.max(1, jobs)), { now: false });
    this.world.line.down.watch((down) => this.lineIs(down), { now: false });
    session.live.watch((state) => state && this.refreshed(), { now: false });
  }

  /**
   * @param {Item[]} items
   * @param {{bucket: string, options?: UploadOptions}} where
   * @returns {Task[]}
   */
  add(items, { bucket, options = {} }) {
    const tasks = items.map(({ file, key, handle }) => {
      const { name, size, lastModified, type } = file;
      return new Task(this.world, { id: newId(), bucket, key, file: { name, size, lastModified, type }, options, source: file, handle: handle ?? null });
    });
    this.list([...this.tasks.value, ...tasks]);
    for (const task of tasks) {
      if (task.handle) task.save();
      task.start();
    }
    return tasks;
  }

  /**
   * What earlier visits of this page left unfinished, of this endpoint and this principal: "paused" where a handle leads to the file,
   * else "needs-file". What another tab lists is left to it.
   * @returns {Promise<Task[]>}
   */
  async restore() {
    const { endpoint, principal } = this.who();
    const records = await this.world.store.records();
    const known = new Set(this.tasks.value.map((task) => task.id));
    const mine = records.filter((record) => record.endpoint === endpoint && record.principal === principal && !known.has(record.id));
    const owners = [...new Set(mine.map(({ owner }) => owner))];
    const here = new Map(await Promise.all(owners.map(async (owner) => [owner, await this.world.locks.isHere(owner)])));
    const left = mine.filter(({ owner }) => !here.get(owner));
    const tasks = await Promise.all(left.map(async (record) => restored(this.world, record, await this.world.store.partsOf(record.id))));
    const fresh = tasks.filter((task) => !this.tasks.value.some(({ id }) => id === task.id));
    fresh.sort((a, b) => a.createdAt - b.createdAt);
    this.list([...this.tasks.value, ...fresh]);
    for (const task of fresh) task.save(); // now it is this tab's
    return fresh;
  }

  /**
   * Go on with an upload that somebody else began: the CLI, the SDK, ali-oss, another browser. Stored parts are proved against `file`;
   * without it the task waits in needs-file.
   * @param {{bucket: string, key: string, uploadId: string, file?: File, handle?: FileSystemFileHandle, checkpoint?: string|object, options?: UploadOptions}} found
   * @returns {Task}  throws Problem kind "changed" for a file of another size than the checkpoint's, "invalid" for no checkpoint
   */
  adopt({ bucket, key, uploadId, file, handle, checkpoint, options = {} }) {
    const facts = checkpoint ? readCheckpoint(checkpoint) : null;
    if (facts && file && facts.size !== file.size) throw otherFile(`the checkpoint is for ${facts.size} bytes, the file has ${file.size}`);
    const running = this.tasks.value.find((task) => task.uploadId === uploadId && task.bucket === bucket && task.state !== "aborted" && task.state !== "done");
    if (running) {
      if (file) running.provide(file, handle).catch(() => {}); // its problem is told in its state
      return running;
    }
    const task = this.stranger({ bucket, key, uploadId, facts, options, fileName: facts?.fileName || file?.name || key.split("/").at(-1), size: facts?.size ?? file?.size ?? 0 });
    this.list([...this.tasks.value, task]);
    if (file) task.provide(file, handle).catch(() => {});
    return task;
  }

  /**
   * The task of a checkpoint (text or object) as ali-oss, the SDK or `mossaic uploads export` writes it.
   * @param {string|object} json @param {{bucket?: string, file?: File, handle?: FileSystemFileHandle}} [more]  bucket: where the checkpoint tells none
   * @returns {Task}  throws Problem kind "invalid"
   */
  fromCheckpoint(json, { bucket, file, handle, options } = {}) {
    const facts = readCheckpoint(json);
    const place = facts.bucket || bucket;
    if (!place) throw new Problem("invalid", "the checkpoint names no bucket", { code: "NotACheckpoint", operation: "checkpoint", retryable: false });
    return this.adopt({ bucket: place, key: facts.key, uploadId: facts.uploadId, file, handle, checkpoint: json, options });
  }

  stranger({ bucket, key, uploadId, facts, options, fileName, size }) {
    const task = new Task(this.world, { id: newId(), bucket, key, file: { name: fileName, size, lastModified: 0, type: "" }, options });
    task.uploadId = uploadId;
    task.layout = "unknown";
    task.state = "needs-file";
    task.sizeKnown = facts !== null || size > 0;
    if (facts) {
      task.partSize = facts.partSize;
      task.known = facts.known;
    }
    return task;
  }

  pauseAll() {
    for (const task of this.tasks.value) task.pause();
  }

  /** Those that were paused. With handles the browser may ask for permission: call it from a click. */
  resumeAll() {
    return Promise.all(this.tasks.value.filter((task) => task.state === "paused").map((task) => task.resume()));
  }

  /** Take finished and aborted tasks off the list. */
  clearDone() {
    this.list(this.tasks.value.filter((task) => task.state !== "done" && task.state !== "aborted"));
  }

  /** Take a task off the list and forget it; what it stored stays on the server until somebody aborts it there. */
  async remove(task) {
    task.cancel();
    this.list(this.tasks.value.filter((other) => other !== task));
    await task.running;
    await this.world.store.forget(task.id);
  }

  // --- inside

  who() {
    const state = this.world.session.live.value;
    return { endpoint: state?.endpoint ?? "", principal: state?.principal?.arn ?? "" };
  }

  list(tasks) {
    this.tasks.set(tasks);
    this.soon();
  }

  moved(task, before) {
    if (before !== task.state) this.awake.want(this.tasks.value.some((one) => one.active));
    // One that begins while nothing can be reached: the line has no news for it.
    if (before !== task.state && this.world.line.down.value) this.lineIs(true);
    this.soon();
  }

  /** Sums at most four times a second, and goes on while something moves. */
  soon() {
    this.timer ??= setTimeout(() => {
      this.timer = null;
      const overall = this.sum();
      this.overall.set(overall);
      if (overall.active) this.soon();
    }, OVERALL_MS);
  }

  /** @returns {Overall} */
  sum() {
    const overall = { sent: 0, total: 0, speed: 0, eta: null, active: 0, waiting: 0, done: 0, failed: 0 };
    let left = 0;
    for (const task of this.tasks?.value ?? []) {
      if (task.state === "aborted" || task.state === "cancelled") continue;
      task.meter.sample(task.tally.moved);
      overall.sent += task.sent;
      overall.total += task.total;
      overall.speed += task.speed;
      overall.active += Number(task.active && task.state !== "waiting");
      overall.waiting += Number(task.state === "waiting");
      overall.done += Number(task.state === "done");
      overall.failed += Number(task.state === "failed");
      if (task.active) left += task.total - task.tally.now;
    }
    const sure = (this.tasks?.value ?? []).some((task) => task.eta !== null);
    if (sure && overall.speed > 0) overall.eta = left / overall.speed;
    return overall;
  }

  async probe() {
    const task = this.tasks.value.find((one) => one.active);
    return task ? this.world.wire.reaches(task) : true;
  }

  lineIs(down) {
    for (const task of this.tasks.value) {
      if (down && ["checking", "sending", "completing"].includes(task.state)) {
        task.before = task.state;
        task.to("offline");
      } else if (!down && task.state === "offline") {
        task.to(task.before ?? "sending");
      }
    }
  }

  /** New credentials: what ended for want of them goes on, unless they are somebody else's. */
  refreshed() {
    const { principal } = this.who();
    for (const task of this.tasks.value) {
      if (task.state === "failed" && task.problem?.kind === "expired" && task.principal === principal) task.resume().catch((error) => task.ended(toProblem(error)));
    }
  }
}

function newId() {
  const random = crypto.getRandomValues(new Uint32Array(3));
  return Array.from(random, (word) => word.toString(36)).join("");
}
