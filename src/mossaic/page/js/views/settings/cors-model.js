/**
 * CORS rules as the page holds them, their XML and JSON, presets, and what is doubtful about a rule.
 * @typedef {{origins: string[], methods: string[], headers: string[], expose: string[], maxAge: number|null}} CorsRule
 * @typedef {{rules: CorsRule[], responseVary: boolean|null}} Cors
 * @typedef {{level: "error"|"warning"|"info", code: string, params?: object, fix?: (rule: CorsRule) => CorsRule}} Remark
 */
import { all, documentOf, element, flagOf, numberOf, textsOf } from "./xml.js";

export const METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE"];
export const MAX_RULES = 20;

/** What ali-oss and careful clients read from answers; without ETag, uploads in parts fail. */
export const EXPOSED = [
  "ETag",
  "x-oss-request-id",
  "x-oss-version-id",
  "x-oss-hash-crc64ecma",
  "x-oss-next-append-position",
  "x-oss-object-type",
  "x-oss-storage-class",
  "x-oss-server-time",
  "Content-MD5",
  "Date",
];

/** Header names that ali-oss in a page sends with every signed request (V1 and V4). */
const SENT = ["authorization", "x-oss-date", "x-oss-content-sha256", "x-oss-user-agent", "content-type"];

/** @returns {CorsRule} */
export const emptyRule = () => ({ origins: [], methods: ["GET", "HEAD"], headers: [], expose: [], maxAge: 3600 });

const everything = (origins) => ({
  origins,
  methods: [...METHODS],
  headers: ["*"],
  expose: [...EXPOSED],
  maxAge: 3600,
});

/** @type {Record<string, (origin?: string) => CorsRule>} */
export const PRESETS = {
  uploads: (origin) => ({ ...everything([origin ?? "https://www.example.com"]) }),
  reads: () => ({ ...emptyRule(), origins: ["*"], headers: ["*"], expose: ["ETag", "x-oss-request-id", "Content-Range"] }),
  anywhere: () => everything(["*"]),
};

/** @param {Element|null} root CORSConfiguration @returns {Cors} */
export function readCors(root) {
  return {
    rules: all(root, "CORSRule").map((rule) => ({
      origins: textsOf(rule, "AllowedOrigin"),
      methods: textsOf(rule, "AllowedMethod"),
      headers: textsOf(rule, "AllowedHeader"),
      expose: textsOf(rule, "ExposeHeader"),
      maxAge: numberOf(rule, "MaxAgeSeconds"),
    })),
    responseVary: flagOf(root, "ResponseVary"),
  };
}

/** @param {Cors} cors @returns {string} */
export function corsXml(cors) {
  const rules = cors.rules.map((rule) =>
    element("CORSRule", [
      ...rule.origins.map((value) => element("AllowedOrigin", value)),
      ...rule.methods.map((value) => element("AllowedMethod", value)),
      ...rule.headers.map((value) => element("AllowedHeader", value)),
      ...rule.expose.map((value) => element("ExposeHeader", value)),
      element("MaxAgeSeconds", rule.maxAge),
    ]),
  );
  return documentOf(element("CORSConfiguration", [...rules, element("ResponseVary", cors.responseVary)]));
}

/** The rules as ali-oss's putBucketCORS(bucket, rules) takes them. @param {Cors} cors @returns {string} */
export function corsJson(cors) {
  const rules = cors.rules.map((rule) => ({
    allowedOrigin: rule.origins,
    allowedMethod: rule.methods,
    ...(rule.headers.length ? { allowedHeader: rule.headers } : {}),
    ...(rule.expose.length ? { exposeHeader: rule.expose } : {}),
    ...(rule.maxAge === null ? {} : { maxAgeSeconds: String(rule.maxAge) }),
  }));
  return `${JSON.stringify(rules, null, 2)}\n`;
}

/** A pattern has at most one star and knows no case, as at the server. */
function fits(pattern, text) {
  const [head, ...rest] = pattern.toLowerCase().split("*");
  if (!rest.length) return head === text;
  return text.length >= head.length + rest[0].length && text.startsWith(head) && text.endsWith(rest[0]);
}

const allowsHeader = (rule, name) => rule.headers.some((pattern) => fits(pattern, name));
const exposes = (rule, name) => rule.expose.some((one) => one.toLowerCase() === name.toLowerCase());
const withExposed =
  (...names) =>
  (rule) => ({
    ...rule,
    expose: [...rule.expose, ...names.filter((name) => !exposes(rule, name))],
  });
const withMethods =
  (...names) =>
  (rule) => ({
    ...rule,
    methods: METHODS.filter((name) => rule.methods.includes(name) || names.includes(name)),
  });

