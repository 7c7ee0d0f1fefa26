/**
 * What the page can say of a bucket policy before the server does: syntax with its place, structure, and what it opens.
 * The server has the last word; these rules are the same as its own as far as a document alone can be judged.
 * @typedef {{level: "error"|"warning", code: string, params: object, start: number, end: number}} Issue
 * @typedef {{effect: string, everybody: boolean, principals: string[], actions: string[], resources: string[],
 *   conditions: {operator: string, key: string, values: string[]}[], closed: boolean}} Told
 */
import { scanJson, JsonFault } from "./json-scan.js";

export const MAX_BYTES = 16 * 1024;
const MAX_STATEMENTS = 100;
const FIELDS = ["Effect", "Action", "Resource", "Principal", "Condition", "Sid"];
const SERVICES = ["oss", "ram", "sts"];
const OPERATORS = [
  ...["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"].map((one) => `String${one}`),
  ...["Numeric", "Date"].flatMap((kind) =>
    ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"].map((one) => kind + one),
  ),
  "Bool",
  "IpAddress",
  "NotIpAddress",
];
const KEYS = [
  "acs:SourceIp",
  "acs:SourceVpc",
  "acs:UserAgent",
  "acs:CurrentTime",
  "acs:SecureTransport",
  "acs:AccessId",
  "acs:MFAPresent",
  "sts:ExternalId",
  "oss:Prefix",
  "oss:Delimiter",
];
const TAG_KEYS = ["oss:buckettag/", "oss:existingobjecttag/", "oss:requestobjecttag/"];
const CLOSING_KEYS = ["acs:sourceip", "acs:sourcevpc", "acs:accessid"];
const CLOSING_OPERATORS = ["IpAddress", "StringEquals", "StringEqualsIgnoreCase", "StringLike"];
const ANYTHING = ["*", "0.0.0.0/0", "::/0"];

class Check {
  constructor() {
    /** @type {Issue[]} */
    this.issues = [];
  }

  wrong(node, code, params = {}) {
    this.issues.push({ level: "error", code, params, start: node.start, end: node.end });
  }

  /** A text or a list of texts; numbers and booleans are taken where people write them so. */
  texts(node, owner, name) {
    if (!node) {
      this.wrong(owner, "missing", { name });
      return [];
    }
    const nodes = node.type === "array" ? node.items : [node];
    const bad = nodes.find((one) => !["string", "number", "true", "false"].includes(one.type));
    if (bad || !nodes.length) {
      this.wrong(bad ?? node, "texts", { name });
      return [];
    }
    return nodes.map((one) => ({ node: one, text: String(one.value) }));
  }
}

const member = (node, name) => node.members.find((one) => one.key.value === name)?.value;
const plain = (found) => found.map((one) => one.text);

function checkAction(check, { node, text }) {
  if (text === "*") return;
  const colon = text.indexOf(":");
  const service = text.slice(0, colon).toLowerCase();
  const known = SERVICES.includes(service) || service.includes("*");
  if (colon < 1 || colon === text.length - 1 || !known) check.wrong(node, "action", { text });
}

function checkResource(check, { node, text }, bucket) {
  if (text === "*") return;
  const pieces = text.split(":");
  const path = pieces.slice(4).join(":");
  if (pieces.length < 5 || !["acs", "*"].includes(pieces[0]) || !path) {
    check.wrong(node, "resource", { text, example: `acs:oss:*:*:${bucket}/*` });
  } else if (!/[*?]/.test(path.split("/")[0]) && path.split("/")[0] !== bucket) {
    check.issues.push({ level: "warning", code: "otherBucket", params: { text, bucket }, start: node.start, end: node.end });
  }
}

function conditionsOf(check, node) {
  if (!node) return [];
  if (node.type !== "object") {
    check.wrong(node, "conditionObject");
    return [];
  }
  return node.members.flatMap(({ key: operator, value }) => {
    if (!OPERATORS.includes(operator.value)) {
      check.wrong(operator, "operator", { text: operator.value, known: OPERATORS.join(", ") });
      return [];
    }
    if (value.type !== "object" || !value.members.length) {
      check.wrong(value, "operatorObject", { text: operator.value });
      return [];
    }
    return value.members.map((one) => conditionOf(check, operator.value, one));
  });
}

function conditionOf(check, operator, { key, value }) {
  const name = String(key.value);
  const lower = name.toLowerCase();
  const known = KEYS.some((one) => one.toLowerCase() === lower);
  const tag = TAG_KEYS.some((one) => lower.startsWith(one) && lower.length > one.length);
  if (!known && !tag) check.wrong(key, "conditionKey", { text: name, known: KEYS.join(", ") });
  return { operator, key: name, values: plain(check.texts(value, key, name)) };
}

const closes = ({ operator, key, values }) =>
  CLOSING_KEYS.includes(key.toLowerCase()) && CLOSING_OPERATORS.includes(operator) && !values.some((value) => ANYTHING.includes(value));

