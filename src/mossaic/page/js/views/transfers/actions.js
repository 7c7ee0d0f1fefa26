// What a person can do to one file: the likeliest as a button, the others in a menu.

import { pick } from "../../upload/files.js";
import { confirm } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/menu.js";
import { toast } from "../../ui/toast.js";
import { checkpointDialog } from "../tasks/checkpoint.js";
import { FIRST, actsOf } from "./state.js";

/** @typedef {import("../../upload/task.js").Task} Task */
/** @typedef {import("../../upload/uploads.js").Uploads} Uploads */

const LOOKS = { pause: "pause", resume: "play", retry: "refresh", provide: "file", remove: "x", cancel: "stop", abort: "trash" };

/** @param {Task} task @param {Uploads} uploads @returns {HTMLElement[]} */
export function actionButtons(task, uploads) {
  const acts = actsOf(task);
  const first = acts.filter((act) => FIRST.includes(act));
  const rest = acts.filter((act) => !FIRST.includes(act));
  const buttons = first.map((act, at) => actButton(act, at === 0 && act !== "pause", task, uploads));
  if (rest.length === 1 && rest[0] === "remove") return [...buttons, removeButton(task, uploads)];
  if (rest.length) buttons.push(moreMenu(rest, task, uploads));
  return buttons;
}

function actButton(act, primary, task, uploads) {
  return h(
    `button.button.is-small.${primary ? "is-primary" : "is-plain"}`,
    { type: "button", "aria-label": t(`upload.act.${act}.of`, { key: task.key }), dataset: { act }, onclick: () => run(act, task, uploads) },
    icon(LOOKS[act]),
    h("span.button-label", t(`upload.act.${act}`)),
  );
}

function removeButton(task, uploads) {
  return h(
    "button.button.is-ghost.is-icon.is-small",
    {
      type: "button",
      "aria-label": t("upload.act.remove.of", { key: task.key }),
      title: t("upload.act.remove"),
      dataset: { act: "remove" },
      onclick: () => run("remove", task, uploads),
    },
    icon(LOOKS.remove),
  );
}

function moreMenu(acts, task, uploads) {
  const items = () => {
    const found = acts.map((act) => ({
      label: t(`upload.act.${act}`),
      icon: LOOKS[act],
      danger: act === "abort",
      run: () => run(act, task, uploads),
    }));
    const exported = task.uploadId ? [{ label: t("tasks.export"), icon: "download", run: () => checkpointDialog(task.bucket, task.key, task.checkpoint(), task.uploadId) }] : [];
    return [...exported, ...found];
  };
  return menuButton(t("upload.more.of", { key: task.key }), items, { iconOnly: true, kind: "ghost", small: true });
}

async function run(act, task, uploads) {
  try {
    if (act === "abort") await abort(task);
    else if (act === "provide") await provide(task);
    else if (act === "remove") uploads.remove(task);
    else await task[act]();
  } catch (problem) {
    if (task.problem === problem) return; // its row tells
    toast({ kind: "bad", text: t("upload.act.failed", { key: task.key }), problem });
  }
}

/** @param {Task} task */
function abort(task) {
  return confirm({
    title: t("upload.abort.title"),
    what: t("upload.abort.what", { key: task.key, size: bytes(task.stored) }),
    label: t("upload.abort.do"),
    danger: true,
    run: () => task.abort(),
  });
}

/** Ask for the file again and go on. @param {Task} task */
export async function provide(task) {
  const [found] = await pick({ multiple: false });
  if (found?.file) await task.provide(found.file, found.handle);
}
