/** The only place that talks HTTP. ali-oss signs, this sends. */

/** Why there is no answer. @typedef {"offline" | "network" | "timeout" | "aborted"} NoAnswer */

export class TransportError extends Error {
  /** @param {NoAnswer} kind @param {string} url */
  constructor(kind, url) {
    super(`${kind}: ${url.replace(/[?#].*/, "")}`); // a query may hold a signature
    this.name = "TransportError";
    this.kind = kind;
    this.code = `Transport:${kind}`;
    this.status = kind === "timeout" ? -2 : -1; // what ali-oss has for these
  }
}

// Browsers set these themselves and complain when a script tries; ali-oss always tries "host" for an IP address.
const OWN = new Set(["host", "content-length", "connection", "user-agent", "accept-encoding", "date", "transfer-encoding"]);

/**
 * One request.
 * @param {object} request
 * @param {string} request.method
 * @param {string} request.url
 * @param {Record<string, string>} [request.headers]
 * @param {Blob | ArrayBuffer | ArrayBufferView | string | null} [request.body]
 * @param {AbortSignal} [request.signal]  ends the request at once, whatever was sent
 * @param {(sentBytes: number) => void} [request.onUpload]
 * @param {(loadedBytes: number, totalBytes: number) => void} [request.onDownload]
 * @param {number} [request.idleMs]  given up after this long without a byte in either direction
 * @param {"text" | "blob"} [request.responseType]
 * @returns {Promise<{status: number, headers: Map<string, string>, data: any}>}  rejects with TransportError
 */
export function send(request) {
  const { method, url, headers = {}, signal, idleMs = 60000, responseType = "text" } = request;
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new TransportError("aborted", url));
    const xhr = new XMLHttpRequest();
    let silent;
    const settle = (act) => {
      clearTimeout(silent);
      signal?.removeEventListener("abort", stop);
      act();
    };
    const fail = (kind) => settle(() => reject(new TransportError(kind, url)));
    const stop = () => (fail("aborted"), xhr.abort());
    const alive = () => {
      clearTimeout(silent);
      silent = setTimeout(() => (fail("timeout"), xhr.abort()), idleMs);
    };
    xhr.open(method, withDotsKept(url));
    xhr.responseType = responseType;
    for (const [name, value] of Object.entries(headers)) setHeader(xhr, name, value);
    listen(xhr, request, alive);
    xhr.onerror = () => fail(navigator.onLine === false ? "offline" : "network");
    xhr.ontimeout = () => fail("timeout");
    xhr.onload = () => settle(() => answerOf(xhr).then(resolve, reject));
    signal?.addEventListener("abort", stop, { once: true });
    alive();
    xhr.send(plain(request.body ?? null, headers));
  });
}

function listen(xhr, { onUpload, onDownload, body }, alive) {
  xhr.onreadystatechange = alive;
  xhr.onprogress = (event) => {
    alive();
    onDownload?.(event.loaded, event.total);
  };
  if (body === null || body === undefined) return; // listeners on an upload make a preflight where none were needed
  xhr.upload.onprogress = (event) => {
    alive();
    onUpload?.(event.loaded);
  };
  xhr.upload.onload = (event) => {
    alive();
    onUpload?.(event.loaded);
  };
}

/** A header is bytes: text beyond ASCII travels as UTF-8, which is what was signed. */
function setHeader(xhr, name, value) {
  if (value === undefined || value === null || OWN.has(name.toLowerCase())) return;
  xhr.setRequestHeader(name, binary(String(value)));
}

function binary(text) {
  if (!/[^\x20-\x7e\t]/.test(text)) return text;
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join("");
}

function unbinary(text) {
  if (!/[\x80-\xff]/.test(text)) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    return text; // Latin-1 after all
  }
}

/** Without a type of its own, or else the browser adds a Content-Type that nobody signed. */
function plain(body, headers) {
  if (typeof body === "string") return new Blob([body]);
  const named = Object.keys(headers).some((name) => name.toLowerCase() === "content-type");
  return body instanceof Blob && body.type && !named ? body.slice(0, body.size, "") : body;
}

async function answerOf(xhr) {
  const headers = new Map();
  for (const line of xhr.getAllResponseHeaders().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), unbinary(line.slice(colon + 1).trim()));
  }
  const blob = xhr.responseType === "blob";
  const data = blob && xhr.status >= 300 ? await xhr.response.text() : xhr.response; // errors are read as text
  return { status: xhr.status, headers, data: data ?? "" };
}

/**
 * Browsers take "." and ".." out of a path, even percent-encoded. A slash beside them that is sent as %2F keeps them: the service
 * decodes a path before it looks for slashes.
 * @param {string} url
 */
export function withDotsKept(url) {
  const [, origin, path, rest] = /^([a-z]+:\/\/[^/?#]*)?([^?#]*)(.*)$/is.exec(url);
  let kept = path;
  for (let before = ""; before !== kept; ) {
    before = kept;
    kept = kept.replace(/(\/|%2F)((?:\.|%2E){1,2})(?=\/|%2F|$)/gi, "%2F$2").replace(/(%2F(?:\.|%2E){1,2})\//gi, "$1%2F");
  }
  return `${origin ?? ""}${kept.startsWith("%2F") ? `/${kept.slice(3)}` : kept}${rest}`;
}

/** What ali-oss takes as `options.urllib`. `ctx` of its requests: {body, signal, onUpload, onDownload, idleMs, responseType}. */
export const urllib = {
  async request(url, { method, content, stream, headers, timeout, ctx }) {
    const { body = stream ?? content ?? null, ...more } = ctx ?? {};
    const answer = await send({ method, url, headers, idleMs: timeout, ...more, body });
    const plainHeaders = Object.fromEntries(answer.headers);
    return { ...answer, headers: plainHeaders, res: { status: answer.status, statusCode: answer.status, headers: plainHeaders, requestUrls: [url] } };
  },
};
