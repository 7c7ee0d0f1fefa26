/** One callback in full: its tries, what was sent, what was signed, how to verify it, and sending it again. */
import { api } from "../../core/api.js";
import { busy } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { dateTime } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { badge, facts, notice } from "../../ui/parts.js";
import { codeBlock, copyButton, problemView } from "../../ui/problem-view.js";
import { nameNode } from "../objects/name.js";
import { fieldsOf, lastOf, originOf } from "./record.js";
import { verifyPanel } from "./verify.js";

const part = (title, ...content) => h("section.callback-part", h("h2.callback-part-title", title), content);

/** Any text of the wire, whole and safe. @param {string} text @param {string} label */
const block = (text, label) => (text === "" ? h("p.callback-small", t("callbacks.empty")) : codeBlock(text, label));

/**
 * @param {import("./record.js").CallbackRecord} record
 * @param {{reload: () => Promise<void>}} options  after a replay the list has one more
 */
export function detail(record, { reload }) {
  const last = lastOf(record);
  return [
    head(record, reload),
    part(
      t("callbacks.triesTitle"),
      h(
        "ol.callback-tries",
        record.tries.map((one, at) => tryLine(one, at, record)),
      ),
    ),
    h("div.callback-columns", bodyPart(record), last ? headersPart(last) : null),
    last ? signaturePart(record, last) : null,
    last ? verifyPanel(record, last) : null,
  ];
}

function head(record, reload) {
  const result = h("div.callback-replay", { "aria-live": "polite" });
  const replay = async () => {
    busy(button, true);
    try {
      const again = await api.post("callbacks/replay", { id: record.id });
      replace(
        result,
        comparison(record, again),
        h("div", h("button.button.is-small.is-ghost", { type: "button", onclick: reload }, icon("list"), t("callbacks.showInList"))),
      );
    } catch (error) {
      replace(result, problemView(error));
    } finally {
      busy(button, false);
    }
  };
  const button = h("button.button.is-plain", { type: "button", onclick: replay }, icon("refresh"), t("callbacks.replay"));
  return h(
    "div.callback-top",
    facts([
      [t("callbacks.object"), h("span.mono", nameNode(record.key))],
      [
        t("callbacks.sentFor"),
        record.upload_id ? [`${record.operation} `, h("span.mono.callback-small", record.upload_id)] : record.operation,
      ],
      [t("callbacks.at"), dateTime(new Date(record.at))],
      record.host ? [t("callbacks.host"), h("span.mono", record.host)] : null,
    ]),
    h("div.callback-actions", button, h("p.callback-small", t("callbacks.replayHint"))),
    result,
  );
}

// --- tries -----------------------------------------------------------------------------------------------

function tryBadge(one, ok) {
  const words = one.status === null ? t("callbacks.noAnswer") : String(one.status);
  return badge(words, ok ? "good" : "bad");
}

const isTaken = (one, at, record) => record.ok && at === record.tries.length - 1;

function tryLine(one, at, record) {
  return h(
    "li.callback-try",
    h(
      "div.callback-try-head",
      tryBadge(one, isTaken(one, at, record)),
      h("span.mono.callback-url", one.url),
      h("span.callback-small", one.address),
      h("span.callback-ms", t("callbacks.ms", { n: number(Math.round(one.ms)) })),
    ),
    one.error ? h("p.callback-error", icon("warning"), h("span", one.error)) : null,
    one.status === null ? null : answerOf(one),
  );
}

function answerOf(one) {
  return [block(one.answer, t("callbacks.copyAnswer")), one.truncated ? h("p.callback-small", t("callbacks.truncated")) : null];
}

// --- replay ----------------------------------------------------------------------------------------------

function side(title, record) {
  const last = lastOf(record);
  return h(
    "div.callback-side",
    h("h3.callback-side-title", title),
    facts([
      [t("callbacks.result"), last ? tryBadge(last, record.ok) : badge(t("callbacks.notSent"), "bad")],
      [t("callbacks.time"), t("callbacks.ms", { n: number(Math.round(record.tries.reduce((sum, one) => sum + one.ms, 0))) })],
      last?.error ? [t("callbacks.error"), last.error] : null,
    ]),
    last && last.status !== null ? answerOf(last) : null,
  );
}

const outcome = (record) => JSON.stringify([record.ok, record.tries.map((one) => [one.status, one.answer, one.error])]);

function comparison(before, after) {
  const same = outcome(before) === outcome(after);
  const kind = after.ok ? "good" : "bad";
  return [
    notice({
      kind,
      title: t(`callbacks.again.${after.ok ? "taken" : "refused"}`),
      text: t(`callbacks.again.${same ? "same" : "differs"}`),
    }),
    h(
      "div.callback-columns",
      side(t("callbacks.first", { at: dateTime(new Date(before.at)) }), before),
      side(t("callbacks.second", { at: dateTime(new Date(after.at)) }), after),
    ),
  ];
}

// --- what was sent ---------------------------------------------------------------------------------------

function bodyPart(record) {
  const fields = fieldsOf(record);
  return part(
    t("callbacks.body"),
    h("p.callback-small.mono", record.content_type),
    block(record.body, t("callbacks.copyBody")),
    fields?.length
      ? h(
          "dl.callback-fields",
          fields.map(([name, value]) => [h("dt.mono", name), h("dd.mono", value || "–")]),
        )
      : null,
  );
}

function headersPart(one) {
  const text = Object.entries(one.headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");
  return part(t("callbacks.headers"), block(text, t("callbacks.copyHeaders")));
}

function signaturePart(record, one) {
  const local = /^[a-z]+:\/\/(localhost|127\.|\[::1\])/i.test(record.pub_key_url);
  return part(
    t("callbacks.signature"),
    h("p.callback-small", t("callbacks.signatureHow")),
    facts([
      [
        t("callbacks.keyUrl"),
        h("span.callback-copy", h("span.mono", record.pub_key_url), copyButton(record.pub_key_url, t("callbacks.copyKeyUrl"))),
      ],
      [
        t("callbacks.signatureValue"),
        h("span.callback-copy", h("span.mono.callback-signature", one.signature), copyButton(one.signature, t("callbacks.copySignature"))),
      ],
    ]),
    h("p.callback-label", t("callbacks.signedText")),
    block(one.signed_text, t("callbacks.copySigned")),
    h("p.callback-small", t(local ? "callbacks.keyLocal" : "callbacks.keyReach", { origin: originOf(record.pub_key_url) })),
  );
}
