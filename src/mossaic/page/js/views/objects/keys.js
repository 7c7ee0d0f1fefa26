/** Object keys: how they are cut into folders, shown to people, put into addresses, headers and XML. No DOM, no network. */

const MAX_KEY_BYTES = 1023;
const UTF8 = new TextEncoder();

/** Bytes of a key as the service counts them. */
export const keyBytes = (key) => UTF8.encode(key).length;

/**
 * Why the service would refuse a key, before it is asked: "empty", "long", "leading" (begins with / or \), "nul" or null.
 * @param {string} key
 */
export function keyFault(key) {
  if (key === "") return "empty";
  if (key[0] === "/" || key[0] === "\\") return "leading";
  if (key.includes("\0")) return "nul";
  return keyBytes(key) > MAX_KEY_BYTES ? "long" : null;
}

/** The folders on the way to a prefix: "a/b/c" → [{name: "a", prefix: "a/"}, {name: "b", prefix: "a/b/"}], rest "c". */
export function crumbs(prefix) {
  const names = prefix.split("/");
  const rest = names.pop();
  let path = "";
  return { folders: names.map((name) => ({ name, prefix: (path += `${name}/`) })), rest };
}

/** The prefix of the folder that a key or a folder prefix lies in. */
export function parentOf(key) {
  const body = key.endsWith("/") ? key.slice(0, -1) : key;
  return body.slice(0, body.lastIndexOf("/") + 1);
}

/** The last part of a key; of a folder prefix, the folder's name without its slash. */
export function nameOf(key) {
  const name = key.slice(parentOf(key).length);
  return name.endsWith("/") ? name.slice(0, -1) : name;
}

/** A file name for the disk: what no file system takes becomes an underscore. */
export function fileName(key) {
  const name = nameOf(key).replace(/[\u0000-\u001f\u007f<>:"/\\|?*\u202a-\u202e\u2066-\u2069]/g, "_").replace(/[. ]+$/, "");
  return name === "" || name === "." || name === ".." ? "object" : name.slice(0, 200);
}

const encodePath = (key) => key.split("/").map(encodeURIComponent).join("/");

/** The route of a folder. */
export const folderPath = (bucket, prefix = "") => `/b/${bucket}/objects/${encodePath(prefix)}`;

/** The route of the upload view with a prefix filled in. */
export const uploadPath = (bucket, prefix = "") => `/b/${bucket}/upload/${encodePath(prefix)}`;

/** The route of an object's details. */
export function objectPath(bucket, key, versionId) {
  return `/b/${bucket}/object/${encodePath(key)}${versionId ? `?versionId=${encodeURIComponent(versionId)}` : ""}`;
}

/** The value of x-oss-copy-source. */
export function copySource(bucket, key, versionId) {
  return `/${bucket}/${encodePath(key)}${versionId ? `?versionId=${encodeURIComponent(versionId)}` : ""}`;
}

/** `attachment` with a name of any characters (RFC 6266: a plain form for the old, UTF-8 for the rest). */
export function attachment(name) {
  const plain = name.replace(/[^\x20-\x7e]|["\\%]/g, "_");
  const exact = encodeURIComponent(name).replace(/['()*!]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${exact}`;
}

// XML 1.0 has no way to write most control characters, not even escaped.
const NOT_IN_XML = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/;

/** Whether a key can be named in an XML document. */
export const fitsXml = (text) => !NOT_IN_XML.test(text);

/** Text as XML content; line ends and tabs are escaped because parsers would change them. */
export function xmlText(text) {
  return text.replace(/[&<>"'\r\n\t]/g, (char) => `&#${char.charCodeAt(0)};`);
}

const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]|^ | $/g;

/**
 * A key cut into what can be read and what would not be seen or would turn the line around.
 * @param {string} text
 * @returns {Array<{text: string, odd: boolean, code?: string}>}
 */
export function readable(text) {
  const found = [];
  let at = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > at) found.push({ text: text.slice(at, match.index), odd: false });
    found.push({ text: picture(match[0]), odd: true, code: codePoint(match[0]) });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ text: text.slice(at), odd: false });
  return found;
}

const codePoint = (char) => `U+${char.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** Fonts often lack the pictures of control characters: a caret and a letter, as terminals write them. */
function picture(char) {
  const code = char.codePointAt(0);
  if (code === 0x20) return "\u00b7";
  if (code < 0x20) return `^${String.fromCharCode(code + 64)}`;
  return code === 0x7f ? "^?" : codePoint(char);
}

/** One line of text for places without markup (titles, messages, reports). */
export const plainName = (text) => readable(text).map((piece) => piece.text).join("");
