/** A visit of a link: opened with the link's secret, renewed the same way, gone on with after a reload. No DOM in here. */

import { unsigned } from "../../core/oss.js";
import { live } from "../../ui/live.js";

const KEPT = "mossaic.drop."; // + id of the link: the last token, of no use without the link itself
const ENDED = "0099-00000001";

/**
 * @typedef {object} Facts  what a visitor is told of the link
 * @property {string} title
 * @property {string} note
 * @property {Date} expiresAt
 * @property {number} maxObjectBytes
 * @property {number} maxTotalBytes
 * @property {number} maxObjects
 * @property {number} leftBytes
 * @property {number} leftObjects
 */

/** Id and secret out of "#id.secret"; null when there are none. @param {string} hash */
export function keyOf(hash) {
  const found = /^#([\w-]{1,64})\.([\w-]{1,128})$/.exec(hash);
  return found ? { id: found[1], secret: found[2] } : null;
}

/** Whether a problem says that the link is of no use any more. */
export const hasEnded = (problem) => problem.ec === ENDED;

export class Visit {
  /** @param {{id: string, secret: string} | null} key @param {import("../../core/session.js").session} session */
  constructor(key, session) {
    this.key = key;
    this.session = session;
    /** @type {import("../../ui/live.js").Live<Facts | null>} */
    this.facts = live(null);
    this.bucket = "";
    this.folder = "";
  }

  /** Sign in with the link. Rejects with a Problem. */
  async open() {
    const answer = await this.ask();
    this.bucket = answer.bucket;
    this.folder = answer.folder;
    const renew = async () => tripleOf(await this.ask());
    const principal = { arn: `upload-request/${this.key.id}/${answer.folder}`, kind: "request", name: "" };
    this.session.adopt({ endpoint: location.origin, region: answer.region, principal, renew, ...tripleOf(answer) });
  }

  /** What is left now. Quietly: the page goes on without. */
  async look() {
    await this.ask().catch(() => {});
  }

  /** The name of the folder, which is the visitor's receipt. */
  get reference() {
    return this.folder.split("/").at(-2) ?? "";
  }

  async ask() {
    const body = JSON.stringify({ ...this.key, session: readKept(this.key.id) });
    const headers = { "content-type": "application/json" };
    const found = await unsigned({ method: "POST", url: `${location.origin}/-/api/requests/open`, headers, body, operation: "api/requests/open" });
    const answer = JSON.parse(found.data);
    keep(this.key.id, answer.securityToken);
    this.facts.set(factsOf(answer.request));
    return answer;
  }
}

const tripleOf = ({ accessKeyId, accessKeySecret, securityToken, expiration }) => ({ accessKeyId, accessKeySecret, securityToken, expiration });

/** @returns {Facts} */
const factsOf = (is) => ({
  title: is.title,
  note: is.note,
  expiresAt: new Date(is.expires_at),
  maxObjectBytes: is.max_object_bytes,
  maxTotalBytes: is.max_total_bytes,
  maxObjects: is.max_objects,
  leftBytes: is.left_bytes,
  leftObjects: is.left_objects,
});

function readKept(id) {
  try {
    return localStorage.getItem(KEPT + id) ?? "";
  } catch {
    return ""; // storage may be forbidden: a reload is another visit then
  }
}

function keep(id, token) {
  try {
    localStorage.setItem(KEPT + id, token);
  } catch {
    // as above
  }
}
