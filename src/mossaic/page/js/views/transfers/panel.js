// Uploads as a list with what holds for all of them: progress, limit, and acts on every one at once.

import { h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { batchActs, batchButtons } from "./batch.js";
import { bandwidthControl } from "./bandwidth.js";
import { overallBar } from "./overall.js";
import { transferRow } from "./row.js";
import { sections } from "./state.js";

const STEP = { open: 50, ended: 20 };

/**
 * @param {{uploads: import("../../upload/uploads.js").Uploads, bucket?: string, signal: AbortSignal, empty?: () => any}} context
 *   `bucket`: only its uploads; `empty`: what to show when there are none, else the panel hides
 * @returns {{node: HTMLElement}}
 */
export function transfersPanel({ uploads, bucket, signal, empty }) {
  const mine = () => uploads.tasks.value.filter((task) => !bucket || task.bucket === bucket);
  const overall = overallBar({ uploads, signal });
  const batch = h("div.transfers-acts");
  const rows = new Map(); // by task, for both lists: a row that moves stays as it is, with its details open
  const open = listOf("open", rows, { uploads, bucket, signal });
  const ended = listOf("ended", rows, { uploads, bucket, signal });
  const none = h("div.transfers-none");
  const full = h(
    "div.transfers-full",
    h("header.transfers-head", h("h2", t("upload.transfers")), batch),
    h("div.transfers-overview", overall, bandwidthControl({ uploads, signal })),
    open.node,
    ended.node,
  );
  const node = h("section.transfers", { "aria-label": t("upload.transfers") }, full, none);
  let acts = "";
  const draw = () => {
    const tasks = mine();
    const found = sections(tasks);
    open.show(found.open);
    ended.show(found.ended);
    for (const [task, row] of rows) if (!row.parentNode) rows.delete(task);
    full.hidden = tasks.length === 0;
    node.hidden = tasks.length === 0 && !empty;
    if (tasks.length === 0 && empty && !none.firstChild) replace(none, empty());
    if (tasks.length) replace(none);
    // Buttons stay as long as they can: one that is replaced under the pointer takes no click.
    const now = batchActs(tasks).join();
    if (now !== acts) replace(batch, batchButtons(mine, uploads));
    acts = now;
  };
  const soon = onceAFrame(draw, signal);
  draw();
  uploads.tasks.watch(soon, { signal, now: false });
  uploads.overall.watch(soon, { signal, now: false });
  return { node };
}

function onceAFrame(run, signal) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      if (!signal.aborted) run();
    });
  };
}

/** Only so many rows at once, since a folder may have thousands of files. */
function listOf(kind, rows, context) {
  const list = h("ul.transfers-list", { dataset: { list: kind } });
  const title = kind === "ended" ? h("h3.transfers-subtitle", t("upload.ended")) : null;
  const more = h("button.button.is-ghost.transfers-more", { type: "button", onclick: () => grow() }, icon("chevron-down"), h("span"));
  const node = h("div.transfers-section", title, list, more);
  let limit = STEP[kind];
  let last = [];
  const grow = () => {
    limit += STEP[kind] * 4;
    show(last);
  };
  const show = (tasks) => {
    last = tasks;
    const shown = tasks.slice(0, limit);
    const wanted = new Set(shown.map((task) => rows.get(task)));
    for (const row of [...list.children]) if (!wanted.has(row)) row.remove();
    shown.forEach((task, at) => place(task, at));
    node.hidden = tasks.length === 0;
    more.hidden = tasks.length <= limit;
    more.lastElementChild.textContent = t("upload.showMore", { n: tasks.length - shown.length });
  };
  const place = (task, at) => {
    if (!rows.has(task)) rows.set(task, transferRow(task, context));
    const row = rows.get(task);
    if (list.children[at] !== row) list.insertBefore(row, list.children[at] ?? null);
  };
  return { node, show };
}
