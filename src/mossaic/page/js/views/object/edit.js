/** Dialogs that change one object; each does its request itself, so that a refusal is read where the change was made. */

import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { select, textField, validate } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { keyValueEditor } from "../../ui/key-values.js";
import { notice } from "../../ui/parts.js";
import { toast } from "../../ui/toast.js";
import { ACLS, CLASSES, STORED } from "./facts.js";
import { putAcl, putTags, rewrite } from "./write.js";

const MAX_META = 8 * 1024; // bytes, names and values
const MAX_TAGS = 10;
const TAG = /^[A-Za-z0-9 +\-=._:/]*$/;

/** @typedef {{bucket: string, key: string, versionId?: string}} Where */

async function change({ title, body, run, done }) {
  const changed = await openDialog({
    title,
    size: "medium",
    body,
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t("ui.save"), kind: "primary", run: async () => ((await run()) === false ? false : true) },
    ],
  });
  if (changed) toast({ kind: "good", text: done });
  return changed === true;
}

/**
 * @param {Where} where
 * @param {import("./facts.js").Facts} facts
 * @param {{acl: string, versioned: boolean}} more  acl: as set now; it would be lost otherwise
 */
export function editHeaders(where, facts, { acl, versioned }) {
  const fields = STORED.map((name) => [name, textField({ label: name, value: facts.stored[name] ?? "", mono: true, placeholder: t(`object.headers.${name}`), validate: headerFault })]);
  const meta = keyValueEditor({ label: t("object.meta.title"), prefix: "x-oss-meta-", pairs: facts.meta, hint: t("object.meta.hint"), validate: metaFault });
  const run = () => {
    if (!validate(...fields.map(([, field]) => field), meta)) return false;
    if (metaBytes(meta.value) > MAX_META) return meta.error(t("object.meta.tooMuch", { bytes: metaBytes(meta.value) })), false;
    const stored = Object.fromEntries(fields.map(([name, field]) => [name, field.value]));
    return rewrite(where, facts, { acl, stored, meta: lower(meta.value) });
  };
  const note = notice({ text: t(versioned ? "object.headers.newVersion" : "object.headers.inPlace") });
  return change({ title: t("object.headers.edit"), body: [h("div.fields", fields.map(([, field]) => field.node)), meta.node, note], run, done: t("object.headers.saved") });
}

const lower = (record) => Object.fromEntries(Object.entries(record).map(([name, value]) => [name.toLowerCase(), value]));
const metaBytes = (record) => Object.entries(record).reduce((sum, pair) => sum + new TextEncoder().encode(pair.join("")).length, 0);
const headerFault = (value) => (/[\u0000-\u001f\u007f]/.test(value) ? t("object.headers.control") : undefined);

function metaFault(name, value) {
  if (!/^[A-Za-z0-9-]+$/.test(name)) return t("object.meta.name");
  return headerFault(value);
}

/** @param {Where} where @param {Record<string, string>} tags */
export function editTags(where, tags) {
  const editor = keyValueEditor({ label: t("object.tags.title"), pairs: tags, max: MAX_TAGS, hint: t("object.tags.hint"), validate: tagFault });
  const run = () => (editor.check() ? putTags(where, editor.value) : false);
  return change({ title: t("object.tags.edit"), body: editor.node, run, done: t("object.tags.saved") });
}

function tagFault(name, value) {
  if (name.length > 128 || value.length > 256) return t("object.tags.long");
  return TAG.test(name) && TAG.test(value) ? undefined : t("object.tags.characters");
}

/** @param {Where} where @param {string} acl */
export function editAcl(where, acl) {
  const warn = h("div");
  const field = select({
    label: t("object.acl.title"),
    value: acl,
    options: ACLS.map((value) => ({ value, label: t(`object.acl.${value}`) })),
    onchange: (value) => warn.replaceChildren(...(value.startsWith("public") ? [notice({ kind: "warn", text: t(`object.acl.warn.${value}`) })] : [])),
  });
  return change({ title: t("object.acl.edit"), body: [field.node, warn], run: () => putAcl(where, field.value), done: t("object.acl.saved") });
}

/** @param {Where} where @param {import("./facts.js").Facts} facts @param {{acl: string, versioned: boolean}} more */
export function editClass(where, facts, { acl, versioned }) {
  const field = select({ label: t("object.class.title"), value: facts.storageClass, options: CLASSES.map((value) => ({ value, label: t(`objects.class.${value}`) })) });
  const note = notice({ text: t(versioned ? "object.headers.newVersion" : "object.class.note") });
  return change({ title: t("object.class.edit"), body: [field.node, note], run: () => rewrite(where, facts, { acl, storageClass: field.value }), done: t("object.class.saved") });
}
