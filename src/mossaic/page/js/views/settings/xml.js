/** Reading and writing the small XML documents of bucket settings: no namespaces, only the elements we know. */

/** @param {unknown} text */
export function escapeXml(text) {
  return String(text).replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
}

/**
 * One element, with its inner elements on lines of their own; nothing at all for null and undefined.
 * @param {string} name
 * @param {string|number|boolean|null|undefined|string[]} inner text, or elements that were made by this function
 * @returns {string}
 */
export function element(name, inner) {
  if (inner === null || inner === undefined) return "";
  if (!Array.isArray(inner)) return `<${name}>${escapeXml(inner)}</${name}>`;
  const lines = inner.filter(Boolean).flatMap((one) => one.split("\n"));
  return lines.length ? `<${name}>\n${lines.map((line) => `  ${line}`).join("\n")}\n</${name}>` : `<${name}/>`;
}

/** A document with its declaration. @param {string} root */
export const documentOf = (root) => `<?xml version="1.0" encoding="UTF-8"?>\n${root}\n`;

/** @param {string} text @returns {Element} the root; throws when it is no XML */
export function rootOf(text) {
  const parsed = new DOMParser().parseFromString(text, "application/xml");
  if (parsed.querySelector("parsererror")) throw new SyntaxError("The answer is not XML.");
  return parsed.documentElement;
}

/** The element children of that name. @param {Element|null} parent @param {string} name @returns {Element[]} */
export const all = (parent, name) => [...(parent?.children ?? [])].filter((child) => child.localName === name);

/** @param {Element|null} parent @param {string} name @returns {Element|null} */
export const first = (parent, name) => all(parent, name)[0] ?? null;

/** @param {Element|null} parent @param {string} name @returns {string|null} */
export const textOf = (parent, name) => first(parent, name)?.textContent ?? null;

/** @param {Element|null} parent @param {string} name @returns {string[]} */
export const textsOf = (parent, name) => all(parent, name).map((child) => child.textContent ?? "");

/** @param {Element|null} parent @param {string} name @returns {number|null} */
export function numberOf(parent, name) {
  const text = textOf(parent, name);
  return text === null || text === "" ? null : Number(text);
}

/** @param {Element|null} parent @param {string} name @returns {boolean|null} */
export function flagOf(parent, name) {
  const text = textOf(parent, name);
  return text === null ? null : text.trim().toLowerCase() === "true";
}
