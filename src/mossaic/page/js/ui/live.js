/** Values that tell when they change: the only kind of state the page has. */

/**
 * @template T
 * @typedef {object} Live
 * @property {T} value what it is now
 * @property {(next: T) => void} set  tells the watchers, except for the same primitive
 * @property {(fn: (value: T) => T) => void} update
 * @property {(fn: (value: T) => void, options?: {signal?: AbortSignal, now?: boolean}) => () => void} watch
 *   calls `fn` at every change (and at once unless `now` is false); answers a function that ends it
 */

const same = (a, b) => Object.is(a, b) && (typeof a !== "object" || a === null);

class Cell {
  #value;
  #watchers = new Set();

  constructor(value) {
    this.#value = value;
  }

  get value() {
    return this.#value;
  }

  set(next) {
    if (same(this.#value, next)) return;
    this.#value = next;
    for (const fn of [...this.#watchers]) if (this.#watchers.has(fn)) fn(next);
  }

  update(fn) {
    this.set(fn(this.#value));
  }

  watch(fn, { signal, now = true } = {}) {
    if (signal?.aborted) return () => {};
    const own = (value) => fn(value); // the same function may watch twice
    this.#watchers.add(own);
    const stop = () => this.#watchers.delete(own);
    signal?.addEventListener("abort", stop, { once: true });
    if (now) fn(this.#value);
    return stop;
  }

  get watched() {
    return this.#watchers.size > 0;
  }
}

/** Follows its sources only while somebody watches it, so that it needs no ending. */
class Derived {
  #fn;
  #sources;
  #cell = new Cell(undefined);
  #stops = [];

  constructor(fn, sources) {
    this.#fn = fn;
    this.#sources = sources;
  }

  get value() {
    return this.#cell.watched ? this.#cell.value : this.#compute();
  }

  #compute() {
    return this.#fn(...this.#sources.map((source) => source.value));
  }

  watch(fn, { signal, now = true } = {}) {
    if (signal?.aborted) return () => {};
    if (!this.#cell.watched) {
      this.#cell.set(this.#compute());
      const follow = () => this.#cell.set(this.#compute());
      this.#stops = this.#sources.map((source) => source.watch(follow, { now: false }));
    }
    const unwatch = this.#cell.watch(fn, { now });
    const stop = () => {
      unwatch();
      if (!this.#cell.watched) for (const end of this.#stops.splice(0)) end();
    };
    signal?.addEventListener("abort", stop, { once: true });
    return stop;
  }
}

/**
 * @template T
 * @param {T} initial
 * @returns {Live<T>}
 */
export const live = (initial) => new Cell(initial);

/**
 * A value computed from others.
 * @param {(...values: any[]) => any} fn
 * @param {...Live<any>} sources
 * @returns {Live<any>}  without `set` and `update`
 */
export const derived = (fn, ...sources) => new Derived(fn, sources);

/** @param {any} value */
export const isLive = (value) => value !== null && typeof value === "object" && typeof value.watch === "function" && !(value instanceof Node);
