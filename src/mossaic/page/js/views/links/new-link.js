/** The dialogs of a new link: its limits, and then its URL, which is shown once. */

import { api } from "../../core/api.js";
import { copyText } from "../../ui/copy.js";
import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { numberField, select, textField, validate } from "../../ui/form.js";
import { shortDateTime } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { button, notice } from "../../ui/parts.js";

const MIB = 1024 ** 2;
const GIB = 1024 ** 3;
const HOUR = 3600;
const LIVES = [HOUR, 24 * HOUR, 7 * 24 * HOUR, 30 * 24 * HOUR, 90 * 24 * HOUR];

/** @param {string} bucket @returns {Promise<boolean>} whether one was made */
export async function newLink(bucket) {
  const form = fields();
  const made = await openDialog({
    title: t("links.new.title"),
    size: "medium",
    body: form.node,
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t("links.new.make"), kind: "primary", run: () => (form.check() ? api.post("requests", { bucket, ...form.value }) : false) },
    ],
  });
  if (!made?.url) return false;
  await showOnce(made);
  return true;
}

function fields() {
  const title = textField({ label: t("links.new.heading"), hint: t("links.new.headingHint"), maxLength: 200, optional: true });
  const note = textField({ label: t("links.new.note"), rows: 2, maxLength: 2000, optional: true });
  const prefix = textField({ label: t("links.new.prefix"), hint: t("links.new.prefixHint"), value: "uploads/", mono: true, optional: true, validate: (is) => (/^[/\\]/.test(is) ? t("links.new.noSlash") : "") });
  const objects = numberField({ label: t("links.new.objects"), value: 100, min: 1, max: 1_000_000, required: true });
  const total = sizeField({ label: t("links.new.total"), value: 10 });
  const each = sizeField({ label: t("links.new.each"), value: 5, validate: () => (each.bytes > total.bytes ? t("links.new.tooSmall") : "") });
  const life = select({ label: t("links.new.life"), value: String(LIVES[2]), options: LIVES.map((s) => ({ value: String(s), label: lifeWords(s) })) });
  return {
    node: h("div.fields", title.node, note.node, prefix.node, h("div.field-row", objects.node, life.node), h("div.field-row", each.node, total.node)),
    check: () => validate(prefix, objects, total.field, each.field),
    get value() {
      return { title: title.value, note: note.value, prefix: prefix.value, max_objects: objects.value, max_object_bytes: each.bytes, max_total_bytes: total.bytes, expires_s: Number(life.value) };
    },
  };
}

const lifeWords = (s) => (s < 24 * HOUR ? t("links.new.hours", { n: s / HOUR }) : t("links.new.days", { n: s / 24 / HOUR }));

/** A number and a unit beside it. */
function sizeField({ label, value, validate: more }) {
  const field = numberField({ label, value, min: 1, max: 50_000, required: true, validate: more });
  const unit = select({ label: `${label}: `, hideLabel: true, value: String(GIB), options: [{ value: String(MIB), label: "MiB" }, { value: String(GIB), label: "GiB" }], onchange: () => field.check() });
  return {
    node: h("div.link-size", field.node, unit.node),
    field,
    get bytes() {
      return Math.round((field.value ?? 0) * Number(unit.value));
    },
  };
}

async function showOnce({ url, request }) {
  const input = h("input.input.mono", { type: "text", readOnly: true, value: url, "aria-label": t("links.made.url"), onfocus: () => input.select() });
  const told = h("p.link-copied", { role: "status" }); // a toast would lie behind the dialog
  const copy = async () => {
    const done = await copyText(url);
    told.textContent = t(done ? "links.made.copied" : "links.made.copyFailed");
    if (!done) input.focus();
  };
  const plain = url.startsWith("http:") ? notice({ kind: "info", text: t("links.made.plain") }) : null;
  await openDialog({
    title: t("links.made.title"),
    size: "medium",
    body: [
      h("p", t("links.made.once")),
      h("div.link-url", input, button(t("links.made.copy"), { icon: "copy", kind: "primary", onclick: copy })),
      told,
      h("p.field-hint", t("links.made.whoever", { time: shortDateTime(new Date(request.expires_at)) })),
      plain,
    ],
    actions: [{ label: t("links.made.done"), kind: "plain" }],
  });
}
