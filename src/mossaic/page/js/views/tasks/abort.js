// Ending uploads for good: one, or all that were begun longer ago, after a look at what goes.

import { abort } from "../../core/oss.js";
import { confirm, openDialog } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { numberField, select } from "../../ui/form.js";
import { ago, bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { live } from "../../ui/live.js";
import { skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { toast } from "../../ui/toast.js";
import { olderThan } from "./gaps.js";

const UNITS = { m: 60_000, h: 3_600_000, d: 86_400_000 };
const SHOWN = 30;
const AT_ONCE = 4;

/** @param {{bucket: string, key: string, uploadId: string}} upload @param {import("../../upload/task.js").Task} [task] that sends it in this page */
export function abortUpload({ bucket, key, uploadId }, task) {
  // A task of this page has to hear of it, or it would go on sending parts that nobody keeps.
  return task ? task.abort() : abort({ bucket, key, uploadId });
}

/** @returns {Promise<boolean>} whether it was done */
export async function confirmAbort(row, { bucket, task }) {
  return confirm({
    title: t("tasks.abort.title"),
    what: t(task?.active ? "tasks.abort.what.here" : "tasks.abort.what", { key: row.key, size: bytes(row.bytes) }),
    label: t("tasks.abort.do"),
    danger: true,
    run: () => abortUpload({ bucket, key: row.key, uploadId: row.uploadId }, task),
  });
}

/**
 * @param {{listing: import("./listing.js").Listing, prefix: string, taskOf: (uploadId: string) => any}} context
 * @returns {Promise<boolean>}
 */
export async function abortOlder({ listing, prefix, taskOf }) {
  const ready = live(false);
  const label = h("span", t("tasks.older.do", { n: 0 }));
  const state = { all: [], picked: [] };
  const age = numberField({ label: t("tasks.older.age"), value: 1, min: 0, max: 10_000, required: true, oninput: () => preview() });
  const unit = select({
    label: t("tasks.older.unit"),
    value: "d",
    options: ["m", "h", "d"].map((value) => ({ value, label: t(`tasks.older.unit.${value}`) })),
    onchange: () => preview(),
  });
  const place = h("div.older-preview", { "aria-live": "polite" }, skeleton(3));
  const preview = () => {
    if (!age.check()) return ready.set(false);
    state.picked = olderThan(state.all, age.value * UNITS[unit.value], Date.now());
    ready.set(state.picked.length > 0);
    label.textContent = t("tasks.older.do", { n: state.picked.length });
    replace(place, previewOf(state.picked));
  };
  const where = prefix ? h("p", t("tasks.older.prefix", { prefix })) : null;
  const done = openDialog({
    title: t("tasks.older.title"),
    size: "medium",
    body: h("div.older", h("p", t("tasks.older.what")), where, h("div.option-pair", age.node, unit.node), place),
    actions: [
      { label: t("ui.cancel"), kind: "plain", value: false },
      { label, kind: "danger", enabled: ready, run: () => abortMany(state.picked, { listing, taskOf, place }) },
    ],
  });
  try {
    for await (const each of listing.all(prefix)) state.all.push(each);
    preview();
  } catch (problem) {
    replace(place, problemView(problem, { compact: true }));
  }
  return (await done) === true;
}

function previewOf(picked) {
  if (!picked.length) return h("p.older-none", t("tasks.older.none"));
  const counted = picked.filter((each) => each.known?.parts);
  const size = bytes(counted.reduce((sum, each) => sum + each.known.bytes, 0));
  const key = counted.length === picked.length ? "tasks.older.sum" : "tasks.older.sum.atLeast";
  const rows = picked.slice(0, SHOWN).map((each) =>
    h("li.older-row", h("span.older-key", { title: each.key }, each.key), h("span.older-age", ago(each.initiated)), h("span.older-size", each.known?.parts ? bytes(each.known.bytes) : "–")),
  );
  const more = picked.length > SHOWN ? h("p.field-hint", t("tasks.older.more", { n: picked.length - SHOWN })) : null;
  return [h("p.older-sum", t(key, { n: picked.length, size })), h("ul.older-list", rows), more];
}

async function abortMany(picked, { listing, taskOf, place }) {
  let done = 0;
  const failed = [];
  const queue = picked.values();
  const said = h("p.older-sum");
  replace(place, said);
  const work = async () => {
    for (const each of queue) {
      try {
        await abortUpload({ bucket: listing.bucket, key: each.key, uploadId: each.uploadId }, taskOf(each.uploadId));
        done += 1;
      } catch (problem) {
        failed.push(problem);
      }
      said.textContent = t("tasks.older.progress", { done, total: picked.length });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  if (failed.length) toast({ kind: "bad", text: t("tasks.older.failed", { n: failed.length }), problem: failed[0] });
  toast({ kind: "good", text: t("tasks.older.done", { n: done }) });
  return true;
}
