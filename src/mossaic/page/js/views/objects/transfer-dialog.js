/** Copying, moving and renaming: where to, what is there already, then the work itself with its account. */

import { clientFor } from "../../core/oss.js";
import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes, percent } from "../../ui/format.js";
import { field, segmented, textField, validate } from "../../ui/form.js";
import { freshId } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived, live } from "../../ui/live.js";
import { problemView } from "../../ui/problem-view.js";
import { runDialog } from "./account-view.js";
import { Account } from "./batch.js";
import { count } from "./count.js";
import { faultWords } from "./fault.js";
import { nameOf, parentOf } from "./keys.js";
import { nameNode } from "./name.js";
import { targetKey, transfer, transferFault } from "./transfer.js";

/**
 * @param {"copy"|"move"} mode
 * @param {{bucket: string, chosen: import("./transfer.js").Chosen[], versioning: string|null}} what
 * @returns {Promise<{bucket: string, prefix: string, to: string, said: string} | false>} where it went (to: "" unless all did), false when nothing was tried
 */
export async function transferDialog(mode, { bucket, chosen, versioning }) {
  const order = await ask(mode, { bucket, chosen, versioning });
  if (!order) return false;
  const account = new Account(order.total);
  const part = live("");
  const onBytes = (key, done, total) => part.set(done < total ? ` · ${percent(done / total)}` : "");
  const work = (signal) => transfer(mode, { bucket, chosen, ...order }, { account, signal, onBytes });
  const said = await runDialog({ title: t(`objects.${mode}.running`), verb: mode, account, work, part });
  return { bucket: order.target.bucket, prefix: order.target.prefix, said, to: said ? targetKey(chosen[0], order.target) : "" };
}

async function ask(mode, { bucket, chosen, versioning }) {
  const stop = new AbortController();
  const single = chosen.length === 1 ? chosen[0] : null;
  const counted = chosen.some((one) => one.kind === "folder") ? count({ bucket, chosen, signal: stop.signal }) : null;
  const fields = makeFields(mode, { bucket, chosen, single });
  const answer = await openDialog({
    title: titleOf(mode, chosen, single),
    size: "medium",
    body: [
      single ? h("p.transfer-from", icon(single.kind === "folder" ? "folder" : "file"), nameNode(single.key)) : h("p.transfer-from", t("objects.selected", { n: chosen.length })),
      counted ? h("p.preview-count", derived(countWords, counted)) : null,
      fields.nodes,
      notes(mode, versioning),
    ],
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t(`objects.${mode}.do`), kind: "primary", run: () => (fields.check() ? { ...fields.value(), total: total() } : false) },
    ],
  });
  stop.abort();
  return answer;

  function total() {
    if (!counted) return chosen.length;
    const { counting, capped, problem, objects } = counted.value;
    return counting || capped || problem ? null : objects;
  }
}

function titleOf(mode, chosen, single) {
  if (!single) return t(`objects.${mode}.titleMany`, { n: chosen.length });
  return t(`objects.${mode}.${single.kind === "folder" ? "titleFolder" : "titleOne"}`);
}

function countWords({ objects, bytes: size, counting, capped, problem }) {
  if (problem) return problemView(problem, { compact: true });
  const what = `${t("objects.count.objects", { n: objects })} · ${bytes(size)}`;
  if (capped) return t("objects.count.capped", { what });
  return counting ? t("objects.count.counting", { what }) : what;
}

function makeFields(mode, { bucket, chosen, single }) {
  const start = parentOf(chosen[0].key);
  const target = bucketField(bucket);
  const prefix = textField({ label: t("objects.transfer.prefix"), hint: t("objects.transfer.prefixHint"), value: start, mono: true, trim: false, validate: prefixFault });
  const firstName = single ? (single.kind === "folder" ? nameOf(single.key) : single.key.slice(start.length)) : "";
  const name = single ? textField({ label: t("objects.transfer.name"), value: firstName, mono: true, required: true, trim: false, validate: nameFault, autofocus: true }) : null;
  const there = segmented({
    label: t("objects.transfer.there"),
    options: [
      { value: "keep", label: t("objects.transfer.keep") },
      { value: "overwrite", label: t("objects.transfer.overwrite") },
    ],
    value: "keep",
    hint: t("objects.transfer.thereHint"),
  });
  const value = () => ({ target: { bucket: target.value, prefix: folder(prefix.value), ...(name ? { name: name.value } : {}) }, overwrite: there.value === "overwrite" });
  return {
    nodes: [name?.node, prefix.node, target.node, there.node],
    value,
    check() {
      if (!validate(name, prefix, target)) return false;
      const fault = transferFault(bucket, chosen, value().target);
      if (fault) (name ?? prefix).error(t(`objects.transfer.${fault}`));
      return !fault;
    },
  };

  function prefixFault(text) {
    return folder(text) === "" ? undefined : faultWords(folder(text));
  }

  function nameFault(text) {
    return faultWords(targetKey(single, { bucket, prefix: folder(prefix.value), name: text }));
  }
}

/** A prefix that was typed means a folder. */
const folder = (text) => (text === "" || text.endsWith("/") ? text : `${text}/`);

/** The bucket's name, with the caller's buckets as suggestions where he may list them. */
function bucketField(bucket) {
  const list = h("datalist", { id: freshId("buckets") });
  const input = h("input.input.mono", { value: bucket, autocomplete: "off", spellcheck: "false", autocapitalize: "off" });
  input.setAttribute("list", list.id);
  const made = field({ label: t("objects.transfer.bucket"), input });
  made.node.append(list);
  suggest(bucket, list);
  const check = () => {
    const fine = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(input.value.trim());
    made.error(fine ? "" : t("objects.transfer.bucketFault"));
    return fine;
  };
  return {
    node: made.node,
    input,
    check,
    get value() {
      return input.value.trim();
    },
  };
}

async function suggest(bucket, list) {
  try {
    const found = await clientFor({ bucket }).listBuckets({ "max-keys": 100 });
    list.append(...(found.buckets ?? []).map((each) => h("option", { value: each.name })));
  } catch {
    // who may not list buckets types the name
  }
}

function notes(mode, versioning) {
  const said = [t("objects.transfer.kept")];
  if (mode === "move") said.push(t(versioning ? "objects.move.markers" : "objects.move.order"));
  return h("ul.transfer-notes.muted.small", said.map((words) => h("li", words)));
}
