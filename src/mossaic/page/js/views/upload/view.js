// The upload view of a bucket: choose, look at what will happen, send.

import { h, replace } from "../../ui/dom.js";
import { textField } from "../../ui/form.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { pageHead } from "../../ui/parts.js";
import { toast } from "../../ui/toast.js";
import { transfersPanel } from "../transfers/panel.js";
import { dropzone } from "./dropzone.js";
import { optionsForm } from "./options.js";
import { keyFault, optionsOf, planned, tidyPrefix } from "./plan.js";
import { stagedList } from "./staged.js";

/** @typedef {import("../../upload/files.js").Found} Found */

// What is chosen outlives the view: a change of language or a look at the objects does not lose it.
const staging = new Map();

function stagedFor(bucket) {
  if (!staging.has(bucket)) staging.set(bucket, { found: [], name: "" });
  return staging.get(bucket);
}

/**
 * @param {{bucket: string, prefix: string, uploads: import("../../upload/uploads.js").Uploads, signal: AbortSignal, dropped?: Found[]}} context
 * @returns {HTMLElement}
 */
export function uploadView({ bucket, prefix, uploads, signal, dropped = [] }) {
  const staged = stagedFor(bucket);
  const where = whereFields(bucket, prefix, staged);
  const options = optionsForm({ bucket, uploads, example: () => exampleOf(rows()), onchange: () => update() });
  const list = stagedList({ remove: (found) => keep(staged.found.filter((each) => each !== found)) });
  const bar = sendBar({ send: () => send(), clear: () => keep([]) });
  const rows = () => planned(staged.found, { ...where.value(), include: options.choice.include, exclude: options.choice.exclude });
  const keep = (found) => {
    staged.found = found;
    if (found.length !== 1) staged.name = "";
    where.refresh(staged);
    update();
    options.refresh();
  };
  const take = (found) => {
    if (!found.length) return;
    keep(withNew(staged.found, found));
    if (options.choice.atOnce) send();
  };
  const update = () => {
    const planning = rows();
    zone.classList.toggle("is-small", planning.length > 0);
    list.update(planning);
    bar.update(planning, bucket, where.value().prefix);
  };
  const send = () => {
    if (!where.check() || !options.check()) return;
    const wanted = rows().filter((row) => row.wanted);
    if (!wanted.length || wanted.some((row) => keyFault(row.key))) return;
    try {
      uploads.add(wanted.map(itemOf), { bucket, options: optionsOf(options.choice) });
    } catch (problem) {
      toast({ kind: "bad", text: t("upload.refused"), problem });
      return;
    }
    keep([]);
    panel.node.scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  };
  where.node.addEventListener("input", update);
  const panel = transfersPanel({ uploads, bucket, signal });
  const zone = dropzone({ take, signal });
  const main = h("div.upload-main", where.node, zone, list.node, bar.node, panel.node);
  const node = h(
    "div.upload-view",
    pageHead({ title: t("upload.title"), sub: t("upload.sub", { bucket }) }),
    h("div.upload-grid", main, options.node),
  );
  where.refresh(staged);
  update();
  options.refresh();
  take(dropped);
  return node;
}

const calm = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

/** The same path chosen twice is one file, the later one. */
function withNew(old, found) {
  const paths = new Set(found.map((each) => each.path));
  return [...old.filter((each) => !paths.has(each.path)), ...found];
}

/** An empty folder is kept as OSS consoles do it: an empty object whose key ends with a slash. */
function itemOf({ found, key }) {
  const file = found.file ?? new File([], found.path, { type: "application/x-directory" });
  return found.handle ? { file, key, handle: found.handle } : { file, key };
}

function exampleOf(rows) {
  const wanted = rows.filter((row) => row.wanted);
  const largest = wanted.reduce((most, row) => Math.max(most, row.found.file?.size ?? 0), 0);
  return { key: wanted[0]?.key ?? "photos/example.jpg", file: wanted[0]?.found.file ?? null, largest };
}

function whereFields(bucket, prefix, staged) {
  const folder = textField({ label: t("upload.prefix"), value: prefix, mono: true, placeholder: "photos/2026/", hint: t("upload.prefix.hint") });
  const name = textField({
    label: t("upload.name"),
    mono: true,
    hint: t("upload.name.hint"),
    oninput: (value) => {
      staged.name = value;
    },
    validate: (value) => (value === "" || !keyFault(value) ? "" : t(`upload.key.${keyFault(value)}`)),
  });
  folder.input.addEventListener("blur", () => {
    folder.value = tidyPrefix(folder.value);
  });
  const node = h("div.upload-where", folder.node, name.node);
  return {
    node,
    value: () => ({ prefix: tidyPrefix(folder.value), name: staged.name }),
    check: () => folder.check() && name.check(),
    refresh() {
      const [only] = staged.found;
      const single = staged.found.length === 1 && only.file && !only.path.includes("/");
      name.node.hidden = !single;
      if (single) name.value = staged.name || only.path;
    },
  };
}

function sendBar({ send, clear }) {
  const said = h("p.send-bar-said", { "aria-live": "polite" });
  const target = h("p.send-bar-target.mono");
  const go = h("button.button.is-primary", { type: "button", onclick: send }, icon("upload"), h("span.button-label"));
  const drop = h("button.button.is-ghost", { type: "button", onclick: clear }, t("upload.clear"));
  const node = h("div.send-bar", h("div.send-bar-words", said, target), drop, go);
  return {
    node,
    update(rows, bucket, prefix) {
      const wanted = rows.filter((row) => row.wanted);
      const faults = wanted.filter((row) => keyFault(row.key)).length;
      const size = wanted.reduce((sum, row) => sum + (row.found.file?.size ?? 0), 0);
      node.hidden = rows.length === 0;
      go.disabled = wanted.length === 0 || faults > 0;
      said.textContent = faults ? t("upload.faults", { n: faults }) : t("upload.sum", { n: wanted.length, size: bytes(size) });
      target.textContent = `oss://${bucket}/${prefix}`;
      replace(go.querySelector(".button-label"), t("upload.send", { n: wanted.length }));
    },
  };
}
