/** Text of an object as text: never as markup. JSON can be laid out, tables of values are shown as tables. */

import { h, replace } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { segmented } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { decodeText, looksBinary } from "./kinds.js";

const ROWS = 200;

/**
 * @param {Uint8Array} raw
 * @param {{type: string, whole: boolean, size: number, key: string}} of
 */
export function textPreview(raw, { type, whole, size, key }) {
  if (looksBinary(raw)) return h("p.preview-none.muted", icon("eye-off"), h("span", t("object.preview.binary")));
  const { text, encoding } = decodeText(raw, whole);
  const place = h("div");
  const source = () => replace(place, h("pre.preview-text", { tabindex: "0", "aria-label": t("object.preview.textOf", { name: key }) }, h("code", text)));
  const other = laidOut(text, { type, whole, key });
  const note = [encoding, whole ? null : t("object.preview.first", { part: bytes(raw.length), size: bytes(size) }), /html|svg/.test(type) ? t("object.preview.asSource") : null].filter(Boolean).join(" · ");
  const show = (how) => (how === "source" ? source() : replace(place, other.node()));
  const choice = other
    ? segmented({ label: t("object.preview.how"), hideLabel: true, value: other.first ? "other" : "source", options: [{ value: "other", label: other.label }, { value: "source", label: t("object.preview.source") }], onchange: show })
    : null;
  show(other?.first ? "other" : "source");
  return h("div", h("div.preview-bar", choice?.node, h("p.muted.small", note)), place);
}

function laidOut(text, { type, whole, key }) {
  const ending = key.toLowerCase().split(".").pop();
  if ((/json$/.test(type) || ending === "json") && whole) return json(text);
  if (type === "text/csv" || ending === "csv") return csv(text, ",", whole);
  if (type === "text/tab-separated-values" || ending === "tsv") return csv(text, "\t", whole);
  return null;
}

function json(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null; // shown as it is
  }
  const laid = JSON.stringify(value, null, 2);
  if (laid === text.trim()) return null;
  return { label: t("object.preview.laidOut"), first: true, node: () => h("pre.preview-text", { tabindex: "0" }, h("code", laid)) };
}

function csv(text, mark, whole) {
  const rows = parse(text, mark, ROWS + 1);
  if (!whole && rows.length <= ROWS) rows.pop(); // the last may be cut
  if (rows.length < 2 || rows[0].length < 2) return null;
  const [head, ...body] = rows;
  const node = () =>
    h(
      "div.preview-table",
      { tabindex: "0", role: "region", "aria-label": t("object.preview.table") },
      h("table", h("thead", h("tr", head.map((cell) => h("th", { scope: "col" }, cell)))), h("tbody", body.slice(0, ROWS).map((row) => h("tr", row.map((cell) => h("td", cell)))))),
      body.length >= ROWS ? h("p.muted.small", t("object.preview.rows", { n: ROWS })) : null,
    );
  return { label: t("object.preview.table"), first: true, node };
}

/** Comma-separated values (RFC 4180), at most `limit` rows. */
function parse(text, mark, limit) {
  const rows = [];
  let row = [];
  let cell = "";
  let quoted = false;
  const endRow = () => {
    row.push(cell);
    if (row.length > 1 || row[0] !== "") rows.push(row);
    [row, cell] = [[], ""];
  };
  for (let at = 0; at < text.length && rows.length < limit; at += 1) {
    const char = text[at];
    if (quoted && char === '"' && text[at + 1] === '"') [cell, at] = [`${cell}"`, at + 1];
    else if (char === '"' && (quoted || cell === "")) quoted = !quoted;
    else if (quoted) cell += char;
    else if (char === mark) [row, cell] = [[...row, cell], ""];
    else if (char === "\n") endRow();
    else if (char !== "\r") cell += char;
  }
  if (rows.length < limit && (cell !== "" || row.length)) endRow();
  return rows;
}
