/** A run over many objects while it goes on, and the account of it afterwards: done, left alone, failed and why. */

import { explain } from "../../core/problem.js";
import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { button, notice, progressBar } from "../../ui/parts.js";
import { problemDetails, problemView } from "../../ui/problem-view.js";
import { plainName } from "./keys.js";
import { nameNode } from "./name.js";

const SHOWN = 50; // failures in the dialog; the report has all that were kept

/**
 * Runs `work` in a dialog. Where all went well it closes by itself; else it stays until its account was read.
 * @param {{title: string, verb: string, account: import("./batch.js").Account, work: (signal: AbortSignal) => Promise<void>, part?: import("../../ui/live.js").Live<string>}} run
 *   verb: "copy", "move", "delete" or "purge", for the words; part: what is going on inside the current object
 * @returns {Promise<string>}  what was done, in words, where all went well; else ""
 */
export async function runDialog({ title, verb, account, work, part }) {
  const controller = new AbortController();
  const running = derived((counts) => counts.running, account.counts);
  const idle = derived((counts) => !counts.running, account.counts);
  const warn = (event) => event.preventDefault();
  addEventListener("beforeunload", warn);
  const body = (close) => {
    work(controller.signal).finally(() => {
      removeEventListener("beforeunload", warn);
      if (allWell(account)) close();
    });
    return accountView(account, verb, part);
  };
  const stop = () => {
    controller.abort();
    return false;
  };
  await openDialog({
    title: derived((on) => (on ? title : t("objects.run.over")), running),
    size: "medium",
    dismissable: false,
    body,
    actions: [
      { label: t("objects.run.stop"), kind: "plain", enabled: running, run: stop },
      { label: t("ui.close"), kind: "primary", enabled: idle, value: true },
    ],
  });
  if (!allWell(account)) return "";
  return account.value.bytes ? `${headline(account, verb)} · ${bytes(account.value.bytes)}` : headline(account, verb);
}

const allWell = ({ value, notes }) => value.done > 0 && !value.failed && !value.skipped && !value.stopped && !notes.size;

/** @param {import("./batch.js").Account} account @param {string} verb */
export function accountView(account, verb, part) {
  const state = derived((counts) => (counts.running ? progress(counts, verb, part) : summary(account, verb)), account.counts);
  // Said aloud at the end only: a count that races is no news.
  const spoken = derived((counts) => (counts.running ? "" : headline(account, verb)), account.counts);
  return h("div.run-account", h("div", state), h("p.visually-hidden", { role: "status" }, spoken));
}

function progress(counts, verb, part) {
  const handled = counts.done + counts.skipped + counts.failed;
  const known = counts.total !== null && counts.total > 0;
  return [
    progressBar({ value: known ? handled / counts.total : null, label: t("objects.run.progress") }),
    h("p.account-count", known ? t("objects.run.of", { n: handled, total: counts.total }) : t("objects.run.count", { n: handled }), counts.bytes ? ` · ${bytes(counts.bytes)}` : null),
    h("p.account-current.muted", counts.current ? nameNode(counts.current) : t("objects.run.looking"), part ? h("span", part) : null),
    counts.failed ? h("p.account-trouble", icon("warning"), t("objects.run.failedSoFar", { n: counts.failed })) : null,
    h("p.muted.small", t(`objects.run.keepOpen`)),
  ];
}

function headline(account, verb) {
  const { done, failed, skipped, stopped, total } = account.value;
  if (!done && !failed && !skipped && !stopped) return t("objects.run.nothing");
  if (!failed && !stopped && !skipped) return t(`objects.run.all.${verb}`, { n: done });
  return [t(`objects.run.some.${verb}`, { n: done }), total !== null && done < total ? t("objects.run.outOf", { total }) : ""].join("");
}

function summary(account, verb) {
  const { done, failed, skipped, stopped, bytes: size } = account.value;
  const good = !failed && !stopped && !skipped;
  return [
    h("p.account-head", { class: good ? "is-good" : "is-mixed" }, icon(good ? "check-circle" : "warning"), h("span", headline(account, verb), size ? h("span.muted", ` · ${bytes(size)}`) : null)),
    skipped ? h("p", t("objects.run.skipped", { n: skipped }), names(account.left, skipped)) : null,
    account.notes.has("acl") ? notice({ text: t("objects.run.aclUnknown") }) : null,
    failed ? h("section", h("h3.account-title", t(`objects.run.failed.${verb}`, { n: failed })), failureList(account.failures)) : null,
    stopped ? stoppedNote(stopped) : null,
    failed || skipped || stopped ? h("p", button(t("objects.run.report"), { icon: "download", small: true, onclick: () => saveReport(account, verb) })) : null,
  ];
}

function stoppedNote(stopped) {
  if (stopped.kind === "aborted") return notice({ text: t("objects.run.stoppedByYou") });
  return h("div", problemView(stopped, { compact: true }), h("p.muted.small", t("objects.run.restUntouched")));
}

function names(keys, count) {
  return h("ul.account-names", keys.slice(0, 5).map((key) => h("li", nameNode(key))), count > 5 ? h("li.muted", t("objects.andMore", { n: count - 5 })) : null);
}

/** Failures of one kind under one heading: hundreds of equal words would hide the one that differs. */
function failureList(failures) {
  const groups = new Map();
  for (const failure of failures) {
    const words = explain(failure.problem);
    const id = `${failure.problem.code}|${words.title}`;
    groups.set(id, { words, all: [...(groups.get(id)?.all ?? []), failure] });
  }
  return [...groups.values()].map(({ words, all }) =>
    h("details.failure-group", { open: true }, h("summary", words.title, " ", h("span.badge", t("objects.run.times", { n: all.length }))), words.what ? h("p.muted.small", words.what) : null,
      h("ul.failure-list", all.slice(0, SHOWN).map(({ key, problem }) => h("li", nameNode(key), problemDetails(problem)))),
      all.length > SHOWN ? h("p.muted.small", t("objects.andMore", { n: all.length - SHOWN })) : null),
  );
}

/** The account as a text file: one object a line. */
function saveReport(account, verb) {
  const { done, skipped, failed, stopped } = account.value;
  const lines = [
    `${verb}: ${done} done, ${skipped} left alone, ${failed} failed${stopped ? `, stopped (${stopped.code ?? stopped.kind})` : ""}`,
    "",
    ...account.failures.map(({ key, problem }) => ["failed", plainName(key), problem.code ?? problem.kind, problem.requestId ?? "", problem.message].join("\t")),
    ...account.left.map((key) => ["left", plainName(key), "FileAlreadyExists"].join("\t")),
    ...account.finished.map((key) => ["done", plainName(key)].join("\t")),
    ...(done > account.finished.length ? [`… and ${done - account.finished.length} more done`] : []),
  ];
  saveText(`mossaic-${verb}-report.txt`, lines.join("\n"));
}

/** Text as a file of the downloads folder. @param {string} name @param {string} text */
export function saveText(name, text) {
  const href = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  const anchor = h("a", { href, download: name, hidden: true });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
  setTimeout(() => URL.revokeObjectURL(href), 60_000); // the download has begun by then
}
