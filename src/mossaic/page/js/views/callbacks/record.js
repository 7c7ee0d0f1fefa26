/**
 * A recorded callback as the server tells it, and what a verifier needs of it.
 * @typedef {{url: string, address: string, headers: Record<string, string>, signature: string, signed_text: string, status: number|null,
 *   answer: string, truncated: boolean, ms: number, error: string|null}} Try
 * @typedef {{id: string, at: string, bucket: string, key: string, upload_id: string|null, operation: string, url: string, host: string|null,
 *   content_type: string, body: string, signature: string|null, signed_text: string|null, pub_key_url: string, ok: boolean,
 *   replay_of: string|null, tries: Try[]}} CallbackRecord
 * @typedef {{at: string, target: string, body: string, signature: string, keyUrlHeader: string, trusted: string}} Evidence
 */

/** The characters that the service leaves alone in a path or query; all others it escapes before it sends and signs. */
const ESCAPED = /[^A-Za-z0-9%/?:@!$&'()*+,;=\-._~#[\]]/gu;

/** Path and query as they stand in the request line. @param {string} url */
export function targetOf(url) {
  const [, rest] = /^[a-z]+:\/\/[^/?#]*([^#]*)/i.exec(url) ?? ["", ""];
  const whole = rest.startsWith("/") ? rest : `/${rest}`;
  return whole.replace(ESCAPED, (sign) => encodeURIComponent(sign));
}

/** scheme://host[:port]/ of a URL: with its slash, so that no longer host name begins with it. @param {string} url */
export const originOf = (url) => `${/^[a-z]+:\/\/[^/?#]*/i.exec(url)?.[0] ?? url}/`;

/** The header of a try by its name in any case. @param {Try} one @param {string} name */
export const headerOf = (one, name) => Object.entries(one.headers).find(([key]) => key.toLowerCase() === name)?.[1] ?? "";

/** What a receiver got in a try. @param {CallbackRecord} record @param {Try} one @returns {Evidence} */
export const evidenceOf = (record, one) => ({
  at: record.at,
  target: targetOf(one.url),
  body: record.body,
  signature: one.signature,
  keyUrlHeader: headerOf(one, "x-oss-pub-key-url"),
  trusted: originOf(record.pub_key_url),
});

/** A form's fields, or null where the body is none. @param {CallbackRecord} record @returns {[string, string][]|null} */
export const fieldsOf = (record) =>
  record.content_type.startsWith("application/x-www-form-urlencoded") ? [...new URLSearchParams(record.body)] : null;

/** The last try, which decided. @param {CallbackRecord} record @returns {Try|undefined} */
export const lastOf = (record) => record.tries[record.tries.length - 1];
