// The options last used, kept for this visit of this tab: what may hold a secret is left out of storage.

const PLACE = "mossaic.upload.options";

/**
 * @typedef {object} Choice  everything the form asks for, as it was typed
 * @property {string} cacheControl
 * @property {string} contentDisposition
 * @property {string} contentEncoding
 * @property {string} expires
 * @property {string} storageClass
 * @property {string} acl
 * @property {string} mime
 * @property {Record<string, string>} tags
 * @property {Record<string, string>} meta
 * @property {string} conflict  replace, refuse, rename or skip
 * @property {boolean} callback
 * @property {string} callbackUrl
 * @property {string} callbackHost
 * @property {string} callbackBody
 * @property {string} callbackType
 * @property {Record<string, string>} callbackVars
 * @property {string} partSize  "auto" or a size
 * @property {number} parallel  parts at once
 * @property {number} jobs  files at once
 * @property {string} include
 * @property {string} exclude
 * @property {boolean} md5
 * @property {boolean} atOnce  begin without being asked
 */

/** @type {Choice} */
export const FIRST_CHOICE = Object.freeze({
  cacheControl: "",
  contentDisposition: "",
  contentEncoding: "",
  expires: "",
  storageClass: "",
  acl: "",
  mime: "",
  tags: {},
  meta: {},
  conflict: "replace",
  callback: false,
  callbackUrl: "",
  callbackHost: "",
  callbackBody: "bucket=${bucket}&object=${object}&etag=${etag}&size=${size}",
  callbackType: "application/x-www-form-urlencoded",
  callbackVars: {},
  partSize: "auto",
  parallel: 4,
  jobs: 3,
  include: "",
  exclude: ".DS_Store, Thumbs.db",
  md5: false,
  atOnce: false,
});

let current = null;

/** @returns {Choice} */
export function recalled() {
  current ??= { ...FIRST_CHOICE, ...stored() };
  return current;
}

/** @param {Choice} choice */
export function remember(choice) {
  current = { ...choice };
  try {
    sessionStorage.setItem(PLACE, JSON.stringify(withoutSecrets(choice)));
  } catch {
    // Without storage they last until the page is left.
  }
}

/** Custom variables and what stands behind a callback URL's ? are the places where people put tokens. */
export function withoutSecrets(choice) {
  const callbackUrl = choice.callbackUrl.split(/([;\s]+)/).map((url) => url.replace(/[?#].*$/s, "")).join("");
  const callbackVars = Object.fromEntries(Object.keys(choice.callbackVars).map((name) => [name, ""]));
  return { ...choice, callbackUrl, callbackVars };
}

function stored() {
  try {
    const found = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
    const known = Object.entries(found).filter(([name, value]) => typeof value === typeof FIRST_CHOICE[name]);
    return Object.fromEntries(known);
  } catch {
    return {};
  }
}
