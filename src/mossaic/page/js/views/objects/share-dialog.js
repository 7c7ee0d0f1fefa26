/** Links that work without signing in, for a time: what they allow, how long, and the link to copy. */

import { presign } from "../../core/oss.js";
import { session } from "../../core/session.js";
import { copyText } from "../../ui/copy.js";
import { openDialog } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { dateTime, duration } from "../../ui/format.js";
import { numberField, segmented, select, textField, toggle, validate } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { live } from "../../ui/live.js";
import { button, notice } from "../../ui/parts.js";
import { codeBlock } from "../../ui/problem-view.js";
import { attachment, fileName } from "./keys.js";
import { nameNode } from "./name.js";

const HOUR = 3600;
const DAY = 24 * HOUR;
const LONGEST = 7 * DAY; // OSS API: a signature V4 in a URL
const NEARLY_S = 60; // a link of an hour may end with a session that has 59 minutes and a half left
const CHOICES = [900, HOUR, 6 * HOUR, DAY, 3 * DAY, LONGEST];

/** @param {{bucket: string, key: string, versionId?: string}} what */
export async function shareDialog({ bucket, key, versionId }) {
  await freshen();
  const made = live(null);
  const fields = makeFields({ key, made });
  const result = h("div.share-result", { "aria-live": "polite" });
  made.watch((link) => replace(result, link ? linkView(link) : null));
  return openDialog({
    title: t("objects.share.title"),
    size: "medium",
    body: [h("p.transfer-from", icon("file"), nameNode(key)), fields.nodes, result],
    actions: [
      { label: t("ui.close"), kind: "plain" },
      { label: t("objects.share.do"), kind: "primary", run: () => make() },
    ],
  });

  async function make() {
    if (!fields.check()) return false;
    const order = fields.value();
    const query = {};
    if (versionId && order.method === "GET") query.versionId = versionId;
    if (order.attachment) query["response-content-disposition"] = attachment(order.name);
    const url = await presign({ bucket, key, method: order.method, expiresS: order.seconds, query, credentials: order.credentials });
    fields.forget();
    made.set({ url, method: order.method, until: endOf(order) });
    result.querySelector("textarea")?.select();
    return false;
  }
}

function endOf({ seconds, credentials }) {
  return new Date(Date.now() + Math.min(seconds, credentials ? Infinity : sessionLeftS()) * 1000);
}

/** What is left of the session: a link signed with temporary keys ends with them. */
function sessionLeftS() {
  const ends = session.live.value?.expiresAt;
  return ends ? Math.floor((ends.getTime() - Date.now()) / 1000) : Infinity;
}

/** A session that renews itself is renewed now, so that its links live as long as they can. */
async function freshen() {
  const state = session.live.value;
  if (!state?.renewable || sessionLeftS() > HOUR) return;
  try {
    await session.renewed(state.credentials.stsToken);
  } catch {
    // what is left of the old one is good as well
  }
}

function makeFields({ key, made }) {
  const stale = () => made.set(null); // the link shown is no longer what the fields say
  const method = segmented({
    label: t("objects.share.method"),
    options: [
      { value: "GET", label: t("objects.share.get") },
      { value: "PUT", label: t("objects.share.put") },
    ],
    value: "GET",
    onchange: () => (stale(), show()),
  });
  const expiry = select({ label: t("objects.share.expiry"), options: [...CHOICES.map((s) => ({ value: String(s), label: duration(s) })), { value: "custom", label: t("objects.share.custom") }], value: String(HOUR), onchange: () => (stale(), show()) });
  const minutes = numberField({ label: t("objects.share.minutes"), value: 120, min: 1, max: LONGEST / 60, required: true, oninput: () => (stale(), show()) });
  const saved = toggle({ label: t("objects.share.attachment"), hint: t("objects.share.attachmentHint"), onchange: () => (stale(), show()) });
  const name = textField({ label: t("objects.share.fileName"), value: fileName(key), required: true, oninput: stale });
  const id = textField({ label: t("objects.share.keyId"), mono: true, required: true, oninput: stale });
  const secret = textField({ label: t("objects.share.keySecret"), type: "password", required: true, oninput: stale });
  const why = h("span");
  const pair = h("fieldset.share-pair", h("legend.visually-hidden", t("objects.share.pair")), notice({ icon: "key", text: why }), id.node, secret.node);
  const putNote = notice({ kind: "warn", text: t("objects.share.putNote") });
  const seconds = () => (expiry.value === "custom" ? (minutes.value ?? 0) * 60 : Number(expiry.value));
  const needsPair = () => seconds() > sessionLeftS() + NEARLY_S;
  const show = () => {
    minutes.node.hidden = expiry.value !== "custom";
    saved.node.hidden = method.value !== "GET";
    name.node.hidden = method.value !== "GET" || !saved.value;
    putNote.hidden = method.value !== "PUT";
    pair.hidden = !needsPair();
    why.textContent = needsPair() ? t("objects.share.needsPair", { left: duration(Math.max(0, sessionLeftS())) }) : "";
  };
  show();
  return {
    nodes: [method.node, putNote, expiry.node, minutes.node, saved.node, name.node, pair],
    check: () => validate(minutes.node.hidden ? null : minutes, name.node.hidden ? null : name, pair.hidden ? null : [id, secret]),
    value: () => ({
      method: method.value,
      seconds: seconds(),
      attachment: method.value === "GET" && saved.value,
      name: name.value,
      credentials: needsPair() ? { accessKeyId: id.value, accessKeySecret: secret.value.trim(), stsToken: "" } : undefined,
    }),
    forget() {
      secret.value = ""; // used once, kept nowhere
    },
  };
}

function linkView({ url, method, until }) {
  const box = h("textarea.input.mono.share-link", { readOnly: true, rows: 4, value: url, "aria-label": t("objects.share.link"), onfocus: (event) => event.target.select() });
  const command = method === "PUT" ? `curl -T FILE '${url}'` : `curl -o FILE '${url}'`;
  return [
    h("div.share-head", h("strong", t("objects.share.ready")), h("span.muted", t("objects.share.until", { date: dateTime(until) })), copying(url)),
    box,
    h("details.share-curl", h("summary", t("objects.share.curl")), codeBlock(command)),
    h("p.muted.small", t("objects.share.warning")),
  ];
}

function copying(url) {
  const node = button(t("objects.share.copy"), {
    icon: "copy",
    small: true,
    className: "copy-button",
    onclick: async () => {
      const done = await copyText(url);
      node.querySelector(".button-label").textContent = t(done ? "ui.copied" : "ui.copyFailed");
    },
  });
  return node;
}
