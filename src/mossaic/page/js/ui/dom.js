/** Elements from plain calls; Live values inside them are kept up to date as long as the element is on the page. */

import { isLive } from "./live.js";

const AS_PROPERTY = new Set(["value", "checked", "disabled", "selected", "indeterminate", "hidden", "open", "files", "tabIndex", "readOnly", "required", "multiple"]);
const gone = new Map(); // node → {seen, fns}

const observer = new MutationObserver((records) => {
  if (records.some((record) => record.addedNodes.length || record.removedNodes.length)) sweep();
});
observer.observe(document, { childList: true, subtree: true });

function sweep() {
  for (const [node, entry] of gone) {
    if (node.isConnected) entry.seen = true;
    else if (entry.seen) {
      gone.delete(node);
      for (const fn of entry.fns) fn();
    }
  }
}

/**
 * Calls `fn` once, after `node` was on the page and has left it. Build a node anew to show it again.
 * @param {Node} node
 * @param {() => void} fn
 */
export function onGone(node, fn) {
  const entry = gone.get(node) ?? { seen: node.isConnected, fns: [] };
  entry.fns.push(fn);
  gone.set(node, entry);
}

/** Runs `apply(value)` now and at each change, until `node` has left the page. */
export function bind(node, source, apply) {
  onGone(node, source.watch(apply));
}

/**
 * `h("button.button#go", {onclick, "aria-label": "…", dataset: {id: 1}}, "Go")`.
 *
 * The first argument names tag, classes and id. Then, optionally, properties: `on…` are listeners, `class` adds to the classes,
 * `dataset` and `style` take objects (a style's name may be a custom property), null or false leaves an attribute out.
 * Children: nodes, strings, numbers, arrays, null; a property or child may be a Live value.
 * @param {string} spec
 * @param {...any} rest
 * @returns {HTMLElement}
 */
export function h(spec, ...rest) {
  const [, tag = "div", names = ""] = /^([a-z][a-z0-9-]*)?(.*)$/.exec(spec);
  const node = document.createElement(tag || "div");
  for (const [, kind, name] of names.matchAll(/([.#])([^.#]+)/g)) {
    if (kind === "#") node.id = name;
    else node.classList.add(name);
  }
  if (isProps(rest[0])) for (const [name, value] of Object.entries(rest.shift())) setProp(node, name, value);
  append(node, rest);
  return node;
}

const isProps = (value) => value !== null && typeof value === "object" && !Array.isArray(value) && !(value instanceof Node) && !isLive(value);

function setProp(node, name, value) {
  if (isLive(value)) bind(node, value, (now) => setOne(node, name, now));
  else setOne(node, name, value);
}

function setOne(node, name, value) {
  if (name.startsWith("on") && typeof value === "function") node.addEventListener(name.slice(2), value);
  else if (name === "class") setClass(node, value);
  else if (name === "dataset") Object.assign(node.dataset, value);
  else if (name === "style") for (const [key, text] of Object.entries(value)) setStyle(node, key, text);
  else if (AS_PROPERTY.has(name)) node[name] = value ?? (name === "value" ? "" : false);
  else if (value === null || value === undefined || value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** Classes from a Live value replace the ones it gave before. */
const given = new WeakMap();
function setClass(node, value) {
  for (const old of given.get(node) ?? []) node.classList.remove(old);
  const next = String(value ?? "").split(/\s+/).filter(Boolean);
  node.classList.add(...next);
  given.set(node, next);
}

function setStyle(node, key, value) {
  if (isLive(value)) bind(node, value, (now) => node.style.setProperty(key, now));
  else node.style.setProperty(key, value);
}

function append(parent, child) {
  if (child === null || child === undefined || child === false || child === true) return;
  if (Array.isArray(child)) for (const one of child) append(parent, one);
  else if (child instanceof Node) parent.append(child);
  else if (isLive(child)) appendLive(parent, child);
  else parent.append(String(child));
}

function appendLive(parent, source) {
  let shown = [];
  bind(parent, source, (value) => {
    if (shown.length === 1 && shown[0] instanceof Text && isText(value)) {
      shown[0].data = String(value); // the usual case: no node comes or goes
      return;
    }
    const box = document.createDocumentFragment();
    append(box, value);
    if (!box.firstChild) box.append(""); // keeps the place
    const next = [...box.childNodes];
    if (shown.length) shown[0].before(box);
    else parent.append(box);
    for (const node of shown) if (!next.includes(node)) node.remove();
    shown = next;
  });
}

const isText = (value) => typeof value === "string" || typeof value === "number";

/**
 * Puts `children` in the place of everything in `parent`.
 * @param {Element} parent
 * @param {...any} children
 */
export function replace(parent, ...children) {
  const box = document.createDocumentFragment();
  append(box, children);
  parent.replaceChildren(box);
  return parent;
}

/** A text node that follows `source`. */
export function text(source) {
  const node = document.createTextNode("");
  bind(node, source, (value) => {
    node.data = String(value ?? "");
  });
  return node;
}

let last = 0;
/** An id that no other element of this page has. */
export const freshId = (stem = "id") => `${stem}-${(last += 1)}`;
