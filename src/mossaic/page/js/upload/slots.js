// How many may do something at once; who comes first is served first.

import { stopped } from "./stop.js";

export class Slots {
  /** @param {number} count */
  constructor(count) {
    this.count = count;
    this.taken = 0;
    this.waiting = [];
  }

  /** Resolves with a function that gives the slot back. Rejects when `signal` is aborted. */
  take(signal) {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(stopped());
      const leave = () => {
        this.waiting = this.waiting.filter((other) => other !== enter);
        reject(stopped());
      };
      const enter = () => {
        signal?.removeEventListener("abort", leave);
        this.taken += 1;
        let given = false;
        resolve(() => {
          if (given) return;
          given = true;
          this.taken -= 1;
          this.serve();
        });
      };
      signal?.addEventListener("abort", leave, { once: true });
      this.waiting.push(enter);
      this.serve();
    });
  }

  /** @param {number} count */
  resize(count) {
    this.count = count;
    this.serve();
  }

  serve() {
    while (this.waiting.length && this.taken < this.count) this.waiting.shift()();
  }
}
