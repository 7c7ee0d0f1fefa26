// Handing an upload over: its checkpoint as a file, and the commands that finish it elsewhere.

import { session } from "../../core/session.js";
import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { codeBlock } from "../../ui/problem-view.js";

/**
 * @param {string} bucket
 * @param {string} key
 * @param {object|string|null} checkpoint  JSON or its text; null when the parts alone do not tell
 * @param {string} uploadId
 */
export function checkpointDialog(bucket, key, checkpoint, uploadId) {
  const text = typeof checkpoint === "string" ? checkpoint : JSON.stringify(checkpoint, null, 2);
  const name = fileName(key);
  return openDialog({
    title: t("tasks.export.title"),
    size: "medium",
    body: checkpoint ? withCheckpoint(text, name, key) : withoutCheckpoint(bucket, key, uploadId),
  });
}

function withCheckpoint(text, name, key) {
  const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  return h(
    "div.handover",
    h("p", t("tasks.export.what")),
    h("p", h("a.button.is-primary", { href, download: name }, icon("download"), t("tasks.export.save", { name }))),
    h("p.handover-step", t("tasks.export.run")),
    codeBlock(`export MOSSAIC_ENDPOINT=${endpoint()}\nmossaic uploads import ${quoted(name)} ${quoted(localName(key))}`),
    h("p.field-hint", t("tasks.export.credentials")),
    h("details", h("summary", t("tasks.export.show")), codeBlock(text)),
  );
}

/** Without a part, or with parts of many sizes, the file itself has to tell: `resume` looks at it. */
function withoutCheckpoint(bucket, key, uploadId) {
  return h(
    "div.handover",
    h("p", t("tasks.export.none")),
    codeBlock(`export MOSSAIC_ENDPOINT=${endpoint()}\nmossaic uploads resume ${quoted(`oss://${bucket}/${key}`)} ${quoted(localName(key))} --upload-id ${uploadId}`),
    h("p.field-hint", t("tasks.export.credentials")),
  );
}

const endpoint = () => session.live.value?.endpoint ?? location.origin;
const localName = (key) => key.split("/").filter(Boolean).pop() ?? "FILE";
const fileName = (key) => `${localName(key).replace(/[^\p{L}\p{N}._-]+/gu, "_")}.checkpoint.json`;

/** For a shell: what is not plainly harmless goes into single quotes. */
function quoted(text) {
  return /^[A-Za-z0-9._/:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
