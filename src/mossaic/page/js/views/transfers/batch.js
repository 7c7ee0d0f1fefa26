// Acts on every upload of a list.

import { confirm } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/menu.js";
import { toast } from "../../ui/toast.js";
import { actsOf } from "./state.js";

/** @typedef {import("../../upload/task.js").Task} Task */

const ICONS = { pause: "pause", resume: "play", retry: "refresh", cancel: "stop", abort: "trash", clear: "check" };

const SHOWN = ["pause", "resume", "retry"];
const IN_MENU = ["cancel", "abort"];
const isEnded = (task) => task.state === "done" || task.state === "aborted";

/** What can be done to at least one of them. @param {Task[]} tasks @returns {string[]} */
export function batchActs(tasks) {
  const found = new Set(tasks.flatMap(actsOf));
  return [...SHOWN.filter((act) => found.has(act)), ...(tasks.some(isEnded) ? ["clear"] : []), ...IN_MENU.filter((act) => found.has(act))];
}

/** @param {() => Task[]} tasks  the list as it is when a button is pressed @param {import("../../upload/uploads.js").Uploads} uploads */
export function batchButtons(tasks, uploads) {
  const able = (act) => tasks().filter((task) => actsOf(task).includes(act));
  const acts = batchActs(tasks());
  const clear = () => tasks().filter(isEnded).forEach((task) => uploads.remove(task));
  const buttons = acts.filter((act) => !IN_MENU.includes(act)).map((act) => button(act, () => (act === "clear" ? clear() : each(able(act), act))));
  const rest = acts.filter((act) => IN_MENU.includes(act));
  return rest.length ? [...buttons, menu(rest, able)] : buttons;
}

function button(act, run) {
  return h("button.button.is-small.is-plain", { type: "button", dataset: { all: act }, onclick: run }, icon(ICONS[act]), h("span.button-label", t(`upload.all.${act}`)));
}

function menu(acts, able) {
  const items = () =>
    acts.map((act) => ({
      label: t(`upload.all.${act}`),
      icon: ICONS[act],
      danger: act === "abort",
      run: () => (act === "abort" ? abortAll(able("abort")) : each(able(act), act)),
    }));
  return menuButton(t("upload.all.more"), items, { iconOnly: true, kind: "ghost", small: true });
}

async function each(tasks, act) {
  const ended = await Promise.allSettled(tasks.map((task) => task[act]()));
  const failed = ended.filter((one) => one.status === "rejected");
  if (failed.length) toast({ kind: "bad", text: t("upload.all.failed", { n: failed.length }), problem: failed[0].reason });
}

function abortAll(tasks) {
  const size = tasks.reduce((sum, task) => sum + task.stored, 0);
  return confirm({
    title: t("upload.all.abort.title", { n: tasks.length }),
    what: t("upload.all.abort.what", { size: bytes(size) }),
    label: t("upload.all.abort.do"),
    danger: true,
    run: () => each(tasks, "abort"),
  });
}
