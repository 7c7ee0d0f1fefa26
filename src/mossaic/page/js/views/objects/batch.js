/** Work on many objects with an account of each: what was done, what was left, what failed and why. */

import { live } from "../../ui/live.js";
import { toProblem } from "../../core/problem.js";

const KEPT_FAILURES = 1000; // more are counted, not named
const KEPT_DONE = 1000;
// After these, trying the next object would only fail again.
const STOPS = new Set(["offline", "network", "expired", "signature", "clock", "aborted"]);

/**
 * @typedef {{done: number, bytes: number, skipped: number, failed: number, total: number|null, current: string,
 *   running: boolean, stopped: any}} Counts
 */

/** The account of a run; `counts` is a Live<Counts>, the lists hold at most a thousand names each. */
export class Account {
  constructor(total = null) {
    this.counts = live({ done: 0, bytes: 0, skipped: 0, failed: 0, total, current: "", running: true, stopped: null });
    this.failures = [];
    this.finished = [];
    this.left = [];
    this.notes = new Set();
  }

  get value() {
    return this.counts.value;
  }

  starts(key) {
    this.#change({ current: key });
  }

  done(key, bytes = 0) {
    if (this.finished.length < KEPT_DONE) this.finished.push(key);
    this.#change({ done: this.value.done + 1, bytes: this.value.bytes + bytes });
  }

  skips(key) {
    if (this.left.length < KEPT_DONE) this.left.push(key);
    this.#change({ skipped: this.value.skipped + 1 });
  }

  fails(key, problem) {
    if (this.failures.length < KEPT_FAILURES) this.failures.push({ key, problem });
    this.#change({ failed: this.value.failed + 1 });
  }

  stops(problem) {
    if (!this.value.stopped) this.#change({ stopped: problem });
  }

  ends() {
    this.#change({ running: false, current: "" });
  }

  #change(part) {
    this.counts.set({ ...this.value, ...part });
  }
}

/**
 * Do `work` for each item of an iterable, some at a time, and close the account. A failure is entered and the next item
 * begun; a failure that every other item would meet too ends the run.
 * @param {AsyncIterable<any>|Iterable<any>} items
 * @param {(item: any) => Promise<{skipped?: boolean, bytes?: number}|void>} work
 * @param {{account: Account, parallel?: number, signal?: AbortSignal}} how
 */
export async function each(items, work, how) {
  try {
    await some(items, work, how);
  } finally {
    how.account.ends();
  }
}

/** As `each`, for a part of what the account is about: it stays open. */
export async function some(items, work, { account, parallel = 4, signal }) {
  const source = items[Symbol.asyncIterator]?.() ?? items[Symbol.iterator]();
  const halted = () => signal?.aborted || account.value.stopped;
  const worker = async () => {
    while (!halted()) {
      const { value, done } = await source.next();
      if (done || halted()) return;
      await one(value, work, account);
    }
  };
  try {
    await Promise.all(Array.from({ length: parallel }, worker));
    if (signal?.aborted) account.stops(stopped());
  } catch (error) {
    account.stops(toProblem(error)); // the listing itself failed: nobody knows what else there is
  } finally {
    await source.return?.();
  }
}

/** The problem of a run that its person has stopped. */
export const stopped = () => toProblem(new DOMException("stopped", "AbortError"));

async function one(item, work, account) {
  account.starts(item.key);
  try {
    const result = (await work(item)) ?? {};
    if (result.skipped) account.skips(item.key);
    else account.done(item.key, result.bytes ?? 0);
  } catch (error) {
    const problem = toProblem(error);
    account.fails(item.key, problem);
    if (STOPS.has(problem.kind)) account.stops(problem);
  }
}

/** An iterable in groups of at most `size`. */
export async function* groups(items, size) {
  let group = [];
  for await (const item of items) {
    group.push(item);
    if (group.length === size) {
      yield group;
      group = [];
    }
  }
  if (group.length) yield group;
}
