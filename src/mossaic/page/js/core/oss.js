/** Requests of OSS: ali-oss signs them, transport.js sends them; here they are judged, repeated and read. */

import { correct, now, skew } from "./clock.js";
import { Problem, problemOf, toProblem } from "./problem.js";
import { session } from "./session.js";
import { send, urllib, withDotsKept } from "./transport.js";

const TRIES = 5;
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 10000;

/** @returns {any} the ali-oss bundle, which index.html loads before the modules */
const aliOss = () => {
  if (!globalThis.OSS) throw new Problem("unknown", "ali-oss is not loaded");
  return globalThis.OSS;
};

// --- clients ----------------------------------------------------------------------------------------------------------

function newClient({ endpoint, region }, credentials, more = {}) {
  const OSS = aliOss();
  const client = new OSS({
    endpoint,
    region,
    secure: endpoint.startsWith("https:"),
    authorizationV4: true,
    sldEnable: true, // the bucket in the path: one origin for all buckets
    cname: false,
    urllib,
    refreshSTSToken: async () => credentials,
    refreshSTSTokenInterval: 0,
    ...credentials,
    stsToken: credentials.stsToken || "none", // it warns about long-lived keys, which sign one request here
    ...more,
  });
  client.options.stsToken = credentials.stsToken || undefined;
  Object.defineProperty(client.options, "amendTimeSkewed", { get: skew, set: (ms) => correct(Date.now() + ms) });
  return client;
}

/**
 * A client of ali-oss of its own, for the current session; its keys are renewed before each request.
 * @param {{bucket?: string, timeout?: number}} [options]
 * @returns {any}
 */
export function clientFor({ bucket, timeout = 60000 } = {}) {
  const state = signedIn();
  const client = newClient(state, state.credentials, { timeout, ...(bucket ? { bucket } : {}) });
  client.options.refreshSTSToken = () => session.credentials();
  return client;
}

function signedIn() {
  if (!session.live.value) throw new Problem("expired", "nobody is signed in");
  return session.live.value;
}

// --- one request ------------------------------------------------------------------------------------------------------

/**
 * @typedef {object} Params  as ali-oss's client.request takes them
 * @property {string} method
 * @property {string} [object]  the key
 * @property {string | string[] | Record<string, any>} [subres]
 * @property {Record<string, any>} [query]  undefined values are left out
 * @property {Record<string, string>} [headers]
 * @property {string} [content]  a text; ali-oss adds its MD5
 * @property {string} [mime]
 *
 * @typedef {object} CallOptions
 * @property {string} [bucket]
 * @property {AbortSignal} [signal]
 * @property {(sentBytes: number) => void} [onUpload]  of this try: a repeated request begins at 0 again
 * @property {(loadedBytes: number, totalBytes: number) => void} [onDownload]
 * @property {Blob | null} [body]  sent as it is, never read here
 * @property {"text" | "blob"} [responseType]
 * @property {boolean | "always"} [retry]  true: where repeating changes nothing; "always": a POST as well
 * @property {number} [idleMs]
 * @property {boolean} [waitOnline]  wait for the network instead of failing with "offline"
 * @property {(problem: Problem, waitMs: number) => void} [onRetry]
 * @property {string} [operation]  OSS's name of it, for messages
 */

/**
 * One signed request.
 * @param {Params} params
 * @param {CallOptions} [options]
 * @returns {Promise<{status: number, headers: Map<string, string>, data: any}>}  header names in lower case; rejects with Problem
 */
export async function call(params, options = {}) {
  const operation = options.operation ?? nameOf(params);
  const once = { clock: true, keys: true };
  for (let tried = 1; ; tried += 1) {
    let used;
    try {
      used = options.credentials ?? (await session.credentials());
      return await attempt(cleaned(params), options, used, operation);
    } catch (error) {
      const problem = toProblem(error, operation);
      const wait = await mended(problem, { options, once, used, tried, params });
      options.onRetry?.(problem, wait);
      await pause(wait, options.signal, operation);
    }
  }
}

async function attempt(params, options, credentials, operation) {
  if (options.signal?.aborted) throw new Problem("aborted", "aborted", { operation });
  const { bucket, body = null, signal, onUpload, onDownload, idleMs = 60000, responseType = "text" } = options;
  const place = options.place ?? signedIn();
  const client = newClient(place, credentials, { timeout: idleMs });
  client.options.refreshSTSToken = null; // these keys, and no waiting between signing and sending
  const given = body === null ? {} : { body };
  let lost = null;
  const sender = { request: (url, asked) => urllib.request(url, asked).catch((error) => Promise.reject((lost = error))) };
  client.urllib = sender;
  try {
    const found = await client.request({ ...params, bucket, ctx: { ...given, signal, onUpload, onDownload, idleMs, responseType } });
    const answer = { status: found.status, headers: new Map(Object.entries(found.headers)), data: found.data };
    if (answer.status >= 400 || answer.status === 203) throw problemOf(answer, operation);
    return answer;
  } catch (error) {
    throw lost ? await whyLost(lost, place, operation) : toProblem(error, operation);
  }
}

