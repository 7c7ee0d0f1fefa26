// The unfinished uploads of a bucket, kept up to date: who began them, what is stored of each.

import { api } from "../../core/api.js";
import { listParts, listUploads } from "../../core/oss.js";
import { live } from "../../ui/live.js";

const EVERY_MS = 4000;
const PAGE = 1000;
/** Uploads whose parts are asked for by themselves; of more, only those that are shown in the table's first rows. */
const COUNTED = 200;
const AT_ONCE = 3;
/** Rows whose parts changed lately are asked each time, the others each so many rounds. */
const QUIET_ROUNDS = 8;

/**
 * @typedef {object} Part
 * @property {number} number
 * @property {number} size
 * @property {string} etag
 * @property {string} crc64
 * @property {string} lastModified
 *
 * @typedef {object} Row
 * @property {string} key
 * @property {string} uploadId
 * @property {Date} initiated
 * @property {string} storageClass
 * @property {string} owner  an ARN, "" when it is not known
 * @property {Part[]|null} parts  null: not asked yet
 * @property {number} bytes
 * @property {import("../../core/problem.js").Problem|null} problem  why the parts could not be listed
 */

export class Listing {
  /** @type {import("../../ui/live.js").Live<Row[]>} */
  rows = live([]);
  /** @type {import("../../ui/live.js").Live<{loading: boolean, at: Date|null, problem: any, more: boolean}>} */
  state = live({ loading: true, at: null, problem: null, more: false });
  #known = new Map();
  #prefix = "";
  #round = 0;
  #run = null;
  #timer = 0;

  /** @param {{bucket: string, signal: AbortSignal}} where  `signal` ends it */
  constructor({ bucket, signal }) {
    this.bucket = bucket;
    this.signal = signal;
    signal.addEventListener("abort", () => clearTimeout(this.#timer), { once: true });
    document.addEventListener("visibilitychange", () => document.hidden || this.refresh(), { signal });
  }

  /** Only keys that begin so. */
  filter(prefix) {
    this.#prefix = prefix;
    return this.refresh();
  }

  /** Asks anew; a call while one is running waits for that and asks once more. */
  async refresh() {
    clearTimeout(this.#timer);
    const before = this.#run;
    const run = (async () => {
      await before;
      await this.#ask();
    })();
    this.#run = run;
    await run;
    if (this.#run !== run || this.signal.aborted) return;
    this.#run = null;
    this.#timer = setTimeout(() => document.hidden || this.refresh(), EVERY_MS);
  }

  async #ask() {
    if (this.signal.aborted) return;
    const prefix = this.#prefix;
    this.#round += 1;
    try {
      const [{ uploads, next }, owners] = await Promise.all([
        listUploads({ bucket: this.bucket, prefix, limit: PAGE, signal: this.signal }),
        this.#owners(prefix),
      ]);
      if (prefix !== this.#prefix || this.signal.aborted) return;
      this.#take(uploads, owners);
      this.state.set({ loading: false, at: new Date(), problem: null, more: next !== null });
      await this.#count();
    } catch (problem) {
      if (!this.signal.aborted) this.state.update((now) => ({ ...now, loading: false, problem }));
    }
  }

  /** Not every service tells, and who may list uploads need not be told: the list then has no names. */
  async #owners(prefix) {
    try {
      const { uploads } = await api.get("uploads", { bucket: this.bucket, prefix, "max-uploads": PAGE }, { signal: this.signal });
      return new Map(uploads.map((each) => [each.upload_id, each.initiator]));
    } catch {
      return new Map();
    }
  }

  #take(uploads, owners) {
    const rows = uploads.map(({ key, uploadId, initiated, storageClass }) => {
      const known = this.#known.get(uploadId);
      return known ?? { key, uploadId, initiated: new Date(initiated), storageClass, owner: owners.get(uploadId) ?? "", parts: null, bytes: 0, problem: null, quiet: 0, asked: 0 };
    });
    this.#known = new Map(rows.map((row) => [row.uploadId, row]));
    this.rows.set(rows);
  }

  /** One pass over the rows whose parts are due. */
  async #count() {
    const due = this.rows.value.slice(0, COUNTED).filter((row) => row.parts === null || row.quiet < 2 || this.#round - row.asked >= QUIET_ROUNDS);
    const queue = due.values();
    const work = async () => {
      for (const row of queue) {
        if (this.signal.aborted) return;
        await this.#countOne(row);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (!this.signal.aborted) this.rows.set([...this.rows.value]);
  }

  async #countOne(row) {
    const asked = this.#round;
    try {
      const parts = await this.parts(row);
      const bytes = parts.reduce((sum, part) => sum + part.size, 0);
      const same = row.parts !== null && row.parts.length === parts.length && row.bytes === bytes;
      this.#replace(row, { parts, bytes, problem: null, asked, quiet: same ? row.quiet + 1 : 0 });
    } catch (problem) {
      // Gone in between: the next listing no longer has it.
      if (problem.kind !== "missing") this.#replace(row, { problem, asked, parts: row.parts ?? [] });
    }
  }

  /** All the parts of one, asked now. @param {{key: string, uploadId: string}} row @returns {Promise<Part[]>} */
  parts({ key, uploadId }) {
    return listParts({ bucket: this.bucket, key, uploadId, signal: this.signal });
  }

  /** Rows are replaced, not changed: the table draws those anew that are other objects. */
  #replace(row, changes) {
    const unchanged = changes.quiet > 0 && !row.problem;
    if (unchanged) {
      row.asked = changes.asked;
      row.quiet = changes.quiet;
      return;
    }
    const next = { ...row, ...changes };
    this.#known.set(row.uploadId, next);
    this.rows.set(this.rows.value.map((each) => (each.uploadId === row.uploadId ? next : each)));
  }

  /** Every upload of the bucket with this prefix, page by page; for what is done to many. */
  async *all(prefix) {
    let marker = {};
    while (marker) {
      const { uploads, next } = await listUploads({ bucket: this.bucket, prefix, ...marker, signal: this.signal });
      yield* uploads.map((each) => ({ ...each, initiated: new Date(each.initiated), known: this.#known.get(each.uploadId) ?? null }));
      marker = next;
    }
  }
}
