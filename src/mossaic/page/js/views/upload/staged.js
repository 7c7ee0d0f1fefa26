// The files that were chosen and are not yet on their way, each with the key it will get.

import { h, replace } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { keyFault } from "./plan.js";

/** @typedef {import("./plan.js").planned} planned */

const SHOWN = 100;

/**
 * @param {{remove: (found: import("../../upload/files.js").Found) => void}} context
 * @returns {{node: HTMLElement, update: (rows: ReturnType<typeof planned>) => void}}
 */
export function stagedList({ remove }) {
  const list = h("ul.staged-list");
  const note = h("p.staged-note");
  const node = h("section.staged", { "aria-label": t("upload.staged") }, list, note);
  return {
    node,
    update(rows) {
      node.hidden = rows.length === 0;
      // What cannot be sent comes first: nobody finds it among thousands.
      const faulty = rows.filter((row) => row.wanted && keyFault(row.key));
      const rest = rows.filter((row) => !faulty.includes(row));
      const shown = [...faulty, ...rest].slice(0, SHOWN);
      replace(list, shown.map((row) => stagedRow(row, remove)));
      note.textContent = noteWords(rows);
    },
  };
}

function noteWords(rows) {
  const said = [];
  if (rows.length > SHOWN) said.push(t("upload.staged.more", { n: rows.length - SHOWN }));
  const left = rows.filter((row) => !row.wanted).length;
  if (left) said.push(t("upload.staged.excluded", { n: left }));
  return said.join(" ");
}

function stagedRow({ found, key, wanted }, remove) {
  const fault = wanted ? keyFault(key) : "";
  const cut = key.lastIndexOf("/", key.length - 2) + 1;
  const size = found.file ? bytes(found.file.size) : t("upload.staged.folder");
  return h(
    "li.staged-row",
    { class: [wanted ? "" : "is-excluded", fault ? "is-wrong" : ""].join(" ") },
    icon(found.file ? "file" : "folder"),
    h("span.staged-key", { title: key }, cut ? h("span.staged-folder", key.slice(0, cut)) : null, h("bdi", key.slice(cut))),
    fault ? h("span.staged-fault", t(`upload.key.${fault}`)) : null,
    wanted ? null : h("span.badge", t("upload.staged.left")),
    h("span.staged-size", size),
    h(
      "button.button.is-ghost.is-icon.is-small",
      { type: "button", "aria-label": t("upload.staged.remove", { key }), title: t("upload.staged.remove.short"), onclick: () => remove(found) },
      icon("x"),
    ),
  );
}
