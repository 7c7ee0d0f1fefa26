/** A new bucket: its name, who may use it, how it keeps. */

import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { select, textField, toggle, validate } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { toast } from "../../ui/toast.js";
import { allowPages, createBucket } from "./calls.js";

const NAME = /^[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9]$/;
export const ACLS = ["private", "public-read", "public-read-write"];
export const CLASSES = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];

/** @returns {Promise<string | undefined>} the name of the bucket made */
export function createDialog() {
  const name = textField({ label: t("buckets.new.name"), required: true, mono: true, maxLength: 63, hint: t("buckets.new.nameHint"), validate: (value) => (NAME.test(value) ? "" : t("buckets.new.nameWrong")) });
  const hint = h("span");
  const acl = select({ label: t("buckets.new.acl"), hint, options: ACLS.map((value) => ({ value, label: t(`buckets.acls.${value}`) })), onchange: explain });
  function explain(value) {
    hint.textContent = t(`buckets.new.aclHint.${value}`);
    hint.classList.toggle("is-warning", value === "public-read-write");
  }
  explain("private");
  const storage = select({ label: t("buckets.new.class"), hint: t("buckets.new.classHint"), options: CLASSES.map((value) => ({ value, label: t(`buckets.classes.${value}`) })) });
  const pages = toggle({ label: t("buckets.new.cors"), hint: t("buckets.new.corsHint") });
  const run = async () => {
    if (!validate(name)) return false;
    await createBucket({ name: name.value, acl: acl.value, storageClass: storage.value });
    if (pages.value) await allowPages(name.value).catch((problem) => toast({ kind: "warn", text: t("buckets.new.corsFailed"), problem }));
    return name.value;
  };
  return openDialog({
    title: t("buckets.new.title"),
    body: [name.node, acl.node, storage.node, pages.node],
    actions: [{ label: t("ui.cancel") }, { label: t("buckets.new.submit"), kind: "primary", run }],
  });
}
