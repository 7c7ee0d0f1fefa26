/** Keys without modifiers: "u" to upload, "/" to search, "?" for the list of all. */

import { openDialog } from "./dialog.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";

const known = new Set();

/**
 * @param {string} key  as `KeyboardEvent.key` says it: "u", "/", "?"
 * @param {string | (() => string)} label  what it does, for the list
 * @param {() => void} run
 * @param {{signal?: AbortSignal}} [options]  a view's signal ends it with the view
 */
export function shortcut(key, label, run, { signal } = {}) {
  if (signal?.aborted) return;
  const one = { key, label, run };
  known.add(one);
  signal?.addEventListener("abort", () => known.delete(one), { once: true });
}

const typing = (target) => target instanceof Element && target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=menu]") !== null;

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (typing(event.target) || document.querySelector("dialog[open]")) return;
  const found = [...known].reverse().find((one) => one.key === event.key); // the newest wins
  if (!found) return;
  event.preventDefault();
  found.run();
});

/** Opens the list of the keys that work now. */
export function showShortcuts() {
  const rows = [...known].map((one) => h("div.fact", h("dt", typeof one.label === "function" ? one.label() : one.label), h("dd", h("kbd", one.key === " " ? t("ui.space") : one.key))));
  const general = [
    [t("ui.keys.move"), ["↑", "↓"]],
    [t("ui.keys.open"), ["Enter"]],
    [t("ui.keys.choose"), [t("ui.space")]],
    [t("ui.keys.chooseMore"), ["Shift", "↑", "↓"]],
  ].map(([label, keys]) => h("div.fact", h("dt", label), h("dd", keys.map((key) => h("kbd", key)))));
  return openDialog({ title: t("ui.keys.title"), body: [h("dl.facts.is-keys", rows), h("h3.dialog-heading", t("ui.keys.inTables")), h("dl.facts.is-keys", general)], actions: [] });
}
