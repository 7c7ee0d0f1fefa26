/**
 * Who is signed in. Long-lived keys are used for one request, which gives a temporary triple, and are forgotten; the triple is kept
 * in sessionStorage, so that it survives a reload and ends with the tab.
 */

import { live } from "../ui/live.js";
import { now } from "./clock.js";
import { Problem, toProblem } from "./problem.js";
import { call, unsigned } from "./oss.js";

const KEPT = "mossaic.session";
const RENEW_AT = 0.8; // of the lifetime
const TRY_AGAIN_MS = 20000; // after a renewal that failed while the old keys still live

/**
 * @typedef {object} Triple
 * @property {string} accessKeyId
 * @property {string} accessKeySecret
 * @property {string} securityToken
 * @property {string} [expiration]  ISO 8601
 *
 * @typedef {object} State
 * @property {string} endpoint  scheme://host[:port]
 * @property {string} region
 * @property {{arn: string, kind: string, name: string}} principal
 * @property {Date | null} expiresAt  null: not known
 * @property {Date | null} renewableUntil
 * @property {boolean} renewable
 * @property {{accessKeyId: string, accessKeySecret: string, stsToken: string}} credentials
 */

class Session {
  /** @type {import("../ui/live.js").Live<State | null>} */
  live = live(null);
  #renew = null; // () => Promise<answer of POST session>
  #renewing = null;
  #since = 0;
  #notBefore = 0;
  #timer = 0;
  #isKept = false; // what a link gave is not: the tab may hold the session of somebody who has signed in

  /**
   * With a key pair, or with a temporary triple. Rejects with a Problem; then nothing has changed.
   * @param {{endpoint?: string, region?: string, accessKeyId: string, accessKeySecret: string, securityToken?: string}} given
   */
  async signIn({ endpoint = location.origin, region = "", accessKeyId, accessKeySecret, securityToken }) {
    const place = await placeOf(endpoint.trim().replace(/\/+$/, ""), region.trim());
    const credentials = { accessKeyId: accessKeyId.trim(), accessKeySecret: accessKeySecret.trim(), stsToken: (securityToken ?? "").trim() };
    const answer = credentials.stsToken ? await this.#check(place, credentials) : await this.#exchange(place, credentials);
    this.#begin(stateOf(place, answer), answer.renewable ? () => this.#exchange(this.live.value, this.live.value.credentials) : null);
    this.#keep();
  }

