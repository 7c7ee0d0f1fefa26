/** Tables: sticky head, sorting, selection by pointer and keyboard, more rows on demand; cards where there is little room. */

import { bind, h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { isLive, live } from "./live.js";
import { toast } from "./toast.js";

/**
 * @typedef {object} Column
 * @property {string} id
 * @property {string} label  the head; with `hideLabel` for screen readers only
 * @property {(row: any) => any} cell  what `h` takes as a child
 * @property {"start"|"end"} [align]
 * @property {boolean} [main]  the row's name: in bold at the top of a card
 * @property {boolean} [hideLabel]
 * @property {boolean} [bare]  its value speaks for itself: no label before it in a card
 * @property {"always"|"wide"} [show]  "wide" hides it below 900 px
 * @property {(row: any) => string | number} [sort]  makes the head a button that sorts by it
 * @property {string} [className]
 */

/**
 * @param {object} options
 * @param {string} options.label  the table's name for screen readers
 * @param {Column[]} options.columns
 * @param {any[] | import("./live.js").Live<any[]>} options.rows
 * @param {(row: any) => string} [options.key]  what stays the same when a row is read anew; default: the row itself
 * @param {(row: any) => string} [options.version]  a row is drawn anew only when this changes; default: when the row is another object
 * @param {{selected: import("./live.js").Live<Set<string>>, label?: (row: any) => string, can?: (row: any) => boolean}} [options.select]  the keys of the rows chosen
 * @param {(row: any) => void} [options.onOpen]  Enter or a double press on a row
 * @param {any | (() => any)} [options.empty]  what to show instead of no rows
 * @param {{has: import("./live.js").Live<boolean>, load: () => Promise<void>}} [options.more]
 * @param {{by: string, down?: boolean}} [options.sort]  the first order
 * @returns {{node: HTMLElement, rows: import("./live.js").Live<any[]>, clear: () => void}}
 */
export function table(options) {
  const { label, columns, key = (row) => row, version = (row) => row, select, empty, more, sort } = options;
  const source = isLive(options.rows) ? options.rows : live(options.rows);
  const order = live(sort ?? null);
  const state = { drawn: new Map(), shown: [], anchor: null, at: null };
  const body = h("tbody", { role: "rowgroup" });
  const head = h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, select ? selectAllCell(select, state, key) : null, columns.map((column) => headCell(column, order))));
  const grid = h("table.table", { role: "table", "aria-label": label }, head, body);
  const none = h("div.table-empty");
  const node = h("div.table-box", grid, none, more ? moreRow(more) : null);
  const row = (item) => drawRow(item, { ...options, columns, key, select, state, body });

  function draw() {
    const rows = sorted(source.value, columns, order.value);
    const next = new Map();
    for (const item of rows) {
      const id = key(item);
      const known = state.drawn.get(id);
      next.set(id, known && known.version === version(item) ? known : { node: row(item), version: version(item), item });
    }
    const hadFocus = body.contains(document.activeElement);
    patch(body, [...next.values()].map((entry) => entry.node));
    state.drawn = next;
    state.shown = rows;
    if (!next.has(state.at)) state.at = next.keys().next().value ?? null;
    for (const [id, entry] of next) entry.node.tabIndex = id === state.at ? 0 : -1;
    if (hadFocus && !body.contains(document.activeElement)) next.get(state.at)?.node.focus();
    grid.hidden = rows.length === 0;
    replace(none, rows.length === 0 ? (typeof empty === "function" ? empty() : empty) : null);
    if (select) forgetGone(select.selected, next);
  }
  bind(node, source, draw);
  bind(node, order, draw);
  if (select) bind(node, select.selected, (chosen) => markChosen(state, chosen, head));
  body.addEventListener("keydown", (event) => steer(event, { ...options, key, state }));
  return { node, rows: source, clear: () => select?.selected.set(new Set()) };
}

/** Puts `nodes` into `parent` in this order and touches only what differs. */
function patch(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
}

function sorted(rows, columns, order) {
  const value = order && columns.find((column) => column.id === order.by)?.sort;
  if (!value) return rows;
  const text = new Intl.Collator(undefined, { numeric: true });
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : text.compare(String(a), String(b)));
  const turn = order.down ? -1 : 1;
  return [...rows].sort((a, b) => turn * compare(value(a), value(b)));
}

const classes = (column) =>
  [column.align === "end" ? "is-end" : "", column.show === "wide" ? "is-wide" : "", column.main ? "is-main" : "", column.hideLabel ? "is-unlabelled" : "", column.className ?? ""].join(" ");

function headCell(column, order) {
  const words = column.hideLabel ? h("span.visually-hidden", column.label) : column.label;
  if (!column.sort) return h("th", { role: "columnheader", scope: "col", class: classes(column) }, words);
  const turn = () => order.update((now) => ({ by: column.id, down: now?.by === column.id ? !now.down : false }));
  const cell = h("th", { role: "columnheader", scope: "col", class: classes(column) }, h("button.sort", { type: "button", onclick: turn }, words, icon("arrow-down")));
  bind(cell, order, (now) => {
    if (now?.by === column.id) cell.setAttribute("aria-sort", now.down ? "descending" : "ascending");
    else cell.removeAttribute("aria-sort");
  });
  return cell;
}

