// Speed and time left, calm enough to be read: an average over some ten seconds that weighs what is recent more.

const EVERY_MS = 500;
const MEMORY_S = 8; // a sample of this age counts 1/e
const SURE_S = 2; // before that no time left is told

export class Meter {
  /** @param {() => number} clock  milliseconds, monotonic */
  constructor(clock = () => performance.now()) {
    this.clock = clock;
    this.reset();
  }

  reset() {
    this.at = null;
    this.bytes = 0;
    this.seconds = 0;
    this.amount = 0;
  }

  /** @param {number} moved  all bytes so far; call it as often as you like */
  sample(moved) {
    const now = this.clock();
    if (this.at === null) {
      this.at = now;
      this.bytes = moved;
      return;
    }
    const passed = now - this.at;
    if (passed < EVERY_MS) return;
    const keep = Math.exp(-passed / 1000 / MEMORY_S);
    this.amount = this.amount * keep + (moved - this.bytes);
    this.seconds = this.seconds * keep + passed / 1000;
    this.at = now;
    this.bytes = moved;
  }

  /** Bytes a second. */
  get speed() {
    return this.seconds ? this.amount / this.seconds : 0;
  }

  /** Seconds for so many bytes; null while nobody can know. @param {number} left */
  eta(left) {
    return this.seconds >= SURE_S && this.speed > 0 ? left / this.speed : null;
  }
}
