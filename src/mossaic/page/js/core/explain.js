/** Problems in words for people: what happened, and what to do about it. */

import "../words/core.js";
import { t } from "../ui/i18n.js";
import { toProblem } from "./problem.js";

/** Kinds whose words differ by OSS's code. */
const FINER = {
  InvalidAccessKeyId: "key",
  NoSuchBucket: "bucket",
  NoSuchUpload: "upload",
  EntityTooLarge: "size",
  BucketNotEmpty: "notEmpty",
  BucketAlreadyExists: "bucketExists",
  TooManyBuckets: "buckets",
  InvalidPart: "part",
  NotImplemented: "notImplemented",
  ChecksumMismatch: "checksum",
  OtherFile: "otherFile",
  FileChanged: "fileChanged",
  RunsElsewhere: "elsewhere",
};

/**
 * @param {any} thrown
 * @returns {{title: string, what: string, todo: (string | {text: string, code: string})[], copy: string}}
 *   `copy`: the request id, "" where no answer came
 */
export function explain(thrown) {
  const problem = toProblem(thrown);
  const stem = stemOf(problem);
  const facts = { ...problem.detail, message: problem.message, origin: problem.detail.origin ?? location.origin, n: 1 };
  return {
    title: t(`${stem}.title`, facts),
    what: t(`${stem}.what`, facts),
    todo: [...todoOf(stem, facts), ...(problem.kind === "cors" ? ruleFor(facts.origin) : [])],
    copy: problem.requestId,
  };
}

const SEEN_BY = { key: "signature", bucket: "missing", upload: "missing", size: "quota", notEmpty: "conflict", bucketExists: "exists", buckets: "quota", part: "changed", notImplemented: "server", checksum: "changed", otherFile: "changed", fileChanged: "changed", elsewhere: "conflict" };

function stemOf({ kind, code, detail }) {
  if (kind === "cors" && detail.expose) return "core.corsExpose";
  if (code === "OtherFile" && detail.expected !== undefined) return "core.otherSize";
  const finer = FINER[code];
  return finer && SEEN_BY[finer] === kind ? `core.${finer}` : `core.${kind}`;
}

const COUNTS = { cors: 1, corsExpose: 1, offline: 1, network: 3, timeout: 2, expired: 1, denied: 1, signature: 2, key: 2, clock: 1, server: 1, callback: 2, changed: 1, part: 1, checksum: 2, otherFile: 2, otherSize: 2, fileChanged: 2, elsewhere: 1, exists: 1, bucketExists: 1 };

function todoOf(stem, facts) {
  const count = COUNTS[stem.slice("core.".length)] ?? 0;
  return Array.from({ length: count }, (_, at) => t(`${stem}.todo${at + 1}`, facts));
}

/** The rule that lets this page in, in both spellings. */
export function ruleFor(origin) {
  const exposed = ["ETag", "x-oss-request-id", "x-oss-version-id", "x-oss-hash-crc64ecma", "x-oss-next-append-position"];
  const methods = ["GET", "PUT", "DELETE", "POST", "HEAD"];
  const lines = [
    `    <AllowedOrigin>${origin}</AllowedOrigin>`,
    ...methods.map((method) => `    <AllowedMethod>${method}</AllowedMethod>`),
    "    <AllowedHeader>*</AllowedHeader>",
    ...exposed.map((name) => `    <ExposeHeader>${name}</ExposeHeader>`),
    "    <MaxAgeSeconds>3600</MaxAgeSeconds>",
  ];
  const xml = `<CORSConfiguration>\n  <CORSRule>\n${lines.join("\n")}\n  </CORSRule>\n</CORSConfiguration>`;
  const rule = { AllowedOrigin: [origin], AllowedMethod: methods, AllowedHeader: ["*"], ExposeHeader: exposed, MaxAgeSeconds: 3600 };
  return [
    { text: t("core.ruleXml"), code: xml },
    { text: t("core.ruleJson"), code: JSON.stringify({ CORSRule: [rule] }, null, 2) },
  ];
}
