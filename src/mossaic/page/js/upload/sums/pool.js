// Checksums of Blobs, computed by a few workers. A Blob crosses to a worker as a reference; its bytes do not.

import { stopped } from "../stop.js";

const MOST_WORKERS = 4;

/**
 * @typedef {{crc64: bigint, md5: string|null, raw: Uint8Array|null}} Sum  md5: upper-case hex, raw: its 16 bytes; null unless asked for
 */

export class Sums {
  constructor() {
    const cores = navigator.hardwareConcurrency || 2;
    this.most = Math.max(1, Math.min(MOST_WORKERS, cores - 1));
    this.workers = []; // {worker, job}
    this.queue = [];
    this.next = 1;
  }

  /**
   * @param {Blob} blob @param {{md5?: boolean, signal?: AbortSignal}} [options]
   * @returns {Promise<Sum>}  rejects with NotReadableError or NotFoundError when the file changed on the disk or is gone
   */
  of(blob, { md5 = false, signal } = {}) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(stopped());
      const job = { id: this.next, blob, md5, resolve, reject, place: null };
      this.next += 1;
      const leave = () => this.drop(job);
      signal?.addEventListener("abort", leave, { once: true });
      job.clean = () => signal?.removeEventListener("abort", leave);
      this.queue.push(job);
      this.serve();
    });
  }

  drop(job) {
    this.queue = this.queue.filter((other) => other !== job);
    job.place?.worker.postMessage({ id: job.id, drop: true }); // it still answers, and is free then
    job.reject(stopped());
  }

  serve() {
    while (this.queue.length) {
      const place = this.workers.find((one) => !one.job) ?? this.hire();
      if (!place) return;
      const job = this.queue.shift();
      place.job = job;
      job.place = place;
      place.worker.postMessage({ id: job.id, blob: job.blob, md5: job.md5 });
    }
  }

  hire() {
    if (this.workers.length >= this.most) return null;
    const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    const place = { worker, job: null };
    worker.addEventListener("message", ({ data }) => this.answered(place, data));
    worker.addEventListener("error", (event) => this.broke(place, event));
    this.workers.push(place);
    return place;
  }

  answered(place, { error, ...sum }) {
    const job = place.job;
    place.job = null;
    job.place = null;
    job.clean();
    if (error) job.reject(new DOMException(error.message, error.name));
    else job.resolve(sum);
    this.serve();
  }

  broke(place, event) {
    const job = place.job;
    this.workers = this.workers.filter((one) => one !== place);
    place.worker.terminate();
    job?.clean();
    job?.reject(new Error(`the checksum worker failed: ${event.message || "it could not be loaded"}`));
    this.serve();
  }
}
