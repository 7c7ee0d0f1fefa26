// The line that stays on every view while files are on their way.

import { bind, h, replace } from "../../ui/dom.js";
import { duration, percent, rate } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { link, path } from "../../ui/router.js";
import { countWords } from "./overall.js";
import { actsOf } from "./state.js";

/** @param {{uploads: import("../../upload/uploads.js").Uploads}} context @returns {HTMLElement} */
export function transfersDock({ uploads }) {
  const ring = h("span.dock-share");
  const counts = h("span.dock-counts");
  const flow = h("span.dock-flow");
  const bar = h("span.progress-fill.transfer-bar");
  const turn = h("button.button.is-ghost.is-icon.is-small", { type: "button" });
  const way = h("a.dock-way", { href: link("/transfers") }, ring, h("span.dock-words", counts, flow));
  const node = h("div.dock-uploads", { hidden: true, role: "group", "aria-label": t("upload.transfers") }, h("div.dock-line", way, turn), h("div.progress.transfer-track", { "aria-hidden": "true" }, bar));
  let shown = "";
  const able = (act) => uploads.tasks.value.some((task) => actsOf(task).includes(act));
  const draw = () => {
    const now = uploads.overall.value;
    const fraction = now.total ? Math.min(1, now.sent / now.total) : 0;
    const going = uploads.tasks.value.some((task) => task.state !== "done" && task.state !== "aborted" && task.state !== "cancelled");
    // On the page that shows all this at length it would only be in the way.
    node.hidden = !going || path.value === "/transfers" || /^\/b\/[^/]+\/upload/.test(path.value);
    bar.style.setProperty("--done", String(fraction));
    ring.textContent = percent(fraction);
    counts.textContent = countWords(now) || t("upload.count.asking");
    flow.textContent = now.active && now.speed > 0 ? [rate(now.speed), now.eta ? t("upload.left", { time: duration(now.eta) }) : null].filter(Boolean).join(" · ") : "";
    const act = able("pause") ? "pause" : able("resume") ? "resume" : "";
    if (act !== shown) showTurn(turn, act, uploads);
    shown = act;
  };
  for (const source of [uploads.tasks, uploads.overall, path]) bind(node, source, draw);
  return node;
}

function showTurn(turn, act, uploads) {
  turn.hidden = act === "";
  if (!act) return;
  turn.setAttribute("aria-label", t(`upload.all.${act}`));
  turn.title = t(`upload.all.${act}`);
  replace(turn, icon(act === "pause" ? "pause" : "play"));
  turn.onclick = () => (act === "pause" ? uploads.pauseAll() : uploads.resumeAll());
}
