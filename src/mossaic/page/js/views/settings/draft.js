/**
 * A setting in the making: what the server had when it was read, what the person has made of it, and saving that
 * notices when somebody else was faster. Drafts outlive their view, so that nothing typed is lost by looking elsewhere.
 */
import { session } from "../../core/session.js";
import { live } from "../../ui/live.js";

/** Somebody else saved in the meantime; `theirs` is what is there now. */
export class ChangedMeanwhile extends Error {
  constructor(theirs) {
    super("changed meanwhile");
    this.theirs = theirs;
  }
}

/** @template T */
export class Draft {
  #io;
  #base;

  /** @param {{read: () => Promise<T>, write: (value: T) => Promise<unknown>, text: (value: T) => string}} io */
  constructor(io) {
    this.#io = io;
    /** @type {import("../../ui/live.js").Live<T>} */
    this.value = live(undefined);
    this.dirty = live(false);
    /** The refusal of the last try to save, until the next one. */
    this.refusal = live(null);
    /** Something of the view that shall outlive it, too: which rule is open. */
    this.open = new Set();
  }

  /** What the server has, as far as is known here. */
  get base() {
    return this.#base;
  }

  /** Read what the server has; a draft with changes of its own stays as it is. */
  async load() {
    if (this.dirty.value) return;
    this.#take(await this.#io.read());
  }

  #take(value) {
    this.#base = value;
    this.value.set(value);
    this.dirty.set(false);
    this.refusal.set(null);
  }

  /** @param {T} next */
  set(next) {
    this.value.set(next);
    this.dirty.set(this.#io.text(next) !== this.#io.text(this.#base));
  }

  discard() {
    this.open.clear();
    this.#take(this.#base);
  }

  /** Take what somebody else saved in the place of one's own changes. */
  takeTheirs(theirs) {
    this.open.clear();
    this.#take(theirs);
  }

  /**
   * Write the draft. Before that it is read again: what somebody else saved is not written over unasked.
   * @param {{over?: boolean}} [options] over: write over it
   * @throws {ChangedMeanwhile|import("../../core/problem.js").Problem}
   */
  async save({ over = false } = {}) {
    this.refusal.set(null);
    if (!over) {
      const now = await this.#io.read();
      if (this.#io.text(now) !== this.#io.text(this.#base)) throw new ChangedMeanwhile(now);
    }
    const mine = this.value.value;
    await this.#io.write(mine);
    this.open.clear();
    // What the server made of it, such as rules' names; it is saved even if it cannot be read again.
    this.#take(await this.#io.read().catch(() => mine));
  }
}

/** @type {Map<string, Draft<any>>} */
const drafts = new Map();
const count = live(0);

const keyOf = (bucket, section) => `${bucket}/${section}`;

/**
 * The draft of a section, made on first use.
 * @template T
 * @param {string} bucket
 * @param {string} section
 * @param {ConstructorParameters<typeof Draft<T>>[0]} io
 * @returns {Draft<T>}
 */
export function draftOf(bucket, section, io) {
  const key = keyOf(bucket, section);
  if (!drafts.has(key)) {
    const made = new Draft(io);
    made.dirty.watch(() => count.set([...drafts.values()].filter((one) => one.dirty.value).length));
    drafts.set(key, made);
  }
  return drafts.get(key);
}

/** Whether a section has changes that are not saved. */
export const isDirty = (bucket, section) => drafts.get(keyOf(bucket, section))?.dirty.value ?? false;

/** Whether any section of the bucket has. */
export const isAnyDirty = (bucket) => [...drafts].some(([key, draft]) => key.startsWith(`${bucket}/`) && draft.dirty.value);

/** How many drafts have changes; watch it to repaint marks. */
export const unsaved = count;

/** Forget a bucket that is gone. */
export function forget(bucket) {
  for (const key of [...drafts.keys()]) {
    if (!key.startsWith(`${bucket}/`)) continue;
    drafts.get(key).dirty.set(false);
    drafts.delete(key);
  }
}

/** The browser asks before the page is closed. Whoever signs in again finds the drafts; somebody else does not. */
export function guardDrafts() {
  addEventListener("beforeunload", (event) => {
    if (count.value > 0) event.preventDefault();
  });
  let who = "";
  session.live.watch((now) => {
    const arn = now?.principal?.arn ?? "";
    if (!arn || arn === who) return;
    for (const draft of drafts.values()) draft.dirty.set(false);
    drafts.clear();
    count.set(0);
    who = arn;
  });
}
