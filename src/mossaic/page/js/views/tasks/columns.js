// What the table of unfinished uploads shows of each, and what can be done with it.

import { h } from "../../ui/dom.js";
import { ago, bytes, dateTime } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/menu.js";
import { badge } from "../../ui/parts.js";
import { copyButton } from "../../ui/problem-view.js";
import { toast } from "../../ui/toast.js";
import { session } from "../../core/session.js";
import { stateWord } from "../transfers/state.js";
import { partMap } from "../transfers/part-map.js";
import { confirmAbort } from "./abort.js";
import { checkpointDialog } from "./checkpoint.js";
import { checkpointOf, mapOf, ownerName } from "./gaps.js";
import { partsDialog } from "./parts-dialog.js";
import { resumeWithFile } from "./resume.js";

/** @param {object} context  as the view makes it */
export function columns(context) {
  return [
    { id: "key", label: t("tasks.col.key"), main: true, sort: ({ row }) => row.key, cell: keyCell },
    { id: "bytes", label: t("tasks.col.stored"), sort: ({ row }) => row.bytes, cell: storedCell, className: "tasks-stored" },
    { id: "initiated", label: t("tasks.col.age"), sort: ({ row }) => row.initiated.getTime(), cell: ({ row }) => h("time", { datetime: row.initiated.toISOString(), title: dateTime(row.initiated) }, ago(row.initiated)) },
    { id: "owner", label: t("tasks.col.owner"), show: "wide", cell: ({ row }) => (row.owner ? h("span", { title: row.owner }, ownerName(row.owner)) : "–") },
    { id: "class", label: t("tasks.col.class"), show: "wide", cell: ({ row }) => row.storageClass || "–" },
    { id: "id", label: t("tasks.col.id"), show: "wide", cell: ({ row }) => h("span.tasks-id", h("span.mono", { title: row.uploadId }, row.uploadId), copyButton(row.uploadId, t("tasks.copyId"))) },
    { id: "acts", label: t("tasks.col.acts"), hideLabel: true, align: "end", cell: (each) => actsCell(each, context) },
  ];
}

function keyCell({ row, task }) {
  const cut = row.key.lastIndexOf("/", row.key.length - 2) + 1;
  return h(
    "div.tasks-key",
    h("span.tasks-key-name", { title: row.key }, cut ? h("span.tasks-key-folder", row.key.slice(0, cut)) : null, h("bdi", row.key.slice(cut))),
    task ? badge(t("tasks.here", { state: stateWord(task) }), task.state === "sending" ? "accent" : "info") : null,
  );
}

function storedCell({ row, task }) {
  if (row.problem) return h("span.tasks-unknown", { title: row.problem.message }, t("tasks.unlisted"));
  if (!row.parts) return h("span.tasks-unknown", t("tasks.counting"));
  if (!row.parts.length) return h("span.tasks-unknown", t("tasks.stored.none"));
  const map = partMap({ compact: true });
  map.update(mapOf(row.parts, task?.parts.length));
  return h(
    "div.tasks-parts",
    h("span", { title: t("ui.bytes", { n: row.bytes }) }, t("tasks.stored.short", { size: bytes(row.bytes), n: row.parts.length })),
    map.node,
  );
}

function actsCell({ row, task }, context) {
  const resume = h(
    "button.button.is-small.is-plain",
    { type: "button", "aria-label": t("tasks.resume.of", { key: row.key }), onclick: () => guarded(row, () => resumeWithFile(row, context, task)) },
    icon("play"),
    h("span.button-label", t("tasks.resume")),
  );
  const items = [
    { label: t("tasks.showParts"), icon: "grid", run: () => guarded(row, () => showParts(row, context, task)) },
    { label: t("tasks.export"), icon: "download", run: () => guarded(row, () => exportOne(row, context, task)) },
    "-",
    { label: t("tasks.abort"), icon: "trash", danger: true, run: () => guarded(row, () => abortOne(row, context, task)) },
  ];
  const more = menuButton(t("tasks.more.of", { key: row.key }), items, { iconOnly: true, kind: "ghost", small: true });
  const isGoing = task && !["failed", "cancelled", "needs-file", "aborted", "done", "paused"].includes(task.state);
  return h("div.tasks-acts", isGoing ? null : resume, more);
}

async function guarded(row, run) {
  try {
    await run();
  } catch (problem) {
    toast({ kind: "bad", text: t("tasks.failed", { key: row.key }), problem });
  }
}

async function showParts(row, { listing }, task) {
  await partsDialog(row, await listing.parts(row), task);
}

async function exportOne(row, { bucket, listing }, task) {
  const known = task?.checkpoint();
  const endpoint = session.live.value?.endpoint ?? location.origin;
  const made = known ?? checkpointOf({ endpoint, bucket, key: row.key, uploadId: row.uploadId, parts: await listing.parts(row) });
  await checkpointDialog(bucket, row.key, made, row.uploadId);
}

async function abortOne(row, { bucket, listing }, task) {
  if (!(await confirmAbort(row, { bucket, task }))) return;
  toast({ kind: "good", text: t("tasks.aborted", { key: row.key, size: bytes(row.bytes) }) });
  await listing.refresh();
}
