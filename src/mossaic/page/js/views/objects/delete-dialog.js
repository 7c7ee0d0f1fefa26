/** Deleting what was chosen: first what it is and how much, then the deleting itself with its account. */

import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { segmented, textField } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived, live } from "../../ui/live.js";
import { notice } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { toast } from "../../ui/toast.js";
import { runDialog } from "./account-view.js";
import { Account } from "./batch.js";
import { contents, count } from "./count.js";
import { nameOf } from "./keys.js";
import { nameNode } from "./name.js";
import { removeMany } from "./remove.js";

const NAMED = 6;

/**
 * @param {{bucket: string, chosen: {kind: string, key: string, size?: number, versionId?: string}[], versioning: string|null}} what
 *   versioning: of the bucket; null where it is not known
 * @returns {Promise<"all"|"some"|false>} what was deleted; false: nothing was tried
 */
export async function deleteDialog({ bucket, chosen, versioning }) {
  const order = await ask({ bucket, chosen, versioning });
  if (!order) return false;
  const account = new Account(order.total);
  const work = (signal) => removeMany(bucket, everything(bucket, chosen, order.purge, signal), { account, signal });
  const said = await runDialog({ title: t("objects.delete.running"), verb: order.purge || chosen.every((one) => one.versionId) ? "purge" : "delete", account, work });
  if (said) toast({ kind: "good", text: said });
  return said ? "all" : "some";
}

async function* everything(bucket, chosen, purge, signal) {
  for (const one of chosen) {
    for await (const row of contents(bucket, one, purge, signal)) {
      yield { key: row.key, size: row.size, versionId: purge || one.versionId ? row.versionId : undefined };
    }
  }
}

async function ask({ bucket, chosen, versioning }) {
  const stop = new AbortController();
  const onlyVersions = chosen.every((one) => one.versionId);
  const someVersions = chosen.some((one) => one.versionId);
  const folders = chosen.filter((one) => one.kind === "folder");
  const purge = live(false);
  const counted = live(null);
  const recount = (versions) => counted.set(count({ bucket, chosen, versions, signal: stop.signal }));
  purge.watch(recount);
  const choice = versioning && !onlyVersions ? howField(purge) : null;
  const typed = folders.length ? typedField(folders) : null;
  const answer = await openDialog({
    title: title(chosen, onlyVersions),
    size: "medium",
    body: [
      names(chosen),
      h("div.preview-count", derived(countView, counted)),
      choice?.node,
      h("div.consequences", derived((now) => [someVersions ? warning("objects.delete.noUndoVersions") : null, onlyVersions ? null : consequence({ versioning, purge: now })], purge)),
      typed?.node,
    ],
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      { label: t("objects.delete.do"), kind: "danger", run: () => (typed && !typed.matches() ? false : done()) },
    ],
  });
  stop.abort();
  return answer;

  function done() {
    const { counting, capped, problem, objects, markers } = counted.value.value;
    return { purge: purge.value, total: counting || capped || problem ? null : objects + markers };
  }
}

function title(chosen, onlyVersions) {
  if (onlyVersions) return t("objects.delete.titleVersions", { n: chosen.length });
  if (chosen.length === 1) return t(chosen[0].kind === "folder" ? "objects.delete.titleFolder" : "objects.delete.titleOne");
  return t("objects.delete.titleMany", { n: chosen.length });
}

function names(chosen) {
  const rows = chosen.slice(0, NAMED).map((one) => h("li", icon(one.kind === "folder" ? "folder" : one.kind === "marker" ? "trash" : "file"), nameNode(one.key), one.versionId ? h("span.muted.mono.small", one.versionId) : null));
  return h("ul.preview-names", rows, chosen.length > NAMED ? h("li.muted", t("objects.andMore", { n: chosen.length - NAMED })) : null);
}

function countView(counted) {
  return h("span", derived(words, counted));
}

function words({ objects, bytes: size, markers, counting, capped, problem }) {
  if (problem) return problemView(problem, { compact: true });
  const what = [t("objects.count.objects", { n: objects }), markers ? t("objects.count.markers", { n: markers }) : null, bytes(size)].filter(Boolean).join(" · ");
  if (capped) return t("objects.count.capped", { what });
  return counting ? t("objects.count.counting", { what }) : what;
}

function howField(purge) {
  return segmented({
    label: t("objects.delete.how"),
    options: [
      { value: "hide", label: t("objects.delete.hide") },
      { value: "purge", label: t("objects.delete.purge") },
    ],
    value: "hide",
    onchange: (value) => purge.set(value === "purge"),
  });
}

function consequence({ versioning, purge }) {
  if (purge) return warning("objects.delete.noUndoAll");
  if (versioning === "Enabled") return notice({ text: t("objects.delete.markers") });
  if (versioning === "Suspended") return warning("objects.delete.suspended");
  return warning(versioning === null ? "objects.delete.unknown" : "objects.delete.noUndo");
}

const warning = (key) => notice({ kind: "warn", text: t(key) });

/** A folder's contents are not on the screen, so that its name has to be typed. */
function typedField(folders) {
  const typed = folders.length === 1 ? nameOf(folders[0].key) || "/" : t("objects.delete.word");
  const plain = /^[\x21-\x7e\p{L}\p{N}][\x20-\x7e\p{L}\p{N}]*$/u.test(typed) && typed.length <= 60 && typed === typed.trim() ? typed : t("objects.delete.word");
  const field = textField({ label: t("ui.typeToConfirm", { typed: plain }), mono: true });
  return {
    node: field.node,
    matches() {
      const same = field.value === plain;
      field.error(same ? "" : t("ui.typedWrong", { typed: plain }));
      if (!same) field.input.focus();
      return same;
    },
  };
}
