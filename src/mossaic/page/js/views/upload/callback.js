// What an upload callback will send, worked out here so that it can be shown before anything is uploaded.

export const FORM = "application/x-www-form-urlencoded";
export const JSON_TYPE = "application/json";
export const MAX_URLS = 5;
/** The server refuses longer parameters, base64 included. */
export const MAX_PARAMETER = 5 * 1024;
export const SYSTEM_VARIABLES = [
  "bucket", "object", "etag", "size", "mimeType", "crc64", "contentMd5", "clientIp", "reqId", "operation",
];

const VARIABLE = /\$\{([A-Za-z0-9_.:-]+)\}/g;

/**
 * The body with its variables filled in, as the server does it: URL-encoded in a form, JSON in JSON; unknown ones are empty.
 * @param {string} template
 * @param {string} contentType
 * @param {Record<string, string|number>} values with `x:` before custom names
 * @returns {string}
 */
export function fill(template, contentType, values) {
  const known = (name) => (Object.hasOwn(values, name) ? values[name] : "");
  if (contentType !== JSON_TYPE) return template.replace(VARIABLE, (_, name) => quoted(String(known(name))));
  return template.replace(VARIABLE, (whole, name, at) => {
    const rendered = JSON.stringify(known(name));
    const alreadyQuoted = rendered.startsWith('"') && template[at - 1] === '"' && template[at + whole.length] === '"';
    return alreadyQuoted ? rendered.slice(1, -1) : rendered;
  });
}

function quoted(text) {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Variables that the template names and nobody gives: they will be empty. @returns {string[]} */
export function unknownVariables(template, custom) {
  const known = new Set([...SYSTEM_VARIABLES, ...Object.keys(custom).map((name) => `x:${name}`)]);
  return [...new Set([...template.matchAll(VARIABLE)].map((match) => match[1]))].filter((name) => !known.has(name));
}

/** URLs in the order in which they are tried. @param {string} text @returns {string[]} */
export function urls(text) {
  return text.split(/[;\s]+/).filter(Boolean);
}

/** Whether the server would take it for a callback URL. A missing scheme means http there. */
export function isUrl(text) {
  try {
    const url = new URL(text.includes("://") ? text : `http://${text}`);
    return ["http:", "https:"].includes(url.protocol) && !url.username && url.hostname !== "" && url.port !== "0";
  } catch {
    return false;
  }
}

/** The two request headers that carry it, decoded. */
export function parameters({ url, host, body, contentType, customValue = {} }) {
  const callback = { callbackUrl: urls(url).join(";"), callbackBody: body, callbackBodyType: contentType };
  if (host) callback.callbackHost = host;
  const variables = Object.fromEntries(Object.entries(customValue).map(([name, value]) => [`x:${name}`, value]));
  return { callback, variables };
}

/** Bytes of a parameter once it is base64. */
export function parameterLength(value) {
  return 4 * Math.ceil(new TextEncoder().encode(JSON.stringify(value)).length / 3);
}
