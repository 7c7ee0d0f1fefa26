// One tab at a time may run an upload. Web Locks say who; plain http has none, there tabs ask each other and write heartbeats.

const FRESH_MS = 90_000; // a hidden tab's timers may run once a minute
const BEAT_MS = 20_000;
const ASK_MS = 400;

export class Locks {
  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.owner = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    this.held = new Map(); // name -> timer of its heartbeat
    this.native = navigator.locks ?? null;
    if (!this.native) this.listen();
    this.stay(`mossaic-tab:${this.owner}`);
  }

  /** Held as long as this page lives, so that other tabs see which tasks are somebody's. */
  stay(name) {
    if (this.native) this.takeNative(name).catch(() => {}); // a document without an origin may not
    else this.held.set(name, null);
  }

  /** Whether the tab that calls itself `owner` is there. @param {string|undefined} owner */
  async isHere(owner) {
    if (!owner || owner === this.owner) return false;
    const name = `mossaic-tab:${owner}`;
    if (!this.native) return this.isHeld(name);
    const letGo = await this.takeNative(name);
    letGo?.();
    return letGo === null;
  }

  /** @param {string} name @returns {Promise<null|(() => void)>} a function that lets go; null when another tab has it */
  take(name) {
    const full = `mossaic-upload:${name}`;
    return this.native ? this.takeNative(full) : this.takeByBeat(full);
  }

  takeNative(name) {
    return new Promise((resolve, reject) => {
      const hold = (lock) => {
        if (!lock) return resolve(null);
        return new Promise((release) => resolve(release));
      };
      this.native.request(name, { ifAvailable: true }, hold).catch(reject);
    });
  }

  // --- without Web Locks

  listen() {
    this.channel = new BroadcastChannel("mossaic-upload-locks");
    this.channel.addEventListener("message", ({ data }) => {
      if (data.ask && this.held.has(data.ask)) this.channel.postMessage({ mine: data.ask });
    });
  }

  async takeByBeat(name) {
    if (this.held.has(name) || (await this.isHeld(name))) return null;
    const owner = await this.store.beat(name, this.owner, FRESH_MS);
    // A heartbeat whose tab does not answer is what a crash or a reload left.
    if (owner !== undefined && owner !== this.owner) await this.store.beat(name, this.owner, 0);
    const timer = setInterval(() => this.store.beat(name, this.owner, 0), BEAT_MS);
    this.held.set(name, timer);
    return () => {
      clearInterval(timer);
      this.held.delete(name);
      this.store.quiet(name);
    };
  }

  isHeld(name) {
    return new Promise((resolve) => {
      const heard = ({ data }) => data.mine === name && settle(true);
      const timer = setTimeout(() => settle(false), ASK_MS);
      const settle = (held) => {
        clearTimeout(timer);
        this.channel.removeEventListener("message", heard);
        resolve(held);
      };
      this.channel.addEventListener("message", heard);
      this.channel.postMessage({ ask: name });
    });
  }
}
