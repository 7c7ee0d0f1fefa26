/** What a visitor sees: what is asked for, what is left, a place to drop files, how far they are, and a receipt. */

import { toProblem } from "../../core/problem.js";
import { bind, h, replace } from "../../ui/dom.js";
import { bytes, shortDateTime } from "../../ui/format.js";
import { LANGUAGES, lang, setLang, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { live } from "../../ui/live.js";
import { announcer, button, empty, notice, progressBar, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { fromDrop, pick } from "../../upload/files.js";
import { choose } from "./choose.js";
import { receipt } from "./receipt.js";
import { fileRow } from "./row.js";
import { hasEnded } from "./visit.js";

const GONE = new Set(["cancelled", "aborted", "failed"]);

/**
 * @param {HTMLElement} host
 * @param {{visit: import("./visit.js").Visit, uploads: import("../../upload/uploads.js").Uploads}} context
 * @returns {() => void}
 */
export function startDrop(host, { visit, uploads }) {
  const ending = new AbortController();
  const { signal } = ending;
  const state = { visit, uploads, counted: new Set(), taken: new Set(), paths: new Map(), refused: live([]), rows: new Map(), phase: live("opening"), problem: null, signal };
  const outlet = h("main.drop-main");
  const draw = () => {
    state.rows.clear();
    const foot = h("footer.drop-foot", h("p", t("drop.foot")));
    bind(foot, state.phase, (phase) => (foot.hidden = phase !== "ready"));
    replace(host, h("div.drop-shell", topBar(), outlet, foot));
    replace(outlet, content(state));
  };
  lang.watch(draw, { signal });
  state.phase.watch(() => replace(outlet, content(state)), { signal, now: false });
  watchTasks(state);
  addEventListener("beforeunload", (event) => uploads.overall.value.active + uploads.overall.value.waiting > 0 && event.preventDefault(), { signal });
  open(state);
  return () => ending.abort();
}

async function open(state) {
  state.phase.set("opening");
  if (!state.visit.key) return state.phase.set("closed");
  try {
    await state.visit.open();
    await state.uploads.restore();
    for (const task of state.uploads.tasks.value) state.counted.add(task.id); // the server counts their parts already
    state.phase.set("ready");
  } catch (error) {
    state.problem = toProblem(error, "api/requests/open");
    state.phase.set(hasEnded(state.problem) ? "closed" : "trouble");
  }
}

/** A name that is taken gets a number; a link that has ended ends the page; what is left is asked when all is quiet. */
function watchTasks(state) {
  const { uploads, visit, signal } = state;
  const seen = new Set();
  uploads.tasks.watch(
    (tasks) => {
      for (const task of tasks) {
        if (seen.has(task.id)) continue;
        seen.add(task.id);
        task.watch(() => moved(task), { signal });
      }
    },
    { signal },
  );
  const moved = (task) => {
    if (task.state === "failed" && task.problem?.kind === "exists" && task.source) renamed(state, task);
    if (task.state === "failed" && task.problem && hasEnded(task.problem)) state.phase.set("closed");
  };
  uploads.overall.watch(async ({ active, waiting }) => {
    const quiet = active + waiting === 0;
    const fresh = uploads.tasks.value.filter((task) => task.state === "done" && !state.counted.has(task.id));
    if (!quiet || !fresh.length || state.phase.value !== "ready") return;
    for (const task of fresh) state.counted.add(task.id);
    await visit.look();
  }, { signal });
}

function renamed(state, task) {
  const { source: file, fileHandle: handle } = task;
  const path = state.paths.get(task.key) ?? task.key.slice(state.visit.folder.length);
  state.uploads.remove(task);
  state.taken.add(task.key);
  add(state, [{ file, path, handle }], { again: true });
}

function add(state, found, { again = false } = {}) {
  const { visit, uploads } = state;
  const facts = visit.facts.value;
  const pending = uploads.tasks.value.filter((task) => !state.counted.has(task.id) && !GONE.has(task.state));
  const room = {
    folder: visit.folder,
    maxObjectBytes: facts.maxObjectBytes,
    leftBytes: facts.leftBytes - pending.reduce((sum, task) => sum + task.total, 0),
    leftObjects: facts.leftObjects - pending.length,
    taken: (key) => state.taken.has(key) || uploads.tasks.value.some((task) => task.key === key && task.state !== "aborted"),
  };
  const { items, refused } = choose(found, room);
  if (refused.length || !again) state.refused.set(refused);
  for (const { key, path } of items) state.paths.set(key, path);
  if (items.length) uploads.add(items, { bucket: visit.bucket, options: { forbidOverwrite: true } });
}

// --- what is on the page ----------------------------------------------------------------------------------------------

function topBar() {
  const other = lang.value === "zh" ? "en" : "zh";
  return h(
    "header.drop-top",
    h("span.drop-brand", icon("inbox"), "Mossaic"),
    h("button.button.is-ghost.is-small", { type: "button", lang: other === "zh" ? "zh-CN" : "en", onclick: () => setLang(other) }, icon("globe"), LANGUAGES[other]),
  );
}

function content(state) {
  switch (state.phase.value) {
    case "opening":
      return h("div.card.drop-card", skeleton(3));
    case "closed":
      return closed(state);
    case "trouble":
      return h("div.card.drop-card", problemView(state.problem, { retry: () => open(state) }));
    default:
      return ready(state);
  }
}

function closed(state) {
  const done = state.uploads.tasks.value.filter((task) => task.state === "done");
  return h(
    "div.drop-stack",
    h("section.card.drop-card", h("h1.visually-hidden", t("drop.closedTitle")), empty({ icon: "link", title: t("drop.closedTitle"), text: t("drop.closedText") })),
    done.length ? receipt(done, state.visit) : null,
  );
}

function ready(state) {
  const { visit, uploads } = state;
  const title = visit.facts.value.title || t("drop.untitled");
  document.title = title;
  const say = announcer();
  const files = h("ul.drop-files", { "aria-label": t("drop.files") });
  const done = h("div.drop-done");
  bind(files, uploads.tasks, (tasks) => drawRows(files, tasks, state));
  bind(done, uploads.overall, (overall) => drawDone(done, overall, state, say));
  const refused = h("div.drop-refused", { role: "alert" });
  bind(refused, state.refused, (list) => replace(refused, list.length ? refusedNotice(list) : null));
  return h(
    "div.drop-stack",
    h("section.card.drop-card", h("h1.drop-title", title), noteOf(visit.facts.value.note), limits(visit), zone(state)),
    refused,
    overallBar(uploads),
    files,
    done,
    say.node,
  );
}

const noteOf = (note) => (note ? h("p.drop-note", note) : null);

/** "At most 100 files, 5 GiB each. 10 GiB are left. Open until 3 Dec 2026." */
function limits(visit) {
  const node = h("ul.drop-limits");
  bind(node, visit.facts, (is) =>
    replace(
      node,
      is && [
        h("li", icon("file"), t("drop.leftObjects", { n: is.leftObjects })),
        h("li", icon("archive"), t("drop.leftBytes", { size: bytes(is.leftBytes) })),
        is.maxObjectBytes < is.leftBytes ? h("li", icon("arrow-up"), t("drop.each", { size: bytes(is.maxObjectBytes) })) : null,
        h("li", icon("clock"), h("time", { datetime: is.expiresAt.toISOString() }, t("drop.until", { time: shortDateTime(is.expiresAt) }))),
      ],
    ),
  );
  return node;
}

function zone(state) {
  const take = async (options) => {
    const found = await pick(options);
    if (found.length) add(state, found);
  };
  const main = h("button.drop-zone", { type: "button", onclick: () => take({ multiple: true }) }, h("span.drop-zone-icon", icon("upload")), h("span.drop-zone-title", t("drop.choose")), h("span.drop-zone-text", t("drop.orDrop")));
  const folder = "webkitdirectory" in HTMLInputElement.prototype ? button(t("drop.chooseFolder"), { icon: "folder", kind: "ghost", small: true, onclick: () => take({ directory: true }) }) : null;
  const node = h("div.drop-place", main, folder);
  catchDrops(state, main);
  bind(node, state.visit.facts, (is) => {
    const full = !is || is.leftObjects < 1 || is.leftBytes < 1;
    main.disabled = full;
    if (folder) folder.disabled = full;
    main.querySelector(".drop-zone-title").textContent = full ? t("drop.full") : t("drop.choose");
    main.querySelector(".drop-zone-text").textContent = full ? t("drop.fullText") : t("drop.orDrop");
  });
  return node;
}

/** The whole window takes files: a drop beside the box must not replace the page. */
function catchDrops(state, main) {
  const { signal } = state;
  let depth = 0;
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (on) => main.classList.toggle("is-over", on);
  addEventListener("dragenter", (event) => hasFiles(event) && (event.preventDefault(), (depth += 1), show(true)), { signal });
  addEventListener("dragleave", (event) => hasFiles(event) && ((depth = Math.max(0, depth - 1)), depth || show(false)), { signal });
  addEventListener("dragover", (event) => hasFiles(event) && event.preventDefault(), { signal });
  addEventListener(
    "drop",
    async (event) => {
      if (!main.isConnected || !hasFiles(event)) return; // the zone of before a change of language
      event.preventDefault();
      depth = 0;
      show(false);
      if (!main.disabled) add(state, await fromDrop(event.dataTransfer));
    },
    { signal },
  );
}

function refusedNotice(list) {
  const lines = list.map(({ path, size, why }) => h("li", h("strong", path), ` (${bytes(size)}): `, t(`drop.why.${why}`)));
  return notice({ kind: "warn", title: t("drop.notTaken", { n: list.length }), text: h("ul.drop-why", lines) });
}

function overallBar(uploads) {
  const share = live(0);
  const words = live("");
  const node = h("section.drop-overall", { "aria-label": t("drop.overall") }, h("p", words), progressBar({ value: share, label: t("drop.overall") }));
  bind(node, uploads.overall, (is) => {
    node.hidden = is.active + is.waiting === 0;
    share.set(is.total ? is.sent / is.total : 0);
    words.set(t("drop.sendingAll", { n: is.active + is.waiting, sent: bytes(is.sent), size: bytes(is.total) }));
  });
  return node;
}

function drawRows(list, tasks, state) {
  const shown = tasks.filter((task) => task.state !== "aborted");
  const nodes = shown.map((task) => {
    if (!state.rows.has(task.id) || !list.contains(state.rows.get(task.id))) state.rows.set(task.id, fileRow(task, { folder: state.visit.folder, drop: (one) => drop(state, one) }));
    return state.rows.get(task.id);
  });
  for (const child of [...list.children]) if (!nodes.includes(child)) child.remove();
  for (const node of nodes) if (node.parentNode !== list) list.append(node);
  list.hidden = nodes.length === 0;
}

/** Take a file back: its parts are freed, so that its bytes count no more. */
async function drop(state, task) {
  try {
    await task.abort();
  } catch {
    // the server frees them when the link ends
  }
  await state.uploads.remove(task);
  await state.visit.look();
}

function drawDone(node, overall, state, say) {
  const done = state.uploads.tasks.value.filter((task) => task.state === "done");
  const over = done.length > 0 && overall.active + overall.waiting === 0;
  const key = over ? done.map((task) => task.id).join() : "";
  if (node.dataset.key === key) return;
  node.dataset.key = key;
  replace(node, over ? receipt(done, state.visit) : null);
  if (over) say(t("drop.thanks", { n: done.length }));
}
