// From what was chosen and typed to what the engine is given. Pure.

import { FORM } from "./callback.js";
import { filter, split } from "./patterns.js";
import { parseSize } from "./sizes.js";

/** @typedef {import("./remember.js").Choice} Choice */
/** @typedef {import("../../upload/files.js").Found} Found */

/** Options as the engine takes them. @param {Choice} choice @returns {import("../../upload/uploads.js").UploadOptions} */
export function optionsOf(choice) {
  const options = {
    partSize: choice.partSize.trim() === "" || choice.partSize.trim() === "auto" ? "auto" : parseSize(choice.partSize),
    parallel: choice.parallel,
    headers: headersOf(choice),
    tags: { ...choice.tags },
    meta: { ...choice.meta },
    conflict: choice.conflict,
    forbidOverwrite: choice.conflict === "refuse",
    verify: choice.md5 ? "md5" : true,
  };
  for (const name of ["storageClass", "acl", "mime"]) if (choice[name]) options[name] = choice[name];
  if (choice.callback) options.callback = callbackOf(choice);
  return options;
}

function headersOf(choice) {
  const headers = {
    "Cache-Control": choice.cacheControl,
    "Content-Disposition": choice.contentDisposition,
    "Content-Encoding": choice.contentEncoding,
    Expires: choice.expires,
  };
  return Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== ""));
}

/** @param {Choice} choice */
export function callbackOf(choice) {
  const callback = {
    url: choice.callbackUrl.split(/[;\s]+/).filter(Boolean).join(";"),
    body: choice.callbackBody,
    contentType: choice.callbackType || FORM,
    customValue: { ...choice.callbackVars },
  };
  if (choice.callbackHost) callback.host = choice.callbackHost;
  return callback;
}

/**
 * What will be uploaded and under which key; what patterns leave out stays in the list, so that one sees it.
 * @param {Found[]} found
 * @param {{prefix: string, name: string, include: string, exclude: string}} asked  `name`: the key's last part, when there is one file
 * @returns {{found: Found, key: string, wanted: boolean}[]}
 */
export function planned(found, { prefix, name, include, exclude }) {
  const takes = filter({ include: split(include), exclude: split(exclude) });
  const single = found.length === 1 && found[0].file && !found[0].path.includes("/") ? found[0] : null;
  return found.map((each) => ({
    found: each,
    key: prefix + (each === single && name ? name : each.path),
    wanted: takes(each.path),
  }));
}

/** A folder's prefix ends with a slash; one typed without means the same. Leading slashes would make a folder without a name. */
export function tidyPrefix(text) {
  const bare = text.replace(/^\/+/, "");
  return bare === "" || bare.endsWith("/") ? bare : `${bare}/`;
}

/** What the server says of keys: 1 … 1,023 bytes of UTF-8, not beginning with / or \. @returns {""|"empty"|"long"|"slash"} */
export function keyFault(key) {
  if (key === "") return "empty";
  if (/^[/\\]/.test(key)) return "slash";
  return new TextEncoder().encode(key).length > 1023 ? "long" : "";
}
