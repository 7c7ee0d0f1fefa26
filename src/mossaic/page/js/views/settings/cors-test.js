/** What a browser would show to a page of some origin, step by step, of the rules as they are saved; and the way out. */
import { busy } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { select, textField, validate } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { toast } from "../../ui/toast.js";
import { testCors } from "./calls.js";
import { fixed, METHODS, originFault } from "./cors-model.js";
import { notice, panel, refusal, saveDraft } from "./parts.js";

// What a page may send without asking first, and read without leave (Fetch standard).
const SIMPLE_METHODS = ["GET", "HEAD", "POST"];
const SIMPLE_HEADERS = ["accept", "accept-language", "content-language"];
const ALWAYS_READ = ["Cache-Control", "Content-Language", "Content-Length", "Content-Type", "Expires", "Last-Modified", "Pragma"];
const SIGNED_UPLOAD = ["authorization", "content-type", "x-oss-content-sha256", "x-oss-date", "x-oss-user-agent"];

const names = (text) =>
  text
    .split(/[\s,]+/)
    .map((name) => name.trim().toLowerCase())
    .filter(Boolean);

/**
 * @param {string} bucket
 * @param {import("./draft.js").Draft<import("./cors-model.js").Cors>} draft
 * @param {{repaint: () => void}} actions
 */
export function testPanel(bucket, draft, { repaint }) {
  const origin = textField({
    label: t("cors.test.origin"),
    required: true,
    mono: true,
    placeholder: "https://app.example.com",
    value: likely(draft.value.value),
    validate: (text) => (originFault(text) || text === "*" ? t("cors.test.originWrong") : undefined),
  });
  const method = select({ label: t("cors.test.method"), value: "PUT", options: METHODS.map((name) => ({ value: name, label: name })) });
  const headers = textField({
    label: t("cors.test.headers"),
    mono: true,
    optional: true,
    value: SIGNED_UPLOAD.join(", "),
    hint: t("cors.test.headersHint"),
  });
  const result = h("div.cors-result", { "aria-live": "polite" });
  const run = async () => {
    if (!validate(origin)) return;
    const asked = { origin: origin.value, method: method.value, headers: names(headers.value) };
    busy(button, true);
    try {
      const seen = await testCors(bucket, asked);
      replace(result, steps(asked, seen), remedy(asked, seen));
    } catch (error) {
      replace(result, refusal(error));
    } finally {
      busy(button, false);
    }
  };
  const remedy = (asked, seen) => fixOffer(draft, asked, seen, { repaint, again: run });
  const button = h("button.button.is-primary", { type: "submit" }, icon("play"), t("cors.test.run"));
  const stale = derived((dirty) => (dirty ? notice("info", null, h("p", t("cors.test.stale"))) : null), draft.dirty);
  const submit = (event) => {
    event.preventDefault();
    run();
  };
  return panel(
    t("cors.test.title"),
    h("p.settings-lead", t("cors.test.lead")),
    h(
      "form.cors-test",
      { novalidate: true, onsubmit: submit },
      h("div.cors-test-row", origin.node, method.node),
      headers.node,
      h("div.settings-row", button),
    ),
    stale,
    result,
  );
}

/** The first origin that somebody named; a star says nothing. */
const likely = (cors) => cors.rules.flatMap((rule) => rule.origins).find((origin) => !origin.includes("*")) ?? "";

const header = (seen, name) => {
  const found = Object.entries(seen.preflight?.headers ?? {}).find(([key]) => key.toLowerCase() === name);
  return found?.[1] ?? null;
};

const isSimple = ({ method, headers }) => SIMPLE_METHODS.includes(method) && headers.every((name) => SIMPLE_HEADERS.includes(name));

function step(good, title, ...content) {
  const sign = good === null ? "info" : good ? "check-circle" : "warning";
  const kind = good === null ? "info" : good ? "good" : "bad";
  const word = good === null ? "skipped" : good ? "passes" : "fails";
  return h(
    `li.step.is-${kind}`,
    h("span.step-icon", icon(sign)),
    h("div.step-text", h("p.step-title", title, h("span.badge", { class: `is-${kind}` }, t(`cors.step.${word}`))), content),
  );
}

const wire = (rows) => h("pre.wire", { tabIndex: 0 }, h("code", rows.filter(Boolean).join("\n")));

function steps(asked, seen) {
  return h(
    "div",
    h(
      `p.cors-verdict.is-${seen.allowed ? "good" : "bad"}`,
      icon(seen.allowed ? "check-circle" : "warning"),
      h("span", verdict(asked, seen)),
    ),
    h("ol.steps", preflightStep(asked, seen), requestStep(asked, seen), readStep(seen)),
  );
}

