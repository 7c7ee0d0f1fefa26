/** The service's JSON calls under /-/api/, signed like any request: as the object `api/NAME` of a bucket that cannot exist. */

import { call } from "./oss.js";

/** @param {string} method @param {string} name @param {{query?: object, content?: string, signal?: AbortSignal, retry?: boolean}} more */
async function request(method, name, { query, content, signal, retry }) {
  const params = { method, object: `api/${name}`, query, ...(content === undefined ? {} : { content, mime: "application/json" }) };
  const answer = await call(params, { bucket: "-", signal, retry, operation: `api/${name}` });
  return answer.data === "" ? {} : JSON.parse(answer.data);
}

export const api = {
  /** @param {string} name @param {Record<string, string | number>} [query] @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
  get: (name, query = {}, { signal } = {}) => request("GET", name, { query, signal }),

  /** Not repeated by itself. @param {string} name @param {object} [body] @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
  post: (name, body = {}, { signal } = {}) => request("POST", name, { content: JSON.stringify(body), signal, retry: false }),

  /** @param {string} name @param {Record<string, string | number>} [query] @param {{signal?: AbortSignal}} [options] @returns {Promise<any>} */
  remove: (name, query = {}, { signal } = {}) => request("DELETE", name, { query, signal }),
};
