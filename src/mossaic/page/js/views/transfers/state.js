// What a task's state means to people: its word, its look, and what can be done in it. Pure but for words.

import { t } from "../../ui/i18n.js";

/** @typedef {import("../../upload/task.js").Task} Task */

const LOOKS = {
  waiting: "quiet",
  checking: "busy",
  sending: "busy",
  paused: "quiet",
  offline: "warning",
  completing: "busy",
  done: "good",
  failed: "bad",
  cancelled: "quiet",
  aborted: "quiet",
  "needs-file": "warning",
};
const ICONS = {
  waiting: "clock",
  checking: "shield",
  sending: "upload",
  paused: "pause",
  offline: "offline",
  completing: "clock",
  done: "check-circle",
  failed: "warning",
  cancelled: "stop",
  aborted: "trash",
  "needs-file": "file",
};
const RUNNING = new Set(["waiting", "checking", "sending", "offline", "completing"]);
const ACTS = {
  waiting: ["pause", "cancel", "abort"],
  checking: ["pause", "cancel", "abort"],
  sending: ["pause", "cancel", "abort"],
  paused: ["resume", "cancel", "abort"],
  offline: ["pause", "cancel", "abort"],
  completing: [],
  done: ["remove"],
  failed: ["retry", "abort", "remove"],
  cancelled: ["resume", "abort", "remove"],
  aborted: ["remove"],
  "needs-file": ["provide", "abort", "remove"],
};

/** The verbs of which one is a button of its own; the others are in the menu. */
export const FIRST = ["pause", "resume", "retry", "provide"];

/** What can be done now, the likeliest first. @param {Task} task @returns {string[]} */
export function actsOf(task) {
  const acts = ACTS[task.state] ?? [];
  // A stored handle needs no second picking, but the other file stays possible.
  if (task.state === "needs-file" && task.handle) return ["resume", ...acts];
  return acts;
}

export const lookOf = (task) => (isFlawed(task) ? "warning" : (LOOKS[task.state] ?? "quiet"));
export const iconOf = (task) => (isFlawed(task) ? "warning" : (ICONS[task.state] ?? "clock"));
export const isRunning = (task) => RUNNING.has(task.state);

/** The object is stored, but not all is well: its callback failed. */
const isFlawed = (task) => task.state === "done" && task.problem !== null;

/** @param {Task} task */
export function stateWord(task) {
  if (isFlawed(task)) return t("upload.state.flawed");
  if (task.state === "done" && task.result?.skipped) return t("upload.state.skipped");
  return t(`upload.state.${task.state}`);
}

/** Neither on its way nor about to be: what counts is what is stored. */
export const isStanding = (task) => ["failed", "cancelled", "needs-file"].includes(task.state);

/** 0 … 1; an empty file is whole once it is done. @param {Task} task */
export function fractionOf(task) {
  if (task.state === "done") return 1;
  return task.total ? Math.min(1, (isStanding(task) ? task.stored : task.sent) / task.total) : 0;
}

/**
 * What is still to end, as it was added, so that rows do not jump about; and what has ended well or for good, the latest first.
 * @param {Task[]} tasks
 * @returns {{open: Task[], ended: Task[]}}
 */
export function sections(tasks) {
  const hasEnded = (task) => task.state === "done" || task.state === "aborted";
  const ended = tasks.filter(hasEnded);
  return { open: tasks.filter((task) => !hasEnded(task)), ended: ended.reverse() };
}
