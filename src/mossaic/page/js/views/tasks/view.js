// The unfinished uploads of a bucket: what they hold, how they can go on, how they end.

import { h, onGone, replace } from "../../ui/dom.js";
import { textField } from "../../ui/form.js";
import { bytes, clock } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { derived } from "../../ui/live.js";
import { button, empty, pageHead, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { table } from "../../ui/table.js";
import { abortOlder } from "./abort.js";
import { columns } from "./columns.js";
import { continueFromCheckpoint } from "./resume.js";
import { Listing } from "./listing.js";

const TYPING_MS = 250;

/**
 * @param {{bucket: string, uploads: import("../../upload/uploads.js").Uploads, signal: AbortSignal}} context
 * @returns {HTMLElement}
 */
export function tasksView({ bucket, uploads, signal }) {
  const listing = new Listing({ bucket, signal });
  const taskOf = (uploadId) => uploads.tasks.value.find((task) => task.uploadId === uploadId && task.bucket === bucket);
  const context = { bucket, uploads, listing, taskOf };
  const filter = filterField(listing);
  const older = button(t("tasks.older"), { icon: "clock", onclick: async () => (await abortOlder({ listing, prefix: filter.value, taskOf })) && listing.refresh() });
  const from = button(t("tasks.from"), { icon: "inbox", onclick: () => continueFromCheckpoint({ bucket, uploads }) });
  const list = table({
    label: t("tasks.title"),
    columns: columns(context),
    rows: withTasks(listing.rows, uploads, bucket),
    key: ({ row }) => row.uploadId,
    version: (each) => each.version,
    empty: () => nothing(listing, filter.value, bucket),
    sort: { by: "initiated", down: true },
  });
  const body = h("div.tasks-list", skeleton(4));
  listing.state.watch(({ loading, problem }) => {
    if (problem) replace(body, problemView(problem, { retry: () => listing.refresh() }));
    else if (!loading && !body.contains(list.node)) replace(body, list.node);
  }, { signal });
  listing.refresh();
  return h(
    "div.tasks-view",
    pageHead({ title: t("tasks.title"), sub: t("tasks.sub"), actions: [from, older] }),
    h("div.tasks-bar", filter.node, totals(listing)),
    body,
  );
}

/** Rows joined with what this page knows of them, redrawn when either says something new. */
function withTasks(rows, uploads, bucket) {
  const join = (list, tasks) => {
    const mine = new Map(tasks.filter((task) => task.bucket === bucket && task.uploadId).map((task) => [task.uploadId, task]));
    return list.map((row) => {
      const task = mine.get(row.uploadId) ?? null;
      return { row, task, version: `${row.uploadId} ${row.bytes} ${row.parts?.length ?? "?"} ${task?.id ?? ""} ${task?.state ?? ""} ${row.problem?.code ?? ""}` };
    });
  };
  // Tasks change their state without the list of them changing; overall tells of that.
  return derived((list, tasks) => join(list, tasks), rows, uploads.tasks, uploads.overall);
}

function filterField(listing) {
  let timer = 0;
  const field = textField({
    label: t("tasks.filter"),
    hideLabel: true,
    type: "search",
    mono: true,
    placeholder: t("tasks.filter"),
    oninput: (value) => {
      clearTimeout(timer);
      timer = setTimeout(() => listing.filter(value), TYPING_MS);
    },
  });
  onGone(field.node, () => clearTimeout(timer));
  return field;
}

/** "12 unfinished uploads hold 3.4 GiB · as of 15:50", at least so much while not all are counted. */
function totals(listing) {
  const words = derived(
    (rows, { loading, at, more }) => {
      if (loading || !at) return "";
      const size = bytes(rows.reduce((sum, row) => sum + row.bytes, 0));
      const exact = !more && rows.every((row) => row.parts);
      return [t(exact ? "tasks.total" : "tasks.total.atLeast", { n: rows.length, size }), t("tasks.asOf", { time: clock(at) })].join(" · ");
    },
    listing.rows,
    listing.state,
  );
  return h("p.tasks-total", h("span.tasks-live", { "aria-hidden": "true" }), words);
}

function nothing(listing, prefix, bucket) {
  if (listing.state.value.loading) return null;
  if (prefix) return empty({ icon: "search", title: t("tasks.none.prefix", { prefix }) });
  return empty({ icon: "check-circle", title: t("tasks.none"), text: t("tasks.none.hint", { bucket }) });
}
