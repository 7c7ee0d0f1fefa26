// The stored parts of one upload: a map, what is missing, and each part.

import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes, dateTime } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { facts } from "../../ui/parts.js";
import { copyButton } from "../../ui/problem-view.js";
import { table } from "../../ui/table.js";
import { ranges } from "../transfers/part-cells.js";
import { partMap } from "../transfers/part-map.js";
import { mapOf, missing, ownerName } from "./gaps.js";

const SHOWN = 200;

/**
 * @param {import("./listing.js").Row} row
 * @param {import("./listing.js").Part[]} parts
 * @param {import("../../upload/task.js").Task} [task] of this page: it knows how many parts there will be
 */
export function partsDialog(row, parts, task) {
  const states = mapOf(parts, task?.parts.length);
  const map = partMap();
  const shown = parts.slice(0, SHOWN);
  const list = table({
    label: t("tasks.parts"),
    columns: columns(),
    rows: shown,
    key: (part) => String(part.number),
    empty: h("p", t("tasks.parts.none")),
  });
  const note = parts.length > SHOWN ? h("p.field-hint", t("tasks.parts.more", { n: parts.length - SHOWN })) : null;
  const opened = openDialog({
    title: t("tasks.parts.of", { key: row.key }),
    size: "large",
    body: h("div.parts-view", factsOf(row, parts, states), map.node, list.node, note),
  });
  map.update(states);
  return opened;
}

function factsOf(row, parts, states) {
  const size = parts.reduce((sum, part) => sum + part.size, 0);
  const gaps = ranges(missing(states));
  const gapWords = gaps.text ? gaps.text + (gaps.more ? t("tasks.gaps.more", { n: gaps.more }) : "") : t("tasks.gaps.none");
  return facts([
    [t("tasks.col.id"), h("span.transfer-facts", h("span.mono", row.uploadId), copyButton(row.uploadId, t("tasks.copyId")))],
    [t("tasks.stored"), t("tasks.stored.value", { n: parts.length, size: bytes(size), exact: number(size) })],
    [t("tasks.gaps"), h("span.mono", gapWords)],
    [t("tasks.col.initiated"), dateTime(row.initiated)],
    row.owner ? [t("tasks.col.owner"), h("span", { title: row.owner }, ownerName(row.owner))] : null,
    [t("tasks.col.class"), row.storageClass],
  ]);
}

function columns() {
  return [
    { id: "number", label: t("tasks.part.number"), main: true, cell: (part) => number(part.number) },
    { id: "size", label: t("tasks.part.size"), align: "end", cell: (part) => h("span", { title: t("ui.bytes", { n: part.size }) }, bytes(part.size)) },
    { id: "stored", label: t("tasks.part.stored"), cell: (part) => dateTime(new Date(part.lastModified)) },
    { id: "etag", label: "ETag", cell: (part) => h("span.mono.part-etag", part.etag), show: "wide" },
    { id: "crc", label: "CRC-64", align: "end", cell: (part) => h("span.mono", part.crc64 || "–"), show: "wide" },
  ];
}