function selectAllCell(select, state, key) {
  const all = () => state.shown.filter((row) => select.can?.(row) ?? true).map(key);
  const box = h("input.checkbox", {
    type: "checkbox",
    "aria-label": t("ui.selectAll"),
    onchange: () => select.selected.set(new Set(box.checked ? all() : [])),
  });
  return h("th.table-check", { role: "columnheader", scope: "col" }, h("label.check-hit", box));
}

function drawRow(item, { columns, key, select, state, onOpen, body }) {
  const id = key(item);
  const cells = columns.map((column) =>
    h("td", { role: "cell", class: classes(column), dataset: { label: column.hideLabel || column.bare ? "" : column.label, column: column.id } }, h("div.cell", column.cell(item))),
  );
  const node = h("tr.table-row", { role: "row", tabindex: "-1" }, select ? checkCell(item, id, { select, state, key }) : null, cells);
  node.addEventListener("focusin", () => {
    state.drawn.get(state.at)?.node.setAttribute("tabindex", "-1");
    state.at = id;
    node.tabIndex = 0;
  });
  if (onOpen) node.addEventListener("dblclick", (event) => !event.target.closest("a, button, input, label") && body.contains(node) && onOpen(item));
  return node;
}

function checkCell(item, id, { select, state, key }) {
  const box = h("input.checkbox", {
    type: "checkbox",
    tabindex: "-1", // the row takes the space bar
    disabled: select.can ? !select.can(item) : false,
    checked: select.selected.value.has(id),
    "aria-label": select.label?.(item) ?? t("ui.selectRow", { name: String(id) }),
    onclick: (event) => choose(id, box.checked, event.shiftKey, { select, state, key }),
  });
  return h("td.table-check", { role: "cell" }, h("label.check-hit", { onmousedown: (event) => event.shiftKey && event.preventDefault() }, box));
}

/** With Shift, everything between the last press and this one takes the same state. */
function choose(id, on, range, { select, state, key }) {
  const ids = state.shown.filter((row) => select.can?.(row) ?? true).map(key);
  const from = ids.indexOf(state.anchor);
  const to = ids.indexOf(id);
  const touched = range && from >= 0 && to >= 0 ? ids.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
  state.anchor = id;
  const next = new Set(select.selected.value);
  for (const one of touched) on ? next.add(one) : next.delete(one);
  select.selected.set(next);
}

function markChosen(state, chosen, head) {
  for (const [id, entry] of state.drawn) {
    const on = chosen.has(id);
    entry.node.classList.toggle("is-chosen", on);
    const box = entry.node.querySelector(".table-check input");
    if (box) box.checked = on;
  }
  const all = head.querySelector(".table-check input");
  const count = [...state.drawn.keys()].filter((id) => chosen.has(id)).length;
  all.checked = count > 0 && count === state.drawn.size;
  all.indeterminate = count > 0 && count < state.drawn.size;
}

function forgetGone(selected, drawn) {
  const kept = [...selected.value].filter((id) => drawn.has(id));
  selected.set(new Set(kept)); // also marks rows that were drawn anew
}

function steer(event, options) {
  const { state, key, select, onOpen } = options;
  if (event.target !== event.target.closest("tr")) return;
  const ids = state.shown.map(key);
  const at = ids.indexOf(state.at);
  const steps = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: ids.length - 1 };
  const row = state.shown[at];
  if (event.key in steps) {
    event.preventDefault();
    const to = Math.min(Math.max(steps[event.key], 0), ids.length - 1);
    const node = state.drawn.get(ids[to])?.node;
    if (select && event.shiftKey && (select.can?.(state.shown[to]) ?? true)) choose(ids[to], true, false, options);
    node?.focus();
    node?.scrollIntoView({ block: "nearest" });
  } else if (event.key === " " && select && row && (select.can?.(row) ?? true)) {
    event.preventDefault();
    choose(ids[at], !select.selected.value.has(ids[at]), event.shiftKey, options);
  } else if (event.key === "Enter" && row) {
    event.preventDefault();
    if (onOpen) onOpen(row);
    else event.target.querySelector("a[href]")?.click();
  }
}

/** A button for more rows; it also loads when it comes into sight. */
function moreRow(more) {
  const button = h("button.button.is-plain.is-small", { type: "button", onclick: () => load() }, t("ui.more"));
  const node = h("div.table-more", button);
  let loading = false;
  async function load() {
    if (loading || !more.has.value) return;
    loading = true;
    button.classList.add("is-busy");
    try {
      await more.load();
      sight.unobserve(button);
      sight.observe(button); // still in sight: it says so again
    } catch (error) {
      toast({ kind: "bad", text: t("ui.moreFailed"), problem: error, action: { label: t("ui.retry"), run: load } });
    } finally {
      loading = false;
      button.classList.remove("is-busy");
    }
  }
  const sight = new IntersectionObserver((entries) => entries.some((entry) => entry.isIntersecting) && load(), { rootMargin: "400px" });
  sight.observe(button);
  bind(node, more.has, (has) => {
    node.hidden = !has;
  });
  return node;
}
