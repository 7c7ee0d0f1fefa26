// What a task has sent: exact, and never going back. Bytes of a part that failed stay counted until the next try has sent as many.

export class Tally {
  /** @param {number} total */
  constructor(total) {
    this.total = total;
    this.stored = 0; // bytes of parts that the server confirmed
    this.moved = 0; // bytes that went out, repeats included: what speed is measured by
    this.shown = 0;
    this.flying = new Map(); // part number -> bytes of the present try
  }

  /** @param {number} number @param {number} bytes  of this try so far */
  flies(number, bytes) {
    const before = this.flying.get(number) ?? 0;
    if (bytes > before) this.moved += bytes - before;
    this.flying.set(number, bytes);
    this.show();
  }

  fell(number) {
    this.flying.delete(number);
  }

  landed(number, size) {
    this.flies(number, size);
    this.flying.delete(number);
    this.stored += size;
    this.show();
  }

  /** A part that was taken for stored is not what it should be. */
  lost(size) {
    this.stored -= size;
  }

  /** What is stored according to the server, before anything is sent. `shown` does not follow it down. */
  starts(stored) {
    this.stored = stored;
    this.flying.clear();
    this.show();
  }

  /** Nothing is stored any more: the upload begins anew, which is the one time that progress goes back. */
  restart() {
    this.starts(0);
    this.shown = 0;
  }

  get now() {
    let flying = 0;
    for (const bytes of this.flying.values()) flying += bytes;
    return Math.min(this.total, this.stored + flying);
  }

  show() {
    this.shown = Math.max(this.shown, this.now);
  }
}
