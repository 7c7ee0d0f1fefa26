/** Files dropped on the Objects view go to the Upload view, with the folder they were dropped on as their prefix. */

import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { go } from "../../ui/router.js";
import { fromDrop } from "../../upload/files.js";
import { handOver } from "./handover.js";
import { uploadPath } from "./keys.js";
import { nameNode } from "./name.js";

/**
 * @param {HTMLElement} outlet
 * @param {{bucket: string, prefix: string, signal: AbortSignal}} where
 */
export function acceptDrops(outlet, { bucket, prefix, signal }) {
  const veil = h("div.drop-veil", { hidden: true, "aria-hidden": "true" }, h("div.drop-veil-text", icon("upload"), h("span", t("objects.drop.here"), " ", prefix ? nameNode(prefix) : h("bdi", bucket))));
  outlet.append(veil);
  let depth = 0; // enter and leave come for every element on the way
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const show = (by) => {
    depth = Math.max(0, depth + by);
    veil.hidden = depth === 0;
  };
  const on = (name, act) => addEventListener(name, act, { signal });
  on("dragenter", (event) => carries(event) && !document.querySelector("dialog[open]") && show(1));
  on("dragleave", (event) => carries(event) && show(-1));
  on("dragover", (event) => carries(event) && event.preventDefault());
  on("drop", async (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    show(-depth);
    if (document.querySelector("dialog[open]")) return;
    const found = await fromDrop(event.dataTransfer);
    if (!found.length || signal.aborted) return;
    handOver(bucket, prefix, found);
    go(uploadPath(bucket, prefix));
  });
}