/** Why a browser would never send this origin, or null. @param {string} origin */
export function originFault(origin) {
  if (/\s/.test(origin) || /[^\x21-\x7e]/.test(origin)) return "blank";
  if (origin.split("*").length > 2) return "stars";
  if (origin === "*" || origin === "null") return null;
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/]+\/.*$/i.test(origin)) return "path";
  if (!origin.includes("://") && !origin.startsWith("*")) return "scheme";
  return null;
}

/** The same origin as a browser writes it. @param {string} origin */
export function mendedOrigin(origin) {
  const text = origin.trim();
  const whole = text.includes("://") || text.startsWith("*") ? text : `https://${text}`;
  return whole.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/]+)\/.*$/i, "$1");
}

function originRemarks(rule) {
  if (!rule.origins.length) return [{ level: "error", code: "noOrigin" }];
  return rule.origins
    .map((origin) => [origin, originFault(origin)])
    .filter(([, fault]) => fault)
    .map(([origin, fault]) => ({
      level: fault === "path" || fault === "scheme" ? "warning" : "error",
      code: `origin.${fault}`,
      params: { origin },
      fix:
        fault === "path" || fault === "scheme"
          ? (it) => ({ ...it, origins: it.origins.map((one) => (one === origin ? mendedOrigin(one) : one)) })
          : undefined,
    }));
}

function methodRemarks(rule) {
  if (!rule.methods.length) return [{ level: "error", code: "noMethod" }];
  const has = (name) => rule.methods.includes(name);
  if (!has("PUT") && !has("POST")) return [{ level: "info", code: "readOnly" }];
  const found = [];
  if (!has("PUT")) found.push({ level: "warning", code: "noPut", fix: withMethods("PUT") });
  if (!has("POST")) found.push({ level: "warning", code: "noPost", fix: withMethods("POST") });
  if (!has("DELETE")) found.push({ level: "info", code: "noDelete", fix: withMethods("DELETE") });
  if (rule.origins.includes("*")) found.push({ level: "info", code: "anyOrigin" });
  return found;
}

function headerRemarks(rule) {
  const missing = SENT.filter((name) => !allowsHeader(rule, name));
  if (!missing.length) return [];
  const fix = (it) => ({ ...it, headers: ["*"] });
  if (!rule.headers.length) return [{ level: "warning", code: "noHeaders", fix }];
  return [{ level: "warning", code: "headersMissing", params: { names: missing.join(", ") }, fix }];
}

function exposeRemarks(rule) {
  const uploads = rule.methods.includes("PUT") || rule.methods.includes("POST");
  const level = uploads ? "warning" : "info";
  const found = [];
  if (!exposes(rule, "ETag")) {
    found.push({ level, code: uploads ? "noEtag" : "noEtagRead", fix: withExposed("ETag") });
  }
  if (!exposes(rule, "x-oss-request-id")) {
    found.push({ level, code: "noRequestId", fix: withExposed("x-oss-request-id") });
  }
  if (rule.expose.some((name) => name.includes("*"))) {
    found.push({
      level: "error",
      code: "exposeStar",
      fix: (it) => ({ ...it, expose: [...new Set([...it.expose.filter((name) => !name.includes("*")), ...EXPOSED])] }),
    });
  }
  return found;
}

/** What is wrong or doubtful about a rule, worst first. @param {CorsRule} rule @returns {Remark[]} */
export function remarksOf(rule) {
  const order = { error: 0, warning: 1, info: 2 };
  const found = [...originRemarks(rule), ...methodRemarks(rule), ...headerRemarks(rule), ...exposeRemarks(rule)];
  if (rule.maxAge === null) found.push({ level: "info", code: "noMaxAge", fix: (it) => ({ ...it, maxAge: 3600 }) });
  return found.sort((left, right) => order[left.level] - order[right.level]);
}

/**
 * The configuration with the least change that lets a page of `origin` do what was tested.
 * @param {Cors} cors
 * @param {{origin: string, method: string, headers: string[], rule: number|null}} tested `rule` counts from 1
 * @returns {Cors}
 */
export function fixed(cors, { origin, method, headers, rule }) {
  const readable = withExposed("ETag", "x-oss-request-id");
  if (rule !== null) {
    return { ...cors, rules: cors.rules.map((one, at) => (at === rule - 1 ? readable(one) : one)) };
  }
  const names = headers.map((name) => name.toLowerCase());
  const at = cors.rules.findIndex((one) => one.origins.some((pattern) => fits(pattern, origin.toLowerCase())));
  if (at < 0) return { ...cors, rules: [...cors.rules, PRESETS.uploads(origin)] };
  const widened = readable(withMethods(method)(cors.rules[at]));
  const unknown = names.filter((name) => !allowsHeader(widened, name));
  const rules = [...cors.rules];
  rules[at] = { ...widened, headers: unknown.length ? ["*"] : widened.headers };
  return { ...cors, rules };
}
