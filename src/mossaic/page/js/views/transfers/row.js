// One file on its way, as a row: what it is, how far it is, what can be done, and on demand everything that is known of it.

import { h, onGone, replace } from "../../ui/dom.js";
import { bytes, duration, percent, rate } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { problemView } from "../../ui/problem-view.js";
import { link } from "../../ui/router.js";
import { actionButtons } from "./actions.js";
import { details } from "./details.js";
import { actsOf, fractionOf, iconOf, isStanding, lookOf, stateWord } from "./state.js";

/** @typedef {import("../../upload/task.js").Task} Task */

/**
 * @param {Task} task
 * @param {{uploads: import("../../upload/uploads.js").Uploads, signal: AbortSignal}} context
 * @returns {HTMLElement}
 */
export function transferRow(task, { uploads, signal, bucket }) {
  const gone = new AbortController();
  const row = h("li.transfer", { dataset: { task: task.id } });
  const parts = pieces(task, bucket);
  row.append(parts.head, parts.body);
  onGone(row, () => gone.abort());
  signal.addEventListener("abort", () => gone.abort(), { once: true });
  const shown = { state: null, problem: null, result: null, handle: null };
  task.watch(() => refresh(task, row, parts, shown, uploads), { signal: gone.signal });
  return row;
}

function pieces(task, bucket) {
  const mark = h("span.transfer-mark");
  const name = h("span.transfer-name", { title: task.key }, nameParts(task.key));
  // In the view of one bucket its name would be said in every row.
  const place = bucket ? null : h("span.transfer-place", `oss://${task.bucket}/`);
  const acts = h("div.transfer-acts");
  const bar = h("span.progress-fill.transfer-bar");
  const track = h("div.progress.transfer-track", { role: "progressbar", "aria-label": t("upload.progressOf", { key: task.key }), "aria-valuemin": "0", "aria-valuemax": "100" }, bar);
  const word = h("strong.transfer-word");
  const figures = h("span.transfer-figures");
  const share = h("span.transfer-share");
  const line = h("p.transfer-line", word, figures, share);
  const trouble = h("div.transfer-trouble");
  const more = details(task);
  const head = h("div.transfer-head", mark, h("div.transfer-title", name, place), acts, more.button);
  const body = h("div.transfer-body", track, line, trouble, more.node);
  return { head, body, mark, name, acts, bar, track, word, figures, share, trouble };
}

/** The folder in grey, the name in ink: of long keys the end is what tells them apart. */
function nameParts(key) {
  const cut = key.lastIndexOf("/", key.length - 2) + 1;
  return [cut ? h("span.transfer-folder", key.slice(0, cut)) : null, h("bdi", key.slice(cut))];
}

function refresh(task, row, parts, shown, uploads) {
  const fraction = fractionOf(task);
  parts.bar.style.setProperty("--done", String(fraction));
  const whole = Math.floor(fraction * 100);
  if (parts.track.getAttribute("aria-valuenow") !== String(whole)) {
    parts.track.setAttribute("aria-valuenow", String(whole));
    parts.track.setAttribute("aria-valuetext", `${stateWord(task)}, ${percent(fraction)}`);
  }
  parts.figures.textContent = figureWords(task);
  parts.figures.title = t("upload.exact", { sent: number(task.sent), total: number(task.total) });
  parts.share.textContent = task.state === "done" || task.state === "aborted" ? "" : percent(Math.floor(fraction * 1000) / 1000);
  if (shown.state !== task.state || shown.result !== task.result || shown.handle !== task.handle) {
    restate(task, row, parts, uploads);
  }
  if (shown.problem !== task.problem || shown.state !== task.state) showTrouble(task, parts.trouble);
  Object.assign(shown, { state: task.state, problem: task.problem, result: task.result, handle: task.handle });
}

function restate(task, row, parts, uploads) {
  row.dataset.state = task.state;
  row.dataset.look = lookOf(task);
  parts.word.textContent = stateWord(task);
  parts.track.setAttribute("aria-valuetext", `${stateWord(task)}, ${percent(fractionOf(task))}`);
  replace(parts.mark, icon(iconOf(task)));
  if (task.state === "done") replace(parts.name, finishedName(task));
  const acts = actsOf(task).join();
  if (row.dataset.acts === acts) return; // a button that is replaced under the pointer takes no click
  row.dataset.acts = acts;
  const focused = parts.acts.contains(document.activeElement);
  replace(parts.acts, actionButtons(task, uploads));
  // The button that was pressed is gone; the one in its place takes the focus, so that the keyboard stays here.
  if (focused) parts.acts.querySelector("button, a")?.focus();
}

function finishedName(task) {
  const href = link(`/b/${task.bucket}/object/${encodeURIComponent(task.key)}`);
  return h("a.transfer-link", { href }, nameParts(task.key));
}

function figureWords(task) {
  const said = [amountWords(task)];
  if (task.state === "done" && task.result?.crc64) said.push(t("upload.verified"));
  if (task.state === "sending" && task.speed > 0) {
    said.push(rate(task.speed));
    if (Number.isFinite(task.eta)) said.push(t("upload.left", { time: duration(task.eta) }));
  }
  if (task.retries && task.state !== "done") said.push(t("upload.retries", { n: task.retries }));
  return said.join(" · ");
}

function amountWords(task) {
  if (task.state === "done" || task.state === "aborted") return bytes(task.total);
  if (task.state === "checking") return t("upload.checked", { done: bytes(task.checkedBytes), total: bytes(task.checkTotal) });
  // What was on its way when it ended is lost: only what is stored counts then.
  const key = isStanding(task) ? "upload.amount.stored" : "upload.amount";
  return t(key, { sent: bytes(isStanding(task) ? task.stored : task.sent), total: bytes(task.total) });
}

const TELLING = new Set(["failed", "needs-file", "aborted", "paused", "offline", "done"]);

function showTrouble(task, place) {
  // "done" with a problem: the object is stored, but its callback was not answered as it should be.
  if (task.problem && TELLING.has(task.state)) replace(place, problemView(task.problem));
  else replace(place, hintOf(task));
}

/** What one may want to know or do, where nothing is wrong. */
function hintOf(task) {
  const words = hintWords(task);
  return words ? h("p.transfer-ask", words) : null;
}

function hintWords(task) {
  if (task.state === "needs-file") return t("upload.ask.pick", { name: task.file.name, size: bytes(task.file.size) });
  if (task.state === "paused" && task.handle && !task.source) return t("upload.ask.handle");
  if (task.state === "cancelled") return t("upload.ask.cancelled", { size: bytes(task.stored) });
  return task.state === "offline" ? t("upload.ask.offline") : "";
}