function verdict(asked, seen) {
  if (!seen.allowed) return t("cors.verdict.refused", { origin: asked.origin, method: asked.method });
  const readable = seen.exposes_etag && seen.exposes_request_id;
  return t(readable ? "cors.verdict.fine" : "cors.verdict.half", { origin: asked.origin, method: asked.method, rule: seen.rule });
}

function preflightStep(asked, seen) {
  const sent = [
    "OPTIONS",
    `Origin: ${asked.origin}`,
    `Access-Control-Request-Method: ${asked.method}`,
    asked.headers.length ? `Access-Control-Request-Headers: ${asked.headers.join(", ")}` : null,
  ];
  if (isSimple(asked)) return step(null, t("cors.step.preflight"), h("p", t("cors.step.noPreflight")));
  const answered = Object.entries(seen.preflight?.headers ?? {}).filter(([name]) => /^(access-control|vary)/i.test(name));
  return step(
    seen.allowed,
    t("cors.step.preflight"),
    seen.allowed ? null : h("p", reason(asked, seen)),
    h("p", t(seen.allowed ? "cors.step.preflightGood" : "cors.step.preflightBad", { rule: seen.rule ?? 0 })),
    h(
      "details.wire-details",
      h("summary", t("cors.step.wire")),
      wire(sent),
      wire([String(seen.preflight?.status ?? ""), ...answered.map(([name, value]) => `${name}: ${value}`)]),
    ),
  );
}

const REASONS = ["no-rules", "allow-origin", "allow-method", "allow-headers", "one-rule"];

/** Which piece it is that no rule has. */
function reason(asked, seen) {
  const code = REASONS.find((one) => seen.advice?.includes(one)) ?? "no-rules";
  return t(`cors.reason.${code}`, { origin: asked.origin, method: asked.method, names: asked.headers.join(", ") });
}

function requestStep(asked, seen) {
  const allowed = header(seen, "access-control-allow-origin");
  return step(
    seen.allowed,
    t("cors.step.request", { method: asked.method }),
    h(
      "p",
      seen.allowed
        ? t("cors.step.requestGood", { value: allowed ?? asked.origin })
        : t(isSimple(asked) ? "cors.step.requestHidden" : "cors.step.requestNever"),
    ),
  );
}

function readStep(seen) {
  if (!seen.allowed) return step(false, t("cors.step.read"), h("p", t("cors.step.readNothing")));
  const exposed = (header(seen, "access-control-expose-headers") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  const missing = [seen.exposes_etag ? null : "ETag", seen.exposes_request_id ? null : "x-oss-request-id"].filter(Boolean);
  const chip = (name, kind) => h(`span.chip.mono.is-${kind}`, name);
  return step(
    !missing.length,
    t("cors.step.read"),
    h("p", missing.length ? t("cors.step.readMissing", { names: missing.join(", ") }) : t("cors.step.readGood")),
    missing.includes("ETag") ? h("p", t("cors.step.etag")) : null,
    h(
      "p.chips",
      exposed.map((name) => chip(name, "good")),
      ALWAYS_READ.map((name) => chip(name, "plain")),
      missing.map((name) => h("span.chip.mono.is-bad", h("span.visually-hidden", `${t("cors.step.hidden")} `), h("s", name))),
    ),
  );
}

/** One press mends the rules, saves them and tests again; changes that are not saved yet are saved with it, and that is said. */
function fixOffer(draft, asked, seen, { repaint, again }) {
  if (seen.allowed && seen.exposes_etag && seen.exposes_request_id) return null;
  const what = seen.allowed ? "expose" : "allow";
  const apply = async () => {
    const before = draft.value.value;
    draft.set(fixed(draft.dirty.value ? before : draft.base, { ...asked, rule: seen.rule }));
    repaint();
    const done = await saveDraft(draft, { button, saved: t("cors.fix.saved"), repaint });
    if (done) await again();
    else toast({ kind: "warn", text: t("cors.fix.notSaved") });
  };
  const button = h("button.button.is-primary", { type: "button", onclick: apply }, icon("check"), t("cors.fix.button"));
  return h(
    "div.notice.is-info.cors-fix",
    h("span.notice-icon", icon("info")),
    h(
      "div.notice-text",
      h("p.notice-title", t(`cors.fix.${what}.title`, { origin: asked.origin })),
      h("p", t(`cors.fix.${what}.what`, { origin: asked.origin, rule: seen.rule ?? 0 })),
      derived((dirty) => (dirty ? h("p", t("cors.fix.others")) : null), draft.dirty),
      h("div.notice-actions", button),
    ),
  );
}
