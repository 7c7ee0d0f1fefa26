/** A download to a file that the person chose, in ranges: it can be paused, goes on after trouble, and is checked at the end. */

import { call } from "../../core/oss.js";
import { Problem, toProblem } from "../../core/problem.js";
import { live } from "../../ui/live.js";
import { Sums } from "../../upload/sums/pool.js";
import { headObject } from "../object/facts.js";
import { fileName } from "./keys.js";

const RANGE = 8 * 1024 ** 2; // bytes held in memory for each request under way
const AT_ONCE = 3;
let sums; // workers, made when the first file is checked

/** Whether the browser lets a page write to a file of the person's choice. */
export const canSave = () => typeof window.showSaveFilePicker === "function";

/**
 * @typedef {{state: "saving"|"paused"|"checking"|"done"|"failed"|"cancelled", received: number, total: number, speed: number, problem: any, proved: boolean}} Saving
 */

/** One download; `now` is a Live<Saving>. */
export class Save {
  #controller = new AbortController();
  #facts;
  #file;
  #next = 0;
  #open = []; // ranges that were begun and failed or were stopped
  #beats = [];

  constructor({ bucket, key, versionId, handle }) {
    Object.assign(this, { bucket, key, versionId, handle, name: handle.name });
    this.now = live({ state: "saving", received: 0, total: 0, speed: 0, problem: null, proved: false });
  }

  get value() {
    return this.now.value;
  }

  /** Runs until all is there, the person stops it, or it fails. */
  async start() {
    try {
      this.#facts = await headObject({ ...this, signal: undefined });
      this.#change({ total: this.#facts.size });
      this.#file = await this.handle.createWritable();
      await this.#run();
    } catch (error) {
      this.#change({ state: "failed", problem: toProblem(error), speed: 0 });
    }
  }

  pause() {
    if (this.value.state !== "saving") return;
    this.#change({ state: "paused", speed: 0 });
    this.#controller.abort();
  }

  /** Goes on after a pause or a failure; what is on the disk stays. */
  async resume() {
    if (!["paused", "failed"].includes(this.value.state)) return;
    this.#change({ state: "saving", problem: null });
    this.#controller = new AbortController();
    if (!this.#file) return this.start();
    return this.#run();
  }

  /** Stops and forgets: the chosen file keeps what it had before. */
  async cancel() {
    this.#change({ state: "cancelled", speed: 0 });
    this.#controller.abort();
    await this.#file?.abort().catch(() => {});
  }

  async #run() {
    const { signal } = this.#controller;
    try {
      await Promise.all(Array.from({ length: AT_ONCE }, () => this.#worker(signal)));
      if (signal.aborted) return;
      this.#change({ state: "checking", speed: 0 });
      await this.#file.close();
      this.#change({ state: "done", proved: await this.#prove() });
    } catch (error) {
      if (signal.aborted) return; // paused or cancelled, by the person
      this.#controller.abort();
      this.#change({ state: "failed", problem: toProblem(error), speed: 0 });
    }
  }

  async #worker(signal) {
    while (!signal.aborted) {
      const start = this.#open.pop() ?? this.#take();
      if (start === undefined) return;
      try {
        await this.#range(start, signal);
      } catch (error) {
        this.#open.push(start);
        throw error;
      }
    }
  }

  #take() {
    if (this.#next >= this.#facts.size) return undefined;
    const start = this.#next;
    this.#next += RANGE;
    return start;
  }

  async #range(start, signal) {
    const stop = Math.min(start + RANGE, this.#facts.size);
    const headers = { Range: `bytes=${start}-${stop - 1}`, "If-Match": `"${this.#facts.etag}"` };
    const query = this.versionId ? { versionId: this.versionId } : undefined;
    const params = { method: "GET", bucket: this.bucket, object: this.key, headers, query };
    const { data } = await call(params, { bucket: this.bucket, signal, responseType: "blob" });
    if (data.size !== stop - start) throw new Problem("network", `${data.size} bytes came instead of ${stop - start}`, { operation: "GetObject" });
    if (signal.aborted) throw signal.reason;
    await this.#file.write({ type: "write", position: start, data });
    this.#count(stop - start);
  }

  #count(bytes) {
    const at = performance.now();
    this.#beats = [...this.#beats.filter((beat) => at - beat.at < 5000), { at, bytes }];
    const [first] = this.#beats;
    const seconds = (at - first.at) / 1000;
    const sum = this.#beats.slice(1).reduce((total, beat) => total + beat.bytes, 0);
    this.#change({ received: this.value.received + bytes, speed: seconds > 0 ? sum / seconds : 0 });
  }

  /** Whether the file's checksum is the object's; false where the service tells none, or what is stored is packed. */
  async #prove() {
    const { size, crc64, stored } = this.#facts;
    const file = await this.handle.getFile();
    if (file.size !== size) throw new Problem("changed", `the file has ${file.size} bytes instead of ${size}`, { operation: "GetObject" });
    if (!crc64 || stored["Content-Encoding"]) return false;
    sums ??= new Sums();
    const found = String((await sums.of(file)).crc64);
    if (found !== crc64) throw new Problem("changed", `the file's CRC-64 is ${found} instead of ${crc64}`, { code: "ChecksumMismatch", operation: "GetObject" });
    return true;
  }

  #change(part) {
    if (this.value.state === "cancelled") return;
    this.now.set({ ...this.value, ...part });
  }
}

/** Downloads of this page, newest last. */
export const saves = live([]);

/**
 * Ask where to, then begin. Call it from a click. null when the person changed their mind.
 * @param {{bucket: string, key: string, versionId?: string}} what
 */
export async function saveAs({ bucket, key, versionId }) {
  let handle;
  try {
    handle = await window.showSaveFilePicker({ suggestedName: fileName(key) });
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
  const save = new Save({ bucket, key, versionId, handle });
  saves.update((all) => [...all, save]);
  save.start();
  return save;
}

/** Takes one that has ended off the list. */
export const forget = (save) => saves.update((all) => all.filter((each) => each !== save));
