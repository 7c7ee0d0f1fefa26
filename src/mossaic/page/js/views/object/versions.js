/** The versions of one object: look at them, make an old one the current one, delete one for good. */

import { h, replace } from "../../ui/dom.js";
import { bytes, shortDateTime } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { button, card, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { menuButton } from "../../ui/menu.js";
import { link } from "../../ui/router.js";
import { restored, rowActions, undeleted } from "../objects/actions.js";
import { objectPath } from "../objects/keys.js";
import { versionsOf } from "../objects/list.js";

/**
 * @param {{bucket: string, key: string, shown?: string, world: import("../objects/actions.js").World, signal: AbortSignal}} of  shown: the version that is looked at
 * @returns {HTMLElement}  hidden where there is nothing to choose from
 */
export function versionsCard(of) {
  const list = h("div", skeleton(2));
  const node = card({ title: t("object.versions.title"), className: "versions-card" }, list);
  load(of, list, node);
  return node;
}

async function load(of, list, node) {
  const { bucket, key, signal } = of;
  try {
    const { rows, more } = await versionsOf({ bucket, key, signal });
    node.hidden = rows.length === 1 && rows[0].versionId === "null";
    replace(list, h("ul.versions", rows.map((row) => versionRow(row, of))), more ? h("p.muted.small", t("object.versions.more", { n: rows.length })) : null);
  } catch (problem) {
    if (!signal.aborted) replace(list, problemView(problem, { compact: true }));
  }
}

function versionRow(row, of) {
  const { bucket, shown, world } = of;
  const here = shown ? row.versionId === shown : row.latest;
  const when = h("time", { datetime: row.modified.toISOString() }, shortDateTime(row.modified));
  const act = actions(row, world);
  return h(
    "li.version",
    { class: here ? "is-here" : "", "aria-current": here ? "true" : null },
    h(
      "div.version-text",
      h("div.version-head", row.kind === "marker" || here ? h("span", when) : h("a", { href: link(objectPath(bucket, row.key, row.latest ? undefined : row.versionId)) }, when), row.latest && row.kind === "object" ? h("span.badge.is-good", t("objects.version.latest")) : null, row.kind === "marker" ? h("span.badge.is-warn", t("objects.version.marker")) : null),
      h("div.muted.small", row.kind === "object" ? `${bytes(row.size)} · ` : null, h("span.mono", row.versionId)),
    ),
    h("div.version-actions", act, menuButton(t("objects.menuOf", { name: row.versionId }), () => rowActions(row, world), { iconOnly: true, kind: "ghost", small: true })),
  );
}

function actions(row, world) {
  if (row.kind === "marker" && row.latest) return button(t("objects.do.undelete"), { small: true, icon: "restore", onclick: () => undeleted(row, world) });
  if (row.kind === "object" && !row.latest) return button(t("object.versions.restore"), { small: true, icon: "restore", onclick: () => restored(row, world) });
  return null;
}
