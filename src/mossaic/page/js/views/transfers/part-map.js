// The parts of an upload as a picture: one cell a part, or a cell for several when there are too many to tell apart.

import { h, onGone } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { layout, summary } from "./part-cells.js";

const COLOURS = ["waiting", "sending", "stored", "trouble", "kept"];

/**
 * @param {{rows?: number, compact?: boolean}} [options] rows of cells before parts share one
 * @returns {{node: HTMLElement, update(parts: Uint8Array): void}}
 */
export function partMap({ rows = 6, compact = false } = {}) {
  const canvas = h("canvas.part-map-cells", { "aria-hidden": "true" });
  const node = h("div.part-map", { role: "img", tabIndex: compact ? undefined : -1 }, canvas);
  if (compact) node.classList.add("is-compact");
  const state = { parts: new Uint8Array(0), rows, compact, plan: null };
  const draw = frameOnce(() => paint(node, canvas, state));
  const resized = new ResizeObserver(draw);
  resized.observe(node);
  const themed = new MutationObserver(draw);
  themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", draw);
  onGone(node, () => {
    resized.disconnect();
    themed.disconnect();
    dark.removeEventListener("change", draw);
  });
  canvas.addEventListener("mousemove", (event) => {
    canvas.title = cellWords(state, event.offsetX, event.offsetY);
  });
  return {
    node,
    update(parts) {
      state.parts = parts;
      const words = summary(parts);
      if (node.getAttribute("aria-label") !== mapWords(words)) node.setAttribute("aria-label", mapWords(words));
      draw();
    },
  };
}

/** Each colour with its word, for those who see the picture. */
export function legend() {
  return h(
    "ul.part-legend",
    { "aria-hidden": "true" },
    COLOURS.map((name) => h(`li.part-legend-item.is-${name}`, h("i"), t(`upload.part.${name}`))),
  );
}

/** What the picture says, in words. @param {{counts: number[], total: number}} found */
export function mapWords({ counts, total }) {
  const said = COLOURS.map((name, state) => (counts[state] ? t(`upload.parts.${name}`, { n: counts[state] }) : null));
  return [t("upload.parts.total", { n: total }), ...said.filter(Boolean)].join(t("upload.comma"));
}

function frameOnce(run) {
  let asked = 0;
  return () => {
    asked ||= requestAnimationFrame(() => {
      asked = 0;
      run();
    });
  };
}

function paint(node, canvas, state) {
  const width = Math.floor(node.clientWidth);
  if (!width || !state.parts.length) return;
  const plan = layout(state.parts.length, width, state.rows, state.compact);
  state.plan = plan;
  const ratio = window.devicePixelRatio || 1;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(plan.height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(plan.height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${plan.height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, plan.height);
  const style = getComputedStyle(node);
  const colours = COLOURS.map((name) => style.getPropertyValue(`--part-${name}`).trim() || "#888");
  for (let cell = 0; cell < plan.cells; cell += 1) paintCell(context, plan, cell, state.parts, colours);
}

/** A cell is filled from below by what is stored of it; a tick on top says that something is under way or wrong. */
function paintCell(context, plan, cell, parts, colours) {
  const counts = [0, 0, 0, 0, 0];
  const stop = Math.min(parts.length, (cell + 1) * plan.per);
  for (let part = cell * plan.per; part < stop; part += 1) counts[parts[part]] += 1;
  const total = stop - cell * plan.per;
  const [x, y, width, height] = plan.box(cell);
  fillBox(context, colours[0], x, y, width, height);
  const there = (counts[2] + counts[4]) / total;
  if (there) {
    const high = there === 1 ? height : Math.max(1, Math.min(height - 2, Math.round(height * there)));
    fillBox(context, colours[counts[4] >= counts[2] ? 4 : 2], x, y + height - high, width, high);
  }
  if (counts[1] && there < 1) {
    const high = Math.max(2, Math.round(height * (total === 1 ? 0.5 : 0.25)));
    fillBox(context, colours[1], x, total === 1 ? y + height - high : y, width, high);
  }
  if (counts[3]) fillBox(context, colours[3], x, y, width, total === 1 ? height : Math.max(2, Math.round(height * 0.4)));
}

function fillBox(context, colour, x, y, width, height) {
  context.fillStyle = colour;
  context.beginPath();
  context.roundRect(x, y, width, height, Math.min(2, width / 3, height / 3));
  context.fill();
}

function cellWords({ parts, plan }, x, y) {
  const cell = plan?.at(x, y) ?? -1;
  if (cell < 0) return "";
  const first = cell * plan.per + 1;
  const last = Math.min(parts.length, first + plan.per - 1);
  if (first === last) return t("upload.part.one", { number: first, state: t(`upload.part.${COLOURS[parts[first - 1]]}`) });
  const there = parts.subarray(first - 1, last).reduce((sum, each) => sum + (each === 2 || each === 4 ? 1 : 0), 0);
  return t("upload.part.many", { first, last, stored: there, total: last - first + 1 });
}
