// The bandwidth limit over all tasks. A browser sends a Blob as fast as it can, so that what is paced is when a part begins: each takes its
// bytes from one bucket, which may go below zero and then has to fill again. The average is the limit; within a part, OSS itself holds the
// line where the limit fits its bounds (x-oss-traffic-limit). A new limit counts from the next part.

import { live } from "../ui/live.js";
import { stopped } from "./stop.js";

const BURST_S = 1;
const LEAST = 819_200; // bit/s (OSS API: single-connection bandwidth throttling)
const MOST = 838_860_800;

export class Pace {
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.rate = live(0); // bytes a second, 0: none
    this.level = 0;
    this.at = clock();
    this.waiting = []; // in order; the first one waits for the bucket
    this.timer = null;
    this.rate.watch(() => this.changed(), { now: false });
  }

  changed() {
    this.level = Math.min(0, this.level);
    if (!this.rate.value) this.level = 0;
    this.at = this.clock();
    this.serve();
  }

  /** Resolves when a part of so many bytes may begin. Rejects when `signal` is aborted. */
  take(bytes, signal) {
    if (!this.rate.value && !this.waiting.length) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const entry = { bytes, resolve };
      entry.leave = () => {
        this.waiting = this.waiting.filter((other) => other !== entry);
        reject(stopped());
      };
      entry.settle = () => {
        signal?.removeEventListener("abort", entry.leave);
        resolve();
      };
      if (signal?.aborted) return reject(stopped());
      signal?.addEventListener("abort", entry.leave, { once: true });
      this.waiting.push(entry);
      this.serve();
    });
  }

  /** Bytes that were taken and not sent. */
  back(bytes) {
    if (!this.rate.value) return;
    this.level += bytes;
    this.serve();
  }

  fill() {
    const now = this.clock();
    const rate = this.rate.value;
    this.level = Math.min(rate * BURST_S, this.level + ((now - this.at) / 1000) * rate);
    this.at = now;
  }

  serve() {
    clearTimeout(this.timer);
    this.timer = null;
    const rate = this.rate.value;
    if (rate) this.fill();
    while (this.waiting.length && (!rate || this.level >= 0)) {
      const entry = this.waiting.shift();
      if (rate) this.level -= entry.bytes;
      entry.settle();
    }
    if (this.waiting.length) this.timer = setTimeout(() => this.serve(), Math.max(10, (-this.level / rate) * 1000));
  }

  /** x-oss-traffic-limit for each of so many parts at once: bits a second, or null where there is no limit or none that OSS takes. */
  header(parts) {
    const bits = Math.floor((this.rate.value * 8) / Math.max(1, parts));
    if (!bits || bits > MOST) return null;
    return String(Math.max(LEAST, bits));
  }
}
