// The progress of all uploads together.

import { h } from "../../ui/dom.js";
import { bytes, duration, percent, rate } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";

/** @typedef {import("../../upload/uploads.js").Overall} Overall */

/** "3 being sent · 2 waiting · 5 done" @param {Overall} overall */
export function countWords({ active = 0, waiting = 0, done = 0, failed = 0 }) {
  const said = [];
  if (active) said.push(t("upload.count.active", { n: active }));
  if (waiting) said.push(t("upload.count.waiting", { n: waiting }));
  if (failed) said.push(t("upload.count.failed", { n: failed }));
  if (done) said.push(t("upload.count.done", { n: done }));
  return said.join(" · ");
}

/** "12 MiB of 120 MiB · 4 MiB/s · 27 s left" @param {Overall} overall */
export function flowWords({ sent, total, speed, eta, active }) {
  const said = [t("upload.amount", { sent: bytes(sent), total: bytes(total) })];
  if (active && speed > 0) {
    said.push(rate(speed));
    if (Number.isFinite(eta) && eta !== null) said.push(t("upload.left", { time: duration(eta) }));
  }
  return said.join(" · ");
}

/** @param {{uploads: import("../../upload/uploads.js").Uploads, signal: AbortSignal}} context */
export function overallBar({ uploads, signal }) {
  const bar = h("span.progress-fill.transfer-bar");
  const track = h("div.progress.transfer-track", { role: "progressbar", "aria-label": t("upload.overall"), "aria-valuemin": "0", "aria-valuemax": "100" }, bar);
  const counts = h("strong.overall-counts");
  const flow = h("span.overall-flow");
  const share = h("span.overall-share");
  // Every tenth of a second would be chatter; a reader hears when something begins, ends or fails.
  const said = h("span.visually-hidden", { role: "status" });
  uploads.overall.watch(
    (now) => {
      const fraction = now.total ? Math.min(1, now.sent / now.total) : 0;
      bar.style.setProperty("--done", String(fraction));
      track.setAttribute("aria-valuenow", String(Math.floor(fraction * 100)));
      flow.textContent = flowWords(now);
      flow.title = t("upload.exact", { sent: number(now.sent), total: number(now.total) });
      share.textContent = percent(fraction);
      const words = countWords(now);
      if (counts.textContent !== words) counts.textContent = words;
      if (said.textContent !== words) said.textContent = words;
    },
    { signal },
  );
  return h("div.overall", h("p.overall-line", counts, flow, share), track, said);
}
