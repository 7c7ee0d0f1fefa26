/** Hash routes: "#/b/photos/objects/2026/" shows a view, and each view knows when it is left. */

import { h } from "./dom.js";
import { live } from "./live.js";
import { problemView } from "./problem-view.js";

/**
 * @callback View
 * @param {Record<string, string>} params  the pattern's names, decoded
 * @param {HTMLElement} outlet  an empty element of its own
 * @param {{signal: AbortSignal, query: URLSearchParams}} more  `signal` fires when the view is left
 * @returns {void | Promise<void>}
 */

const routes = [];
let outletHost = null;
let leaving = new AbortController();
let visits = 0;

/** @type {import("./live.js").Live<string>} the path in use, as written in the URL: "/b/photos/objects/" */
export const path = live(currentPath());
/** @type {import("./live.js").Live<Record<string, string>>} what the pattern found in it */
export const params = live({});

/**
 * `route("/b/:bucket/objects/*prefix", view)`: `:name` is one segment, `*name` the rest with its slashes.
 * @param {string} pattern
 * @param {View} view
 */
export function route(pattern, view) {
  const names = [];
  const source = pattern
    .split("/")
    .map((piece) => {
      if (piece.startsWith(":")) names.push(piece.slice(1));
      if (piece.startsWith("*")) names.push(piece.slice(1));
      if (piece.startsWith(":")) return "([^/]+)";
      if (piece.startsWith("*")) return "(.*)";
      return piece.replace(/[.+?^${}()|[\]\\]/g, "\\$&");
    })
    .join("/");
  routes.push({ expression: new RegExp(`^${source}$`), names, view });
}

/** The URL of a path, for `href`. @param {string} to */
export const link = (to) => `#${to}`;

/**
 * A path from a pattern: `pathOf("/b/:bucket/objects/*prefix", {bucket, prefix: "a b/ü/"})`.
 * @param {string} pattern
 * @param {Record<string, string>} values
 */
export function pathOf(pattern, values) {
  return pattern
    .split("/")
    .map((piece) => {
      if (piece.startsWith(":")) return encodeURIComponent(values[piece.slice(1)] ?? "");
      if (piece.startsWith("*")) return (values[piece.slice(1)] ?? "").split("/").map(encodeURIComponent).join("/");
      return piece;
    })
    .join("/");
}

/** @param {string} to @param {{replace?: boolean}} [options] replace: no entry of its own in the history */
export function go(to, { replace = false } = {}) {
  if (to === currentPath() + currentSearch()) show();
  else if (replace) location.replace(link(to));
  else location.hash = to;
}

function currentPath() {
  return location.hash.slice(1).split("?")[0] || "/";
}

function currentSearch() {
  const at = location.hash.indexOf("?");
  return at < 0 ? "" : location.hash.slice(at);
}

const decode = (piece) => {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece; // a "%" somebody typed
  }
};

function match(at) {
  for (const { expression, names, view } of routes) {
    const found = expression.exec(at);
    if (found) return { view, params: Object.fromEntries(names.map((name, i) => [name, decode(found[i + 1])])) };
  }
  return null;
}

/**
 * Shows the view of the current path in `host`, now and at every change of the path.
 * @param {HTMLElement} host
 * @param {{unknown: View}} options  the view of a path that no pattern knows
 */
export function startRouter(host, { unknown }) {
  outletHost = host;
  startRouter.unknown = unknown;
  addEventListener("hashchange", show);
  return show();
}

/** Shows the current view anew, as after a change of language. */
export const refresh = () => show();

/** Leaves the current view without showing another. */
export function stopRouter() {
  removeEventListener("hashchange", show);
  leaving.abort();
  outletHost = null;
}

async function show() {
  if (!outletHost) return;
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  const at = currentPath();
  const moved = at !== path.value;
  const found = match(at) ?? { view: startRouter.unknown, params: {} };
  const outlet = h("div.view");
  outletHost.replaceChildren(outlet);
  params.set(found.params);
  path.set(at);
  if (moved) scrollTo(0, 0);
  const visit = (visits += 1);
  try {
    await found.view(found.params, outlet, { signal, query: new URLSearchParams(currentSearch()) });
  } catch (error) {
    if (signal.aborted) return;
    outlet.replaceChildren(problemView(error, { retry: refresh }));
  }
  if (signal.aborted) return;
  setTitle(outlet.querySelector("h1")?.textContent ?? "");
  if (visit > 1 && moved) moveFocus(outlet);
}

/** A reader of the page by ear hears the new heading; a view that has put the focus somewhere keeps it. */
function moveFocus(outlet) {
  if (outlet.contains(document.activeElement)) return;
  const target = outlet.querySelector("h1") ?? outlet;
  target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

/** The tab's title. @param {string} words */
export function setTitle(words) {
  document.title = words ? `${words} · Mossaic` : "Mossaic";
}
