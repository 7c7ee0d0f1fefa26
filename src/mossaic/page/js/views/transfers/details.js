// Everything that is known of one upload, drawn when it is opened.

import { freshId, h, replace } from "../../ui/dom.js";
import { bytes, dateTime } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { facts } from "../../ui/parts.js";
import { copyButton } from "../../ui/problem-view.js";
import { summary } from "./part-cells.js";
import { legend, mapWords, partMap } from "./part-map.js";

/** @typedef {import("../../upload/task.js").Task} Task */

/** @param {Task} task @returns {{button: HTMLButtonElement, node: HTMLElement}} the button opens `node` */
export function details(task) {
  const node = h("div.transfer-inside", { id: freshId("details"), hidden: true });
  const words = t("upload.details.of", { key: task.key });
  const button = h(
    "button.button.is-ghost.is-icon.is-small.transfer-open",
    { type: "button", "aria-expanded": "false", "aria-controls": node.id, "aria-label": words, title: t("upload.details") },
    icon("chevron-down"),
  );
  let gone = null;
  button.addEventListener("click", () => {
    gone?.abort();
    node.hidden = !node.hidden;
    button.setAttribute("aria-expanded", String(!node.hidden));
    if (node.hidden) return replace(node);
    gone = new AbortController();
    return replace(node, inside(task, gone.signal));
  });
  return { button, node };
}

function inside(task, signal) {
  const map = partMap();
  const said = h("p.transfer-parts-said");
  const place = h("div");
  let shown = "";
  task.watch(
    () => {
      const parts = partsOf(task);
      map.update(parts);
      said.textContent = mapWords(summary(parts));
      const found = factsOf(task);
      const text = JSON.stringify(found);
      if (text === shown) return;
      shown = text;
      replace(place, facts(found.map(pair)));
    },
    { signal },
  );
  return [map.node, h("div.transfer-map-foot", said, legend()), place];
}

/** Of a whole object every part is stored, also where its callback failed afterwards. */
function partsOf({ state, parts }) {
  return state === "done" ? parts.map((part) => (part === 4 ? 4 : 2)) : parts;
}

function pair({ name, value, copy, mono, tick }) {
  const words = h("span.transfer-fact", { class: mono ? "mono" : "" }, value);
  return [
    t(name),
    h("span.transfer-facts", tick ? h("span.transfer-tick", icon("check-circle")) : null, words, copy ? copyButton(value, t("upload.copy", { what: t(name) })) : null),
  ];
}

function factsOf(task) {
  const count = task.parts.length;
  const size = count > 1 || task.uploadId ? t("upload.fact.cut.parts", { n: count, size: bytes(task.partSize) }) : t("upload.fact.cut.one");
  const found = [
    { name: "upload.fact.size", value: t("upload.exact", { sent: number(task.sent), total: number(task.total) }) },
    { name: "upload.fact.cut", value: size },
    { name: "upload.fact.begun", value: dateTime(task.createdAt) },
    { name: "upload.fact.retries", value: number(task.retries) },
  ];
  if (task.uploadId) found.push({ name: "upload.fact.id", value: task.uploadId, copy: true, mono: true });
  return [...found, ...resultFacts(task.result)];
}

function resultFacts(result) {
  if (!result) return [];
  const found = result.etag ? [{ name: "upload.fact.etag", value: result.etag, copy: true, mono: true }] : [];
  if (result.crc64) {
    found.push({ name: "upload.fact.crc", value: t("upload.fact.crc.same", { crc64: result.crc64 }), tick: true, mono: true });
  }
  if (result.versionId) found.push({ name: "upload.fact.version", value: result.versionId, copy: true, mono: true });
  if (result.requestId) found.push({ name: "upload.fact.request", value: result.requestId, copy: true, mono: true });
  if (result.callback !== null && result.callback !== undefined) {
    const answer = typeof result.callback === "string" ? result.callback : JSON.stringify(result.callback);
    found.push({ name: "upload.fact.callback", value: answer, mono: true, tick: true });
  }
  return found;
}
