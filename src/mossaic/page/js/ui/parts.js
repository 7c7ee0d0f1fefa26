/** Small pieces that every view is put together from, so that all look alike. */

import { bind, h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { isLive } from "./live.js";
import { link } from "./router.js";

/**
 * The top of a view: title, a line below it, actions at the right; on a phone the actions go below.
 * @param {{title: any, sub?: any, actions?: any, crumbs?: {label: string, path?: string}[]}} options
 */
export function pageHead({ title, sub, actions, crumbs }) {
  return h(
    "header.page-head",
    h("div.page-head-text", crumbs?.length ? crumbList(crumbs) : null, h("h1.page-title", title), sub ? h("p.page-sub", sub) : null),
    actions ? h("div.page-actions", actions) : null,
  );
}

/** @param {{label: string, path?: string}[]} crumbs  the last may be without a path: where one is */
export function crumbList(crumbs) {
  return h(
    "nav.crumbs",
    { "aria-label": t("ui.where") },
    h(
      "ol",
      crumbs.map(({ label, path }, i) =>
        h("li", i ? h("span.crumb-line", { "aria-hidden": "true" }, icon("chevron-right")) : null, path === undefined ? h("span", { "aria-current": "page" }, label) : h("a", { href: link(path) }, label)),
      ),
    ),
  );
}

/** What to see where nothing is yet. @param {{icon?: string, title: any, text?: any, actions?: any}} options */
export function empty({ icon: name = "inbox", title, text, actions }) {
  return h("div.empty", h("span.empty-icon", icon(name)), h("p.empty-title", title), text ? h("p.empty-text", text) : null, actions ? h("div.empty-actions", actions) : null);
}

/** Grey lines while something is on its way; they appear only when it takes a while. @param {number} [rows] */
export function skeleton(rows = 4) {
  return h(
    "div.skeleton",
    { role: "status", "aria-label": t("ui.loading") },
    Array.from({ length: rows }, (_, i) => h("div.skeleton-row", { "aria-hidden": "true" }, h(`span.skeleton-bar.w${(i % 3) + 1}`), h("span.skeleton-bar.w4"))),
  );
}

/** @param {any} words @param {"plain"|"good"|"warn"|"bad"|"info"|"accent"} [kind] a string or Live */
export function badge(words, kind = "plain") {
  const node = h("span.badge", words);
  if (isLive(kind)) bind(node, kind, (now) => (node.className = `badge is-${now}`));
  else node.classList.add(`is-${kind}`);
  return node;
}

const NOTICE_ICONS = { info: "info", good: "check-circle", warn: "warning", bad: "warning" };
/** A message in the flow of a view. @param {{kind?: "info"|"good"|"warn"|"bad", title?: any, text?: any, actions?: any, icon?: string}} options */
export function notice({ kind = "info", title, text, actions, icon: name }) {
  return h(
    `section.notice.is-${kind}`,
    h("span.notice-icon", icon(name ?? NOTICE_ICONS[kind])),
    h("div.notice-text", title ? h("p.notice-title", title) : null, text ? h("div", text) : null, actions ? h("div.notice-actions", actions) : null),
  );
}

/**
 * A bar. `value` is 0…1 or null for "no telling"; `kind` colours it.
 * @param {{value: number | null | import("./live.js").Live<number | null>, label: any, kind?: any, thin?: boolean}} options
 */
export function progressBar({ value, label, kind = "accent", thin = false }) {
  const fill = h("span.progress-fill");
  const node = h(`div.progress${thin ? ".is-thin" : ""}`, { role: "progressbar", "aria-valuemin": "0", "aria-valuemax": "100", "aria-label": label }, fill);
  const show = (now) => {
    node.classList.toggle("is-unknown", now === null);
    if (now === null) return node.removeAttribute("aria-valuenow");
    const share = Math.min(Math.max(now, 0), 1);
    fill.style.setProperty("transform", `scaleX(${share})`);
    node.setAttribute("aria-valuenow", String(Math.floor(share * 100)));
  };
  const colour = (now) => (node.dataset.kind = now);
  isLive(value) ? bind(node, value, show) : show(value);
  isLive(kind) ? bind(node, kind, colour) : colour(kind);
  return node;
}

/**
 * Links that look like tabs, for the pages within a view.
 * @param {{label: string, items: {label: any, path: string, current?: boolean, icon?: string}[]}} options
 */
export function tabLinks({ label, items }) {
  return h(
    "nav.tabs",
    { "aria-label": label },
    items.map((item) => h("a.tab", { href: link(item.path), "aria-current": item.current ? "page" : null }, item.icon ? icon(item.icon) : null, item.label)),
  );
}

/** Names and values in two columns. @param {([any, any] | null)[]} pairs */
export function facts(pairs) {
  return h("dl.facts", pairs.filter(Boolean).map(([name, value]) => h("div.fact", h("dt", name), h("dd", value))));
}

/** A titled box. @param {{title?: any, sub?: any, actions?: any, className?: string}} options @param {...any} children */
export function card({ title, sub, actions, className = "" }, ...children) {
  return h(
    "section.card",
    { class: className },
    title ? h("header.card-head", h("div", h("h2.card-title", title), sub ? h("p.card-sub", sub) : null), actions ? h("div.card-actions", actions) : null) : null,
    h("div.card-body", children),
  );
}

/**
 * A plain button. @param {string} label
 * @param {{icon?: string, kind?: "primary"|"plain"|"ghost"|"danger", small?: boolean, iconOnly?: boolean, disabled?: any, onclick?: (event: Event) => void, className?: string}} [options]
 */
export function button(label, { icon: name, kind = "plain", small = false, iconOnly = false, disabled = false, onclick, className = "" } = {}) {
  return h(
    `button.button.is-${kind}`,
    { type: "button", class: [small ? "is-small" : "", iconOnly ? "is-icon" : "", className].join(" "), disabled, onclick, "aria-label": iconOnly ? label : null, title: iconOnly ? label : null },
    name ? icon(name) : null,
    iconOnly ? null : h("span.button-label", label),
  );
}

/** Reads to screen readers without showing: `const say = announcer(); parent.append(say.node); say("3 files added")`. */
export function announcer() {
  const node = h("div.visually-hidden", { role: "status", "aria-live": "polite" });
  const say = (words) => {
    node.textContent = words;
  };
  say.node = node;
  return say;
}
