/** What can go wrong, in one class; words for people are in explain.js. */

export { explain } from "./explain.js";

/**
 * @typedef {"offline" | "network" | "cors" | "timeout" | "expired" | "denied" | "signature" | "clock" | "missing" | "conflict" | "exists"
 *   | "quota" | "invalid" | "server" | "aborted" | "callback" | "changed" | "unknown"} ProblemKind
 */

export class Problem extends Error {
  /**
   * @param {ProblemKind} kind
   * @param {string} [message]  the server's own words, or ours for developers
   * @param {{code?: string, status?: number, requestId?: string, ec?: string, retryable?: boolean, operation?: string,
   *   detail?: Record<string, any>, cause?: any}} [facts]  `detail`: the other elements of the error document
   */
  constructor(kind, message = kind, { cause, ...facts } = {}) {
    super(message, { cause });
    this.name = "Problem";
    this.kind = kind;
    this.code = facts.code ?? "";
    this.status = facts.status ?? 0;
    this.requestId = facts.requestId ?? "";
    this.ec = facts.ec ?? "";
    this.retryable = facts.retryable ?? WORTH_REPEATING.has(kind);
    this.operation = facts.operation ?? "";
    this.detail = facts.detail ?? {};
  }
}

const WORTH_REPEATING = new Set(["offline", "network", "timeout", "server"]);

/** Codes of OSS that mean the same to somebody who looks at the page. @type {Record<string, ProblemKind>} */
const BY_CODE = {
  SecurityTokenExpired: "expired",
  InvalidSecurityToken: "expired",
  AccessKeyIdAndSecurityTokenNotMatch: "expired",
  RequestTimeTooSkewed: "clock",
  SignatureDoesNotMatch: "signature",
  InvalidAccessKeyId: "signature",
  AccessForbidden: "cors",
  FileAlreadyExists: "exists",
  ObjectAlreadyExists: "exists",
  BucketAlreadyExists: "exists",
  PreconditionFailed: "changed",
  InvalidPart: "changed",
  InvalidCRC64: "changed",
  InvalidDigest: "changed",
  TooManyBuckets: "quota",
  EntityTooLarge: "quota",
  CORSRuleBeyondLimit: "quota",
  CallbackFailed: "callback",
  RequestTimeout: "timeout",
  IncompleteBody: "network",
};

/** @param {number} status @returns {ProblemKind} */
function byStatus(status) {
  if (status === 403 || status === 401) return "denied";
  if (status === 404) return "missing";
  if (status === 409) return "conflict";
  if (status === 412) return "changed";
  if (status === 203) return "callback";
  if (status === 429) return "server";
  if (status >= 500) return "server";
  return status >= 400 ? "invalid" : "unknown";
}

const lasting = (status) => status === 501 || status === 505;

/**
 * From an answer with an error document.
 * @param {{status: number, headers: Map<string, string>, data: any}} answer
 * @param {string} operation
 */
export function problemOf(answer, operation) {
  const elements = errorElements(answer);
  const { Code: code = "", Message: message, RequestId, EC, HostId: _host, ...detail } = elements;
  const kind = BY_CODE[code] ?? byStatus(answer.status);
  return new Problem(kind, message || `HTTP status ${answer.status}`, {
    code,
    status: answer.status,
    requestId: RequestId || answer.headers.get("x-oss-request-id"),
    ec: EC || answer.headers.get("x-oss-ec"),
    retryable: WORTH_REPEATING.has(kind) && !lasting(answer.status),
    operation,
    detail,
  });
}

/** HEAD has no body: its document comes in a header. */
function errorElements({ headers, data }) {
  const hidden = headers.get("x-oss-err");
  const text = hidden ? fromBase64(hidden) : typeof data === "string" ? data : "";
  const root = new DOMParser().parseFromString(text, "application/xml").documentElement;
  if (root.localName !== "Error") return {};
  return Object.fromEntries(Array.from(root.children, (element) => [element.localName, element.textContent]));
}

function fromBase64(text) {
  try {
    return new TextDecoder().decode(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
  } catch {
    return "";
  }
}

/**
 * Whatever was thrown, as a Problem; one that is one stays what it is.
 * @param {any} thrown
 * @param {string} [operation]
 * @returns {Problem}
 */
export function toProblem(thrown, operation = "") {
  if (thrown instanceof Problem) return thrown;
  const message = String(thrown?.message ?? thrown ?? "unknown");
  const transport = /^Transport:(offline|network|timeout|aborted)$/.exec(thrown?.code ?? "")?.[1];
  if (transport) return new Problem(/** @type {ProblemKind} */ (transport), message, { operation, cause: thrown });
  if (thrown?.name === "AbortError") return new Problem("aborted", message, { operation, cause: thrown });
  const status = Number(thrown?.status) || 0;
  const { code = "", requestId = "", ecCode: ec = "" } = status > 0 ? thrown : {}; // an error of ali-oss
  const kind = BY_CODE[code] ?? (status > 0 ? byStatus(status) : "unknown");
  return new Problem(kind, message, { code, status, requestId, ec, operation, cause: thrown });
}
