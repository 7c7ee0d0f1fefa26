/** Short messages at the edge of the page; troubles stay until they are put away. */

import { freshId, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { problemDetails } from "./problem-view.js";

const SHOWN_MS = 6000;
const LIMIT = 4;
const ICONS = { good: "check-circle", info: "info", warn: "warning", bad: "warning" };
let region = null;

function place() {
  region ??= h("div.toasts", { role: "region", "aria-label": t("ui.messages") });
  if (!region.isConnected) document.body.append(region);
  return region;
}

/**
 * @param {{kind?: "good"|"info"|"warn"|"bad", text: any, problem?: any, action?: {label: string, run: () => void}, keep?: boolean}} options
 * @returns {{close: () => void}}
 */
export function toast({ kind = "info", text, problem, action, keep = kind === "bad" || kind === "warn" }) {
  const id = freshId("toast");
  const close = () => node.remove();
  const node = h(
    `div.toast.is-${kind}`,
    { id, role: kind === "bad" ? "alert" : "status" },
    h("span.toast-icon", icon(ICONS[kind])),
    h("div.toast-text", h("div", text), problem ? problemDetails(problem) : null),
    action ? h("button.button.is-small.is-plain", { type: "button", onclick: () => (close(), action.run()) }, action.label) : null,
    h("button.button.is-ghost.is-icon.is-small", { type: "button", "aria-label": t("ui.close"), onclick: close }, icon("x")),
  );
  const host = place();
  while (host.childElementCount >= LIMIT) host.firstElementChild.remove();
  host.append(node);
  if (!keep) leaveAfter(node, SHOWN_MS);
  return { close };
}

/** Goes by itself, but not from under a pointer or a focus. */
function leaveAfter(node, ms) {
  let timer = setTimeout(() => node.remove(), ms);
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = setTimeout(() => node.remove(), ms / 2);
  };
  node.addEventListener("pointerenter", hold);
  node.addEventListener("pointerleave", release);
  node.addEventListener("focusin", hold);
  node.addEventListener("focusout", release);
}