/** @returns {Told} */
function statementOf(check, node, bucket) {
  for (const { key } of node.members) {
    if (!FIELDS.includes(key.value)) check.wrong(key, "field", { name: key.value, known: FIELDS.join(", ") });
  }
  const effect = member(node, "Effect");
  if (!effect) check.wrong(node, "missing", { name: "Effect" });
  else if (!["Allow", "Deny"].includes(String(effect.value))) check.wrong(effect, "effect");
  const actions = check.texts(member(node, "Action"), node, "Action");
  const resources = check.texts(member(node, "Resource"), node, "Resource");
  const named = member(node, "Principal");
  const nobody = named?.type === "array" && !named.items.length; // OSS: an empty list is everybody
  const principals = nobody ? ["*"] : plain(check.texts(named, node, "Principal"));
  actions.forEach((one) => checkAction(check, one));
  resources.forEach((one) => checkResource(check, one, bucket));
  const conditions = conditionsOf(check, member(node, "Condition"));
  return {
    effect: String(effect?.value ?? ""),
    everybody: principals.includes("*"),
    principals,
    actions: plain(actions),
    resources: plain(resources),
    conditions,
    closed: conditions.some(closes),
  };
}

function documentOf(check, root, bucket) {
  if (root.type !== "object") {
    check.wrong(root, "object");
    return [];
  }
  for (const { key } of root.members) {
    if (!["Version", "Statement", "Id"].includes(key.value)) check.wrong(key, "outer", { name: key.value });
  }
  const version = member(root, "Version");
  if (!version) check.wrong(root, "missing", { name: "Version" });
  else if (version.value !== "1") check.wrong(version, "version");
  const list = member(root, "Statement");
  if (!list) check.wrong(root, "missing", { name: "Statement" });
  else if (list.type !== "array" || !list.items.length || list.items.length > MAX_STATEMENTS) {
    check.wrong(list, "statements", { max: MAX_STATEMENTS });
  }
  return (list?.items ?? []).flatMap((node) => {
    if (node.type === "object") return [statementOf(check, node, bucket)];
    check.wrong(node, "statement");
    return [];
  });
}

/**
 * @param {string} text
 * @param {string} bucket
 * @returns {{issues: Issue[], told: Told[], isJson: boolean, isPublic: boolean}}
 */
export function checkPolicy(text, bucket) {
  const check = new Check();
  let told = [];
  let isJson = true;
  try {
    told = documentOf(check, scanJson(text), bucket);
  } catch (fault) {
    if (!(fault instanceof JsonFault)) throw fault;
    isJson = false;
    const { code, params, offset } = fault;
    check.issues.push({ level: "error", code: `json.${code}`, params, start: offset, end: offset + 1 });
  }
  const size = new TextEncoder().encode(text).length;
  if (size > MAX_BYTES) check.wrong({ start: 0, end: 0 }, "size", { size, max: MAX_BYTES });
  const isPublic = told.some((one) => one.effect === "Allow" && one.everybody && !one.closed);
  return { issues: check.issues, told, isJson, isPublic };
}

/** @param {string} bucket @returns {Record<string, object[]>} statements by template */
const statements = (bucket) => ({
  publicRead: [{ Effect: "Allow", Principal: ["*"], Action: ["oss:GetObject"], Resource: [`acs:oss:*:*:${bucket}/public/*`] }],
  userPrefix: [
    {
      Effect: "Allow",
      Principal: ["USER_ID"],
      Action: ["oss:GetObject", "oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts"],
      Resource: [`acs:oss:*:*:${bucket}/shared/*`],
    },
    {
      Effect: "Allow",
      Principal: ["USER_ID"],
      Action: ["oss:ListObjects"],
      Resource: [`acs:oss:*:*:${bucket}`],
      Condition: { StringLike: { "oss:Prefix": ["shared/*"] } },
    },
  ],
  userRead: [
    {
      Effect: "Allow",
      Principal: ["USER_ID"],
      Action: ["oss:GetObject", "oss:ListObjects"],
      Resource: [`acs:oss:*:*:${bucket}`, `acs:oss:*:*:${bucket}/*`],
    },
  ],
  network: [
    {
      Effect: "Allow",
      Principal: ["*"],
      Action: ["oss:GetObject"],
      Resource: [`acs:oss:*:*:${bucket}/*`],
      Condition: { IpAddress: { "acs:SourceIp": ["192.168.0.0/16", "10.0.0.0/8"] } },
    },
  ],
  secure: [
    {
      Effect: "Deny",
      Principal: ["*"],
      Action: ["oss:*"],
      Resource: [`acs:oss:*:*:${bucket}`, `acs:oss:*:*:${bucket}/*`],
      Condition: { Bool: { "acs:SecureTransport": ["false"] } },
    },
  ],
});

export const TEMPLATES = ["publicRead", "userPrefix", "userRead", "network", "secure"];

/** The text of a template, added to the statements of `text` when that is a policy. */
export function withTemplate(text, name, bucket) {
  let document = { Version: "1", Statement: [] };
  try {
    const given = JSON.parse(text);
    if (given && Array.isArray(given.Statement)) document = given;
  } catch {
    // What is no JSON is replaced only after the person agreed (see policy.js).
  }
  return JSON.stringify({ ...document, Statement: [...document.Statement, ...statements(bucket)[name]] }, null, 2);
}
