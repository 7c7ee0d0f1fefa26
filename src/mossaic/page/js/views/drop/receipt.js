/** The receipt: what arrived, in words and as a text to keep. */

import { h } from "../../ui/dom.js";
import { bytes, dateTime } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { button } from "../../ui/parts.js";
import { copyText } from "../../ui/copy.js";
import { toast } from "../../ui/toast.js";

/** @param {any[]} tasks  done ones @param {import("./visit.js").Visit} visit */
export function receipt(tasks, visit) {
  const total = tasks.reduce((sum, task) => sum + task.total, 0);
  const text = asText(tasks, visit, total);
  const copy = async () => {
    const copied = await copyText(text);
    toast({ kind: copied ? "good" : "warn", text: t(copied ? "drop.copied" : "drop.copyFailed") });
  };
  return h(
    "section.card.drop-card.drop-receipt",
    { "aria-labelledby": "receipt" },
    h("span.drop-tick", icon("check-circle")),
    h("h2.drop-receipt-title", { id: "receipt" }, t("drop.thanks", { n: tasks.length })),
    h("p.drop-receipt-text", t("drop.received", { n: tasks.length, size: bytes(total) })),
    h("p.drop-receipt-text", t("drop.reference"), " ", h("code.mono", visit.reference)),
    h("div.drop-receipt-actions", button(t("drop.copyReceipt"), { icon: "copy", onclick: copy })),
    h("p.drop-receipt-more", t("drop.more")),
  );
}

/** Names, sizes and checksums, for whoever wants to prove later what was sent. */
function asText(tasks, visit, total) {
  const lines = tasks.map((task) => {
    const sum = task.result?.crc64 ? `  CRC-64 ${task.result.crc64}` : "";
    return `${task.key.slice(visit.folder.length)}  ${task.total} B${sum}`;
  });
  const head = [visit.facts.value?.title || t("drop.untitled"), `${t("drop.reference")} ${visit.reference}`, dateTime(new Date())];
  return [...head, "", ...lines, "", t("drop.received", { n: tasks.length, size: bytes(total) })].join("\n");
}
