/** Reading and writing the XML of OSS. */

import { Problem } from "./problem.js";

/**
 * @param {string} text
 * @returns {Document}  throws Problem when it is none
 */
export function xml(text) {
  const found = new DOMParser().parseFromString(text, "application/xml");
  if (found.querySelector("parsererror")) throw new Problem("unknown", "the answer is no XML");
  return found;
}

/**
 * The elements `name` right below the root (or below `within`), each as an object: a text where an element has no children, an
 * object where it has, a list where a name comes more than once.
 * @param {Document | Element} within
 * @param {string} name
 * @returns {Record<string, any>[]}
 */
export function children(within, name) {
  const root = within instanceof Document ? within.documentElement : within;
  return Array.from(root.children)
    .filter((element) => element.localName === name)
    .map(valueOf);
}

/** The text of the first element `name` right below the root, "" where there is none. @param {Document} document @param {string} name */
export function textOf(document, name) {
  return Array.from(document.documentElement.children).find((element) => element.localName === name)?.textContent ?? "";
}

function valueOf(element) {
  if (!element.children.length) return element.textContent;
  const found = {};
  for (const child of element.children) {
    const name = child.localName;
    if (!(name in found)) found[name] = valueOf(child);
    else found[name] = [].concat(found[name], valueOf(child));
  }
  return found;
}

/** @param {any} text */
export const escaped = (text) =>
  String(text).replace(/[&<>"'\r]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;", "\r": "&#13;" })[character]);
