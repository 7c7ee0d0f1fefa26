// Whether the service can be reached. When a request fails on the way, one prober asks for all tasks, at once and then ever more rarely,
// and at once again when the browser says that the network is back or somebody looks at the page.

import { live } from "../ui/live.js";
import { stopped } from "./stop.js";

const FIRST_MS = 500;
const MOST_MS = 15_000;

export class Line {
  /** @param {() => Promise<boolean>} probe  whether the service answers anything; never rejects */
  constructor(probe) {
    this.probe = probe;
    this.down = live(false); // after a probe failed, not after the first failure
    this.waiting = [];
    this.timer = null;
    this.asking = false;
    this.delay = FIRST_MS;
    const now = () => (this.waiting.length || this.down.value) && this.ask();
    globalThis.addEventListener?.("online", now);
    globalThis.addEventListener?.("offline", () => this.ask()); // what is in flight may hang for long before it fails
    globalThis.document?.addEventListener("visibilitychange", () => globalThis.document.visibilityState === "visible" && now());
  }

  /** Resolves when the service answers: true when it did not at first. Call it after a failure on the way. @returns {Promise<boolean>} */
  up(signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(stopped());
      const entry = { resolve };
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other !== entry);
        reject(stopped());
      };
      signal?.addEventListener("abort", leave, { once: true });
      entry.settle = (wasDown) => {
        signal?.removeEventListener("abort", leave);
        resolve(wasDown);
      };
      this.waiting.push(entry);
      if (!this.timer) this.ask();
    });
  }

  /** Something was answered. */
  good() {
    clearTimeout(this.timer);
    this.timer = null;
    const wasDown = this.down.value;
    this.delay = FIRST_MS;
    this.down.set(false);
    for (const entry of this.waiting.splice(0)) entry.settle(wasDown);
  }

  async ask() {
    if (this.asking) return;
    this.asking = true;
    clearTimeout(this.timer);
    this.timer = null;
    const reached = navigator.onLine !== false && (await this.probe());
    this.asking = false;
    if (reached) {
      this.good();
      return;
    }
    this.down.set(true);
    this.timer = setTimeout(() => this.ask(), this.delay);
    this.delay = Math.min(MOST_MS, this.delay * 2);
  }
}
