/** The columns of the Objects view. */

import { h } from "../../ui/dom.js";
import { bytes, dateTime, exactBytes, shortDateTime } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { fileIcon, icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/menu.js";
import { link } from "../../ui/router.js";
import { rowActions } from "./actions.js";
import { folderPath, objectPath, plainName } from "./keys.js";
import { shortName } from "./name.js";

/**
 * @param {{bucket: string, folder: string, world: import("./actions.js").World, versions: boolean}} of
 * @returns {import("../../ui/table.js").Column[]}
 */
export function columns({ bucket, folder, world, versions }) {
  return [
    { id: "name", label: t("objects.column.name"), main: true, cell: (row) => nameCell(row, bucket, folder, versions) },
    { id: "size", label: t("objects.column.size"), align: "end", cell: sizeCell },
    { id: "class", label: t("objects.column.class"), show: "wide", cell: classCell },
    { id: "modified", label: t("objects.column.modified"), cell: dateCell },
    { id: "actions", label: t("objects.column.menu"), hideLabel: true, align: "end", cell: (row) => menuButton(t("objects.menuOf", { name: plainName(row.key) }), () => rowActions(row, world), { iconOnly: true, kind: "ghost", small: true }) },
  ];
}

function nameCell(row, bucket, folder, versions) {
  const name = shortName(row.key, folder);
  if (row.kind === "folder") return h("a.entry", { href: link(folderPath(bucket, row.key)) }, icon("folder"), h("span.entry-name", name));
  if (row.kind === "marker") return h("span.entry", { class: row.latest ? "" : "is-old" }, icon("trash"), h("span.entry-name", h("s.muted", name), h("span.badge.is-warn", t("objects.version.marker"))));
  const badges = [
    row.key.endsWith("/") ? h("span.badge", t("objects.folderObject")) : null,
    row.type !== "Normal" && row.type !== "Multipart" ? h("span.badge", t(`objects.type.${row.type}`)) : null,
    versions && row.latest ? h("span.badge.is-good", t("objects.version.latest")) : null,
  ];
  return h("a.entry", { class: versions && !row.latest ? "is-old" : "", href: link(objectPath(bucket, row.key, versions ? row.versionId : undefined)) }, fileIcon(row.key), h("span.entry-name", name, badges, versions ? h("span.entry-version.mono", row.versionId) : null));
}

function sizeCell(row) {
  return row.kind === "object" ? h("span.number", { title: exactBytes(row.size) }, bytes(row.size)) : null;
}

function classCell(row) {
  if (row.kind !== "object") return null;
  return h("span", { class: row.storageClass === "Standard" ? "muted" : "badge" }, t(`objects.class.${row.storageClass}`));
}

function dateCell(row) {
  if (row.kind === "folder") return null;
  return h("time", { datetime: row.modified.toISOString(), title: dateTime(row.modified) }, shortDateTime(row.modified));
}