  async #exchange(place, credentials) {
    const made = await ask("POST", place, credentials);
    return { ...made, renewable: true };
  }

  async #check(place, credentials) {
    const facts = await ask("GET", place, credentials);
    return { ...facts, accessKeyId: credentials.accessKeyId, accessKeySecret: credentials.accessKeySecret, securityToken: credentials.stsToken };
  }

  /**
   * For a page that gets its triple by another way, such as a link.
   * @param {Triple & {endpoint?: string, region?: string, principal?: object, renew?: () => Promise<Triple>}} given
   */
  adopt({ endpoint = location.origin, region = "cn-hangzhou", renew, ...triple }) {
    this.#isKept = false;
    this.#begin(stateOf({ endpoint, region }, { ...triple, renewable: Boolean(renew) }), renew ?? null);
  }

  /** A fresh triple for a session that cannot renew itself; uploads go on. @param {Triple} triple */
  async provide(triple) {
    const state = this.live.value;
    if (!state) throw new Problem("expired", "nobody is signed in");
    const credentials = { accessKeyId: triple.accessKeyId.trim(), accessKeySecret: triple.accessKeySecret.trim(), stsToken: triple.securityToken.trim() };
    const answer = await this.#check(state, credentials);
    this.#begin(stateOf(state, answer), answer.renewable ? () => this.#exchange(this.live.value, this.live.value.credentials) : null);
    this.#keep();
  }

  signOut() {
    clearTimeout(this.#timer);
    this.#renew = this.#renewing = null;
    try {
      sessionStorage.removeItem(KEPT);
    } catch {
      // there is nothing then
    }
    this.live.set(null);
  }

  /** Go on with the triple of before a reload. @returns {boolean} whether somebody is signed in now */
  restore() {
    try {
      const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
      if (!kept || (kept.expiresAt && new Date(kept.expiresAt) <= now())) return false;
      const state = { ...kept, expiresAt: date(kept.expiresAt), renewableUntil: date(kept.renewableUntil) };
      this.#begin(state, state.renewable ? () => this.#exchange(this.live.value, this.live.value.credentials) : null);
      this.#isKept = true;
      return true;
    } catch {
      return false;
    }
  }

  #keep() {
    this.#isKept = true;
    try {
      sessionStorage.setItem(KEPT, JSON.stringify(this.live.value));
    } catch {
      // it then ends with a reload
    }
  }

  #begin(state, renew) {
    this.#renew = renew;
    this.#since = now().getTime();
    this.#notBefore = 0;
    this.live.set(state);
    this.#plan();
  }

  /** Renew in the background as well, for a page that somebody only looks at. */
  #plan() {
    clearTimeout(this.#timer);
    if (!this.#renew || !this.live.value?.expiresAt) return;
    const wait = Math.max(this.#dueAt() - now().getTime(), this.#notBefore - Date.now(), 1000);
    this.#timer = setTimeout(() => this.credentials().catch(() => {}), Math.min(wait, 2 ** 31 - 1));
  }

  #dueAt() {
    const ends = this.live.value.expiresAt.getTime();
    return this.#since + (ends - this.#since) * RENEW_AT;
  }

  /**
   * To sign with now; renewed before they end, by one request however many ask.
   * @returns {Promise<{accessKeyId: string, accessKeySecret: string, stsToken: string}>}  rejects with Problem kind "expired"
   */
  async credentials() {
    const state = this.live.value;
    if (!state) throw new Problem("expired", "nobody is signed in");
    if (!state.expiresAt) return state.credentials;
    const ended = state.expiresAt <= now();
    if (!ended && now().getTime() < this.#dueAt()) return state.credentials;
    if (!this.#renew) {
      if (ended) throw new Problem("expired", "the temporary keys have ended");
      return state.credentials;
    }
    if (!ended && Date.now() < this.#notBefore) return state.credentials;
    try {
      await this.#renewOnce();
    } catch (error) {
      if (ended || toProblem(error).kind === "aborted") throw error;
    }
    return this.#current();
  }

  /**
   * After the service refused `used`: newer keys where there are any, else one renewal.
   * @param {string} used  the security token that was refused
   */
  async renewed(used) {
    const state = this.live.value;
    if (state && state.credentials.stsToken !== used) return state.credentials;
    if (!state || !this.#renew) throw new Problem("expired", "the temporary keys have ended");
    await this.#renewOnce();
    return this.#current();
  }

  #current() {
    if (!this.live.value) throw new Problem("expired", "nobody is signed in");
    return this.live.value.credentials;
  }

  #renewOnce() {
    const renew = this.#renew;
    this.#renewing ??= (async () => {
      try {
        const answer = await renew();
        if (this.#renew !== renew) return; // signed out, or somebody else now
        this.#begin(stateOf(this.live.value, { ...this.live.value, ...answer, renewable: true }), renew);
        if (this.#isKept) this.#keep();
      } catch (error) {
        this.#notBefore = Date.now() + TRY_AGAIN_MS;
        this.#plan();
        throw refusal(error);
      } finally {
        this.#renewing = null;
      }
    })();
    return this.#renewing;
  }
}

/** A refusal of the renewal itself is the end of the session; a broken line is not. */
function refusal(error) {
  const problem = toProblem(error, "session");
  const final = problem.status >= 400 && problem.status < 500 && problem.status !== 429;
  return final ? new Problem("expired", problem.message, { ...problem, retryable: false, cause: problem }) : problem;
}

/** Signatures name the region, so it has to be known first. */
async function placeOf(endpoint, region) {
  if (region) return { endpoint, region };
  const answer = await unsigned({ method: "GET", url: `${endpoint}/-/api/service`, operation: "session" });
  return { endpoint, region: JSON.parse(answer.data).region };
}

async function ask(method, place, credentials) {
  const params = { method, object: "api/session", ...(method === "POST" ? { content: "{}", mime: "application/json" } : {}) };
  const answer = await call(params, { bucket: "-", place, credentials, retry: method === "GET", operation: "session" });
  return JSON.parse(answer.data);
}

const date = (text) => (text ? new Date(text) : null);

/** @returns {State} */
function stateOf(place, answer) {
  return {
    endpoint: place.endpoint,
    region: answer.region || place.region,
    principal: answer.principal ?? { arn: "", kind: "", name: "" },
    expiresAt: date(answer.expiration ?? null),
    renewableUntil: date(answer.renewable_until ?? null),
    renewable: Boolean(answer.renewable),
    credentials: { accessKeyId: answer.accessKeyId, accessKeySecret: answer.accessKeySecret, stsToken: answer.securityToken },
  };
}

export const session = new Session();