/** A browser tells a script of no answer only that there was none. Where the service can be reached without CORS, CORS was it. */
async function whyLost(error, place, operation) {
  const problem = toProblem(error, operation);
  if (problem.kind !== "network" || new URL(place.endpoint).origin === location.origin) return problem;
  try {
    await fetch(`${place.endpoint}/-/livez`, { mode: "no-cors", cache: "no-store", credentials: "omit", signal: AbortSignal.timeout(4000) });
  } catch {
    return problem;
  }
  return new Problem("cors", "the browser does not let this page read the answer", { operation, detail: { origin: location.origin } });
}

/** How long to wait before the next try, in ms; throws the problem when there is to be none. */
async function mended(problem, { options, once, used, tried, params }) {
  if (problem.kind === "aborted" || options.signal?.aborted) throw problem.kind === "aborted" ? problem : new Problem("aborted");
  if (problem.kind === "clock" && once.clock) {
    once.clock = false;
    if (correct(problem.detail.ServerTime)) return 0;
  }
  const refused = problem.kind === "expired" && used !== undefined; // else it was the renewal that was refused
  if (refused && once.keys && !options.credentials) {
    once.keys = false;
    await session.renewed(used.stsToken);
    return 0;
  }
  if (!problem.retryable || !repeatable(params, options.retry ?? true, problem)) throw problem;
  if (problem.kind === "offline" && options.waitOnline) {
    await online(options.signal);
    return 0;
  }
  if (tried >= TRIES) throw problem;
  return Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** tried);
}

/** Complete is answered with the first result when it is repeated, DeleteMultipleObjects changes nothing the second time. */
function repeatable({ method, subres, query }, retry, { status }) {
  if (retry === false) return false;
  if (retry === "always" || method !== "POST") return true;
  const names = new Set([...(typeof subres === "string" ? [subres] : Object.keys(subres ?? {})), ...Object.keys(query ?? {})]);
  return names.has("uploadId") || names.has("delete") || status === 429;
}

/** @param {number} ms @param {AbortSignal} [signal] @returns {Promise<void>} rejects with Problem kind "aborted" */
function pause(ms, signal, operation = "") {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms);
    const stop = () => (clearTimeout(timer), reject(new Problem("aborted", "aborted", { operation })));
    function done() {
      signal?.removeEventListener("abort", stop);
      resolve();
    }
    signal?.addEventListener("abort", stop, { once: true });
  });
}

function online(signal) {
  return new Promise((resolve, reject) => {
    if (navigator.onLine) return resolve();
    const stop = () => reject(new Problem("aborted"));
    globalThis.addEventListener("online", () => (signal?.removeEventListener("abort", stop), resolve()), { once: true });
    signal?.addEventListener("abort", stop, { once: true });
  });
}

const kept = (object) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined && value !== null));

/** ali-oss signs an undefined value as nothing and sends it as "undefined". */
function cleaned(params) {
  const found = { ...params };
  if (params.query) found.query = kept(params.query);
  if (params.headers) found.headers = kept(params.headers);
  return found;
}

function nameOf({ method, object, subres }) {
  const mark = typeof subres === "string" ? subres : Object.keys(subres ?? {})[0];
  return `${method} ${object === undefined ? "bucket" : "object"}${mark ? ` ?${mark}` : ""}`;
}

/**
 * One unsigned request, for what is open to everybody.
 * @param {{method: string, url: string, headers?: Record<string, string>, body?: string, signal?: AbortSignal}} request
 */
export async function unsigned({ operation = "", ...request }) {
  let answer;
  try {
    answer = await send(request);
  } catch (error) {
    throw toProblem(error, operation);
  }
  if (answer.status >= 400) throw problemOf(answer, operation);
  return answer;
}

// --- URLs that carry a signature --------------------------------------------------------------------------------------

/**
 * A URL that anybody may use until it expires, or until the session's keys do: then it ends with them.
 * With `credentials` it is signed by those instead: a key pair's links may outlive the session.
 * @param {{bucket: string, key: string, method?: string, expiresS?: number, query?: Record<string, string>, endpoint?: string,
 *   credentials?: {accessKeyId: string, accessKeySecret: string, stsToken?: string}}} asked
 * @returns {Promise<string>}
 */
export async function presign({ bucket, key, method = "GET", expiresS = 3600, query = {}, endpoint, credentials: given }) {
  const credentials = given ?? (await session.credentials());
  const state = signedIn();
  const client = newClient({ ...state, endpoint: endpoint ?? state.endpoint }, credentials);
  const date = now().toISOString().replace(/[-:]|\.\d+/g, "");
  const queries = {
    ...kept(query),
    "x-oss-credential": `${credentials.accessKeyId}/${date.slice(0, 8)}/${state.region.replace(/^oss-/, "")}/oss/aliyun_v4_request`,
    "x-oss-date": date,
    "x-oss-expires": String(Math.floor(expiresS)),
    "x-oss-signature-version": "OSS4-HMAC-SHA256",
    ...(credentials.stsToken ? { "x-oss-security-token": credentials.stsToken } : {}),
  };
  const authorization = client.authorizationV4(method, { headers: {}, queries }, bucket, key);
  const signature = /Signature=([0-9a-f]+)$/.exec(authorization)[1];
  return withDotsKept(client._getReqUrl({ bucket, object: key, query: { ...queries, "x-oss-signature": signature } }));
}

export * from "./objects.js";
export { children, xml } from "./xml.js";
