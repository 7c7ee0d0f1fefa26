/** One file on its way, as a visitor sees it. */

import { h, onGone, replace } from "../../ui/dom.js";
import { bytes, duration } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { button, progressBar } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { pick } from "../../upload/files.js";
import { live } from "../../ui/live.js";
import { REASONS } from "./reasons.js";

const MOVING = new Set(["waiting", "checking", "sending", "completing", "offline"]);
const ICONS = { done: "check-circle", failed: "warning", "needs-file": "file", paused: "pause", cancelled: "x", aborted: "x", offline: "offline" };

/**
 * @param {import("../../upload/task.js").Task} task
 * @param {{folder: string, drop: (task: any) => void}} context
 */
export function fileRow(task, { folder, drop }) {
  const share = live(0);
  const kind = live("accent");
  const name = task.key.startsWith(folder) ? task.key.slice(folder.length) : task.file.name;
  const mark = h("span.drop-mark");
  const line = h("p.drop-line");
  const controls = h("div.drop-controls");
  const bar = progressBar({ value: share, label: t("drop.progressOf", { name }), kind, thin: true });
  const trouble = h("div.drop-trouble");
  const node = h(
    "li.drop-file",
    mark,
    h("div.drop-what", h("p.drop-name", { title: name }, name), line, bar),
    controls,
    trouble,
  );
  let drawn = "";
  const stop = task.watch(() => {
    share.set(task.total ? task.sent / task.total : Number(task.state === "done"));
    line.textContent = lineOf(task);
    if (drawn === stateOf(task)) return;
    drawn = stateOf(task);
    node.dataset.state = task.state;
    kind.set({ failed: "bad", paused: "plain", "needs-file": "warn", offline: "warn" }[task.state] ?? "accent");
    bar.hidden = task.state === "done";
    replace(mark, icon(ICONS[task.state] ?? "file"));
    const held = controls.contains(document.activeElement);
    replace(controls, controlsOf(task, name, drop));
    if (held) controls.querySelector("button")?.focus();
    replace(trouble, troubleOf(task));
  });
  onGone(node, stop);
  return node;
}

const stateOf = (task) => `${task.state} ${task.problem?.code ?? ""} ${task.problem?.requestId ?? ""}`;

function lineOf(task) {
  const size = bytes(task.total);
  if (task.state === "done") return t("drop.line.done", { size });
  if (task.state !== "sending") return t(`drop.line.${task.state}`, { size, sent: bytes(task.sent) });
  const eta = task.eta;
  return eta === null ? t("drop.line.sending", { size, sent: bytes(task.sent) }) : t("drop.line.sendingEta", { size, sent: bytes(task.sent), left: duration(eta) });
}

function controlsOf(task, name, drop) {
  const small = (label, more) => button(`${label}`, { small: true, iconOnly: true, kind: "ghost", ...more });
  const named = (verb) => t(`drop.${verb}`, { name });
  const again = () => task.resume().catch(() => {});
  const found = [];
  if (MOVING.has(task.state) && task.state !== "completing") found.push(small(named("pause"), { icon: "pause", onclick: () => task.pause() }));
  if (task.state === "paused") found.push(small(named("resume"), { icon: "play", onclick: again }));
  if (task.state === "failed") found.push(small(named("retry"), { icon: "refresh", onclick: again }));
  if (task.state === "needs-file") found.push(small(named("pickAgain"), { icon: "folder-open", onclick: () => pickAgain(task) }));
  if (task.state !== "done" && task.state !== "completing" && task.state !== "aborted") found.push(small(named("remove"), { icon: "x", onclick: () => drop(task) }));
  return found;
}

async function pickAgain(task) {
  const [found] = await pick({ multiple: false });
  if (found?.file) await task.provide(found.file, found.handle).catch(() => {}); // its state tells
}

function troubleOf(task) {
  if (!task.problem || task.state === "done") return null;
  const reason = REASONS[task.problem.ec];
  if (reason) return h("p.drop-reason", t(`drop.why.${reason}`));
  return task.state === "failed" || task.state === "needs-file" ? problemView(task.problem, { compact: true }) : null;
}
