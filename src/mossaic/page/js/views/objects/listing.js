/** What the Objects view shows: a window of the listing, which grows by pages up to a bound and then moves on. No DOM. */

import { toProblem } from "../../core/problem.js";
import { live } from "../../ui/live.js";
import { listPage, versionsPage } from "./list.js";

const PAGE = 200; // entries a request
const WINDOW = 1000; // entries on the page at once; a bucket may have millions

/**
 * @typedef {{prefix: string, search: string, flat: boolean, versions: boolean}} Asked
 *   search: what names begin with; flat: everything below, not folder by folder
 */

/** The window over a listing. `rows`, `state` ("loading", "ready", "failed"), `more`, `onward` and `place` are Lives. */
export class Listing {
  #bucket;
  #next = null;
  #windows = [null]; // the token that each window so far began with
  #loading = new AbortController();

  /** @param {{bucket: string, signal: AbortSignal}} of  signal: the view is left */
  constructor({ bucket, signal }) {
    this.#bucket = bucket;
    this.rows = live([]);
    this.state = live("loading");
    this.more = live(false); // this window can grow
    this.onward = live(false); // it is full, and there is more
    this.place = live({ window: 1, back: false });
    this.problem = null;
    signal.addEventListener("abort", () => this.#loading.abort(), { once: true });
  }

  /** Begin anew. @param {Asked} asked */
  ask(asked) {
    this.asked = asked;
    this.#windows = [null];
    return this.#fill();
  }

  /** The same window once more, as after a change. */
  again() {
    return this.#fill({ quiet: this.state.value === "ready" });
  }

  /** The next page of this window. */
  async grow() {
    const { signal } = this.#loading;
    const page = await this.#page(this.#next, signal);
    if (!signal.aborted) this.#take(page, [...this.rows.value, ...page.rows]);
  }

  /** The next window. */
  onwards() {
    this.#windows.push(this.#next);
    return this.#fill();
  }

  /** The window before. */
  back() {
    if (this.#windows.length > 1) this.#windows.pop();
    return this.#fill();
  }

  /** A refresh keeps what is shown until the answer is there, and reads as much as was shown. */
  async #fill({ quiet = false } = {}) {
    this.#loading.abort();
    this.#loading = new AbortController();
    const { signal } = this.#loading;
    const wanted = quiet ? this.rows.value.length : 0;
    if (!quiet) this.state.set("loading");
    try {
      let page = await this.#page(this.#windows.at(-1), signal);
      const rows = [...page.rows];
      while (page.next && rows.length < wanted) {
        page = await this.#page(page.next, signal);
        rows.push(...page.rows);
      }
      if (signal.aborted) return;
      this.#take(page, rows);
      this.state.set("ready");
    } catch (error) {
      if (signal.aborted) return;
      this.problem = toProblem(error);
      this.state.set("failed");
    }
  }

  #take(page, rows) {
    this.#next = page.next;
    this.rows.set(rows);
    this.more.set(Boolean(page.next) && rows.length < WINDOW);
    this.onward.set(Boolean(page.next) && rows.length >= WINDOW);
    this.place.set({ window: this.#windows.length, back: this.#windows.length > 1 });
  }

  async #page(token, signal) {
    const { prefix, search, flat, versions } = this.asked;
    const read = versions ? versionsPage : listPage;
    const page = await read({ bucket: this.#bucket, prefix: prefix + search, delimiter: flat ? "" : "/", token: token ?? undefined, limit: PAGE, signal });
    return { ...page, rows: page.rows.filter((row) => !isPlaceholder(row, prefix)) };
  }
}

/** The empty object that keeps a folder visible is not one of its contents; one with bytes or older versions is shown. */
function isPlaceholder(row, prefix) {
  return row.kind === "object" && row.key === prefix && row.size === 0 && row.versionId === undefined;
}

/** One row's identity. */
export const rowId = (row) => (row.versionId ? `${row.key}\0${row.versionId}` : row.key);
