// How much of the line uploads may take, changed while they run.

import { h } from "../../ui/dom.js";
import { rate } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";

const KIB = 1024;
const MIB = 1024 * KIB;
/** Bytes a second; 0 is no limit and stands at the right end. */
export const STOPS = [64 * KIB, 128 * KIB, 256 * KIB, 512 * KIB, MIB, 2 * MIB, 3 * MIB, 5 * MIB, 8 * MIB, 12 * MIB, 20 * MIB, 30 * MIB, 50 * MIB, 100 * MIB, 0];
/** Leaves most of a 4 Mbit/s uplink, a usual one for video meetings at home. */
export const CALL = 128 * KIB;
const PRESETS = [
  ["none", 0],
  ["fast", 5 * MIB],
  ["slow", MIB],
  ["call", CALL],
];

/** @param {{uploads: import("../../upload/uploads.js").Uploads, signal: AbortSignal}} context */
export function bandwidthControl({ uploads, signal }) {
  const words = (limit) => (limit ? t("upload.limit.at", { rate: rate(limit) }) : t("upload.limit.none"));
  const said = h("output.bandwidth-said");
  const slider = h("input.bandwidth-slider", {
    type: "range",
    min: "0",
    max: String(STOPS.length - 1),
    step: "1",
    "aria-label": t("upload.limit"),
    oninput: () => uploads.bandwidth.set(STOPS[Number(slider.value)]),
  });
  const presets = PRESETS.map(([name, limit]) =>
    h(
      "button.upload-chip",
      { type: "button", "aria-pressed": "false", dataset: { limit: String(limit) }, title: t(`upload.limit.${name}.hint`), onclick: () => uploads.bandwidth.set(limit) },
      name === "call" ? icon("video") : null,
      t(`upload.limit.preset.${name}`),
    ),
  );
  uploads.bandwidth.watch(
    (limit) => {
      slider.value = String(nearest(limit));
      slider.setAttribute("aria-valuetext", words(limit));
      said.textContent = words(limit);
      for (const preset of presets) preset.setAttribute("aria-pressed", String(Number(preset.dataset.limit) === limit));
    },
    { signal },
  );
  return h(
    "div.bandwidth",
    h("p.bandwidth-head", h("span", t("upload.limit")), said),
    slider,
    h("div.bandwidth-presets", { role: "group", "aria-label": t("upload.limit.presets") }, presets),
  );
}

/** The stop that says it best; a limit set elsewhere may lie between two. */
function nearest(limit) {
  if (!limit) return STOPS.length - 1;
  const distance = (at) => Math.abs(Math.log(STOPS[at] / limit));
  return STOPS.slice(0, -1).reduce((best, _, at) => (distance(at) < distance(best) ? at : best), 0);
}
