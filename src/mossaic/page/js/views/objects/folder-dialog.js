/** A new folder: an empty object whose key ends in a slash, as OSS's own console makes it. */

import { call } from "../../core/oss.js";
import { toProblem } from "../../core/problem.js";
import { openDialog } from "../../ui/dialog.js";
import { textField } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { faultWords } from "./fault.js";

/**
 * @param {{bucket: string, prefix: string}} where
 * @returns {Promise<string|undefined>} the new folder's prefix
 */
export function folderDialog({ bucket, prefix }) {
  const name = textField({
    label: t("objects.folder.name"),
    hint: t("objects.folder.hint"),
    required: true,
    trim: false,
    validate: (value) => faultWords(`${prefix}${trimmed(value)}/`) ?? (trimmed(value) === "" ? t("objects.fault.empty") : undefined),
  });
  return openDialog({
    title: t("objects.folder.title"),
    body: name.node,
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t("objects.folder.do"), kind: "primary", run: () => (name.check() ? make(bucket, `${prefix}${trimmed(name.value)}/`, name) : false) },
    ],
  });
}

const trimmed = (value) => value.replace(/\/+$/, "");

async function make(bucket, key, name) {
  // Without the header a folder that is there would lose what its own object carries.
  const headers = { "x-oss-forbid-overwrite": "true", "Content-Type": "application/x-directory" };
  try {
    await call({ method: "PUT", object: key, headers }, { bucket, body: new Blob([]) });
  } catch (error) {
    if (toProblem(error).code !== "FileAlreadyExists") throw error;
    name.error(t("objects.folder.exists"));
    return false;
  }
  return key;
}
