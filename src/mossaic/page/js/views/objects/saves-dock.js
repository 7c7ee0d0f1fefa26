/** Downloads that are being written to files: they go on while one looks at other things. */

import { h } from "../../ui/dom.js";
import { bytes, percent, rate } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { derived } from "../../ui/live.js";
import { button, progressBar } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { nameNode } from "./name.js";
import { forget, saves } from "./save.js";

/** The panel; nothing of it is seen while there are no downloads. */
export function savesDock() {
  const rows = new Map(); // a row is made once, so that its buttons keep the focus
  const row = (save) => rows.get(save) ?? rows.set(save, saveRow(save)).get(save);
  return h("section.saves", { "aria-label": t("objects.saves.title"), hidden: derived((all) => all.length === 0, saves) }, h("h2.saves-title", t("objects.saves.title")), h("ul.saves-list", derived((all) => all.map(row), saves)));
}

function saveRow(save) {
  const share = derived(({ total, received, state }) => (state === "checking" || !total ? (state === "done" ? 1 : null) : received / total), save.now);
  const kind = derived(({ state }) => ({ failed: "bad", paused: "plain" })[state] ?? "accent", save.now);
  return h(
    "li.save",
    h("div.save-name", nameNode(save.name)),
    progressBar({ value: share, label: t("objects.saves.progress", { name: save.name }), kind, thin: true }),
    h("div.save-line", h("span.muted.small", derived(words, save.now)), h("span.save-buttons", derived(() => buttons(save), derived(({ state }) => state, save.now)))),
    h("div", derived(({ problem }) => (problem ? problemView(problem, { compact: true }) : null), save.now)),
  );
}

function words({ state, received, total, speed, proved }) {
  const part = `${bytes(received)} / ${bytes(total)}`;
  if (state === "saving") return speed ? `${part} · ${percent(total ? received / total : 1)} · ${rate(speed)}` : part;
  if (state === "done") return t(proved ? "objects.saves.proved" : "objects.saves.done", { size: bytes(total) });
  return `${t(`objects.saves.${state}`)} · ${part}`;
}

function buttons(save) {
  const { state } = save.value;
  const small = (label, icon, onclick) => button(label, { icon, onclick, iconOnly: true, kind: "ghost", small: true });
  if (state === "saving") return [small(t("objects.saves.pause"), "pause", () => save.pause()), small(t("ui.cancel"), "x", () => drop(save))];
  if (state === "paused" || state === "failed") return [small(t("objects.saves.resume"), "play", () => save.resume()), small(t("ui.cancel"), "x", () => drop(save))];
  return state === "checking" ? null : small(t("ui.close"), "x", () => forget(save));
}

function drop(save) {
  save.cancel();
  forget(save);
}
