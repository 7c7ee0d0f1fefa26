// Where files come in: dropped anywhere on the view, picked, or pasted.

import { fromDrop, pick } from "../../upload/files.js";
import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { toast } from "../../ui/toast.js";

/** @typedef {import("../../upload/files.js").Found} Found */

/**
 * @param {{take: (found: Found[]) => void, signal: AbortSignal}} context  `signal` ends listening on the whole page
 * @returns {HTMLElement}
 */
export function dropzone({ take, signal }) {
  const choose = async (what) => {
    try {
      take(await pick(what));
    } catch (problem) {
      toast({ kind: "bad", text: t("upload.unreadable"), problem });
    }
  };
  const button = (label, name, what, primary) =>
    h(`button.button.${primary ? "is-primary" : "is-plain"}`, { type: "button", onclick: () => choose(what) }, icon(name), label);
  const node = h(
    "section.dropzone",
    { "aria-label": t("upload.drop.label") },
    h("span.dropzone-mark", { "aria-hidden": "true" }, icon("upload")),
    h("p.dropzone-title", t("upload.drop.title")),
    h("p.dropzone-hint", t("upload.drop.hint")),
    h(
      "div.dropzone-buttons",
      button(t("upload.pick.files"), "file", { multiple: true }, true),
      button(t("upload.pick.folder"), "folder", { directory: true }, false),
    ),
    h("div.dropzone-veil", { "aria-hidden": "true" }, icon("inbox"), t("upload.drop.now")),
  );
  listenForDrops(node, take, signal);
  listenForPaste(take, signal);
  return node;
}

/** The whole page takes drops: one that misses would otherwise open the file and leave the page. */
function listenForDrops(node, take, signal) {
  let depth = 0;
  const over = (on) => node.classList.toggle("is-over", on);
  const hasFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  const on = (name, run) => window.addEventListener(name, (event) => hasFiles(event) && run(event), { signal });
  on("dragenter", (event) => {
    event.preventDefault();
    depth += 1;
    over(true);
  });
  on("dragover", (event) => {
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
  });
  on("dragleave", () => {
    depth = Math.max(0, depth - 1);
    if (!depth) over(false);
  });
  on("drop", async (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    try {
      take(await fromDrop(event.dataTransfer));
    } catch (problem) {
      toast({ kind: "bad", text: t("upload.unreadable"), problem });
    }
  });
}

function listenForPaste(take, signal) {
  const paste = async (event) => {
    if (!event.clipboardData?.files.length) return;
    event.preventDefault();
    const found = await fromDrop(event.clipboardData);
    take(found.map((each) => (each.path === "image.png" ? { ...each, path: pastedName(new Date()) } : each)));
  };
  document.addEventListener("paste", paste, { signal });
}

/** Every pasted picture is called image.png; a second one would be in the way of the first. */
function pastedName(now) {
  const digits = (value) => String(value).padStart(2, "0");
  const date = [now.getFullYear(), digits(now.getMonth() + 1), digits(now.getDate())].join("");
  return `pasted-${date}-${[now.getHours(), now.getMinutes(), now.getSeconds()].map(digits).join("")}.png`;
}
