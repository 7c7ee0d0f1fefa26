// Going on with an upload that was begun elsewhere, or in another tab, or before a crash.

import { pick } from "../../upload/files.js";
import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { textField } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { button } from "../../ui/parts.js";
import { go } from "../../ui/router.js";

/**
 * @param {{key: string, uploadId: string}} row
 * @param {{bucket: string, uploads: import("../../upload/uploads.js").Uploads}} context
 * @param {import("../../upload/task.js").Task} [task] that this page has of it
 */
export async function resumeWithFile({ key, uploadId }, { bucket, uploads }, task) {
  if (task && task.state !== "needs-file") task.resume();
  else {
    const [found] = await pick({ multiple: false });
    if (!found?.file) return;
    uploads.adopt({ bucket, key, uploadId, file: found.file, handle: found.handle });
  }
  // There one sees what is checked, what is sent, and what is wrong with the file.
  go("/transfers");
}

/** A checkpoint of `mossaic uploads export`, of the SDK or of ali-oss; then the file that belongs to it. */
export async function continueFromCheckpoint({ bucket, uploads }) {
  const box = textField({ label: t("tasks.from.text"), rows: 6, mono: true, required: true, hint: t("tasks.from.hint") });
  const load = button(t("tasks.from.load"), {
    icon: "file",
    onclick: async () => {
      const [found] = await pick({ multiple: false });
      if (found?.file) box.value = await found.file.text();
    },
  });
  const done = await openDialog({
    title: t("tasks.from.title"),
    size: "medium",
    body: h("div.handover", h("p", t("tasks.from.what")), h("div", load), box.node),
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t("tasks.from.go"), kind: "primary", run: () => begin(box, { bucket, uploads }) },
    ],
  });
  if (done) go("/transfers");
}

/** Throws Problem kind "invalid", which the dialog shows. */
async function begin(box, { bucket, uploads }) {
  if (!box.check()) return false;
  const [found] = await pick({ multiple: false });
  if (!found?.file) return false;
  await uploads.fromCheckpoint(box.value, { bucket, file: found.file, handle: found.handle });
  return true;
}
