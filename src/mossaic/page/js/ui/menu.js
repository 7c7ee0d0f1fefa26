/** A button with a menu: arrow keys, first letters, Escape; the menu lies above everything. */

import { freshId, h } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @typedef {object} Item
 * @property {string} label
 * @property {() => void} [run]
 * @property {string} [href]
 * @property {string} [icon]
 * @property {boolean} [danger]
 * @property {boolean} [disabled]
 * @property {boolean} [checked]  makes it one of a choice
 */

/**
 * @param {any} label  the button's content, or for `iconOnly` its name
 * @param {(Item | "-" | {heading: any})[] | (() => (Item | "-" | {heading: any})[])} items
 * @param {{icon?: string, kind?: string, iconOnly?: boolean, small?: boolean, chevron?: boolean, className?: string, name?: string}} [options]
 * @returns {HTMLButtonElement}
 */
export function menuButton(label, items, options = {}) {
  const { icon: name, kind = "plain", iconOnly = false, small = false, chevron = !iconOnly, className = "", name: accessible } = options;
  const button = h(
    `button.button.is-${kind}`,
    {
      type: "button",
      class: [iconOnly ? "is-icon" : "", small ? "is-small" : "", className].join(" "),
      "aria-haspopup": "menu",
      "aria-expanded": "false",
      "aria-label": iconOnly ? label : (accessible ?? null),
      title: iconOnly ? label : null,
    },
    name || iconOnly ? icon(name ?? "more") : null,
    iconOnly ? null : h("span.button-label", label),
    chevron ? icon("chevron-down") : null,
  );
  button.id = freshId("menu-button");
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    if (button.getAttribute("aria-expanded") === "true") return;
    openMenu(button, typeof items === "function" ? items() : items);
  });
  button.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    button.click();
  });
  return button;
}

function openMenu(button, items) {
  const ending = new AbortController();
  const { signal } = ending;
  const close = ({ focus = true } = {}) => {
    if (signal.aborted) return;
    ending.abort();
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    if (focus) button.focus({ preventScroll: true });
  };
  const menu = h("div.menu", { role: "menu", "aria-labelledby": button.id, popover: "manual" }, items.map((item) => itemNode(item, close)));
  // Within the landmark of its button, and above the page: in the top layer, or by position: fixed where there is none.
  (button.closest("dialog, main, nav, header, aside, section[aria-label]") ?? document.body).append(menu);
  menu.showPopover?.();
  button.setAttribute("aria-expanded", "true");
  placeMenu(menu, button);
  const entries = [...menu.querySelectorAll("[role^=menuitem]:not([aria-disabled=true])")];
  (entries.find((entry) => entry.getAttribute("aria-checked") === "true") ?? entries[0])?.focus();
  menu.addEventListener("keydown", (event) => steer(event, entries, close));
  menu.addEventListener("pointermove", (event) => event.target.closest("[role^=menuitem]")?.focus({ preventScroll: true }));
  document.addEventListener("pointerdown", (event) => !menu.contains(event.target) && close({ focus: false }), { capture: true, signal });
  menu.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !menu.contains(event.relatedTarget)) close({ focus: false });
  });
  addEventListener("resize", () => close({ focus: false }), { signal });
  addEventListener("hashchange", () => close({ focus: false }), { signal });
  // A scroll that was under way when the menu was opened tells of itself a frame later: it does not count.
  const follow = () => addEventListener("scroll", (event) => event.target !== menu && close({ focus: false }), { capture: true, signal });
  requestAnimationFrame(() => requestAnimationFrame(follow));
}

function itemNode(item, close) {
  if (item === "-") return h("div.menu-line", { role: "separator" });
  if ("heading" in item) return h("div.menu-heading", { role: "presentation" }, item.heading);
  const choice = item.checked !== undefined;
  const act = (event) => {
    if (item.disabled) return event.preventDefault();
    close();
    item.run?.();
  };
  return h(
    `${item.href ? "a" : "button"}.menu-item${item.danger ? ".is-danger" : ""}`,
    {
      ...(item.href ? { href: item.href } : { type: "button" }),
      role: choice ? "menuitemradio" : "menuitem",
      "aria-checked": choice ? String(item.checked) : null,
      "aria-disabled": item.disabled ? "true" : null,
      tabindex: "-1",
      onclick: act,
    },
    choice ? icon(item.checked ? "check" : "blank") : item.icon ? icon(item.icon) : null,
    h("span", item.label),
  );
}

function steer(event, entries, close) {
  const at = entries.indexOf(document.activeElement);
  const go = (to) => {
    event.preventDefault();
    event.stopPropagation();
    entries[(to + entries.length) % entries.length]?.focus();
  };
  if (event.key === "ArrowDown") go(at + 1);
  else if (event.key === "ArrowUp") go(at < 0 ? -1 : at - 1);
  else if (event.key === "Home") go(0);
  else if (event.key === "End") go(-1);
  else if (event.key === "Escape" || event.key === "Tab") {
    if (event.key === "Escape") event.preventDefault(); // a dialog below stays
    event.stopPropagation();
    close();
  } else if (event.key.length === 1 && /\S/.test(event.key) && !event.ctrlKey && !event.metaKey) {
    const wanted = event.key.toLowerCase();
    const order = [...entries.slice(at + 1), ...entries.slice(0, at + 1)];
    order.find((entry) => entry.textContent.trim().toLowerCase().startsWith(wanted))?.focus();
  }
}

const GAP = 4;
const EDGE = 8;

/** Below the button where there is room, else above; right edges meet when the left ones would not fit. */
function placeMenu(menu, button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = menu;
  const fitsBelow = at.bottom + GAP + height <= innerHeight - EDGE;
  const top = fitsBelow ? at.bottom + GAP : Math.max(EDGE, at.top - GAP - height);
  const fitsRight = at.left + width <= innerWidth - EDGE;
  const left = fitsRight ? at.left : Math.max(EDGE, at.right - width);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
  menu.style.setProperty("max-height", `${innerHeight - top - EDGE}px`);
}
