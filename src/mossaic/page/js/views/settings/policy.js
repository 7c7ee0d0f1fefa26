/** The bucket policy: an editor that checks while one types, what the policy says in words, and whether it is public. */
import { busy, confirm } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { menuButton } from "../../ui/menu.js";
import { copyButton } from "../../ui/problem-view.js";
import { toast } from "../../ui/toast.js";
import { readIsPublic, readPolicy, writePolicy } from "./calls.js";
import { draftOf } from "./draft.js";
import { placeOf } from "./json-scan.js";
import { notice, panel, refusal, saveBar, sectionHead } from "./parts.js";
import { checkPolicy, TEMPLATES, withTemplate } from "./policy-check.js";
import { statementView } from "./policy-tell.js";

const SHOWN_ISSUES = 8;

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function policy(bucket, place, signal) {
  const draft = draftOf(bucket, "policy", {
    read: () => readPolicy(bucket),
    write: (text) => writePolicy(bucket, text),
    text: String,
  });
  const [isPublic] = await Promise.all([readIsPublic(bucket, signal), draft.load()]);
  if (signal.aborted) return;

  const status = h("div.policy-status");
  const verdict = h("div.policy-verdict", { "aria-live": "polite" });
  const editor = codeEditor({ label: t("policy.editor"), oninput: (text) => (draft.set(text), judge()) });
  const judge = () => {
    const found = checkPolicy(draft.value.value, bucket);
    editor.mark(draft.value.value.trim() ? found.issues : []);
    tidy.hidden = copy.hidden = !draft.value.value.trim();
    replace(verdict, verdictOf(draft, found, editor));
    return found;
  };
  const paint = () => {
    editor.value = draft.value.value;
    removeButton.hidden = !draft.base;
    judge();
  };
  const insert = (name) => async () => {
    const { isJson } = checkPolicy(draft.value.value, bucket);
    if (
      draft.value.value.trim() &&
      !isJson &&
      !(await confirm({
        title: t("policy.replace.title"),
        what: t("policy.replace.what"),
        label: t("policy.replace.button"),
        danger: true,
      }))
    )
      return;
    draft.set(withTemplate(draft.value.value, name, bucket));
    paint();
    editor.input.focus();
  };
  const templates = menuButton(
    t("policy.templates"),
    () => TEMPLATES.map((name) => ({ label: t(`policy.template.${name}`), run: insert(name) })),
    { icon: "plus" },
  );
  const tidy = h(
    "button.button.is-ghost.is-small",
    { type: "button", onclick: () => (draft.set(tidied(draft.value.value)), paint()) },
    t("policy.tidy"),
  );
  const copy = copyButton(() => draft.value.value, t("policy.copy"));
  const removeButton = h(
    "button.button.is-ghost.is-small",
    { type: "button", onclick: () => removal(draft, bucket, { button: removeButton, done: saved, trouble }) },
    icon("trash"),
    t("policy.remove"),
  );
  const trouble = h("div", { role: "alert" });
  const saved = async () => {
    paint();
    try {
      replace(status, publicNotice(await readIsPublic(bucket, signal), draft.base));
    } catch (error) {
      if (!signal.aborted) replace(status, refusal(error)); // a policy may forbid even this
    }
  };
  replace(
    place,
    sectionHead(t("settings.policy.name"), t("policy.lead"), templates),
    status,
    trouble,
    h("section.card", h("div.card-body.settings-stack", h("div.policy-tools", tidy, removeButton, copy), editor.node, verdict)),
    saveBar(draft, { ready: () => mayBeSaved(draft, bucket, editor), saved: t("policy.saved"), repaint: saved }),
  );
  replace(status, publicNotice(isPublic, draft.base));
  paint();
}

function tidied(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // where the mistake is stands below the editor
  }
}

function publicNotice(isPublic, text) {
  if (isPublic) return notice("bad", t("policy.public.title"), h("p", t("policy.public.what")));
  return text ? notice("good", t("policy.closed.title"), h("p", t("policy.closed.what"))) : null;
}

/** Text that is no JSON is not sent; opening to everybody, and locking oneself out, are asked about. */
async function mayBeSaved(draft, bucket, editor) {
  const text = draft.value.value;
  if (!text.trim()) return true;
  const found = checkPolicy(text, bucket);
  if (!found.isJson) {
    editor.goTo(found.issues[0]);
    return false;
  }
  if (
    locksOut(found.told) &&
    !(await confirm({
      title: t("policy.lockout.title"),
      what: t("policy.lockout.what"),
      label: t("policy.lockout.button"),
      danger: true,
      typed: bucket,
    }))
  )
    return false;
  if (!found.isPublic || checkPolicy(draft.base, bucket).isPublic) return true;
  return await confirm({ title: t("policy.open.title"), what: t("policy.open.what"), label: t("policy.open.button"), danger: true });
}

/** Whether this very page, on plain http, would be refused from then on. */
const locksOut = (told) =>
  location.protocol === "http:" &&
  told.some(
    (one) =>
      one.effect === "Deny" &&
      one.everybody &&
      one.conditions.some(({ key, values }) => key.toLowerCase() === "acs:securetransport" && values.includes("false")),
  );

async function removal(draft, bucket, { button, done, trouble }) {
  replace(trouble);
  const sure = await confirm({ title: t("policy.remove"), what: t("policy.removeWhat"), label: t("policy.remove"), danger: true });
  if (!sure) return;
  busy(button, true);
  try {
    await writePolicy(bucket, "");
    const typed = draft.dirty.value ? draft.value.value : "";
    draft.takeTheirs("");
    if (typed) draft.set(typed); // what was being written is not lost with what is removed
    toast({ kind: "good", text: t("policy.removed") });
    await done();
  } catch (error) {
    replace(trouble, refusal(error));
  } finally {
    busy(button, false);
  }
}

// --- what is said of the text ----------------------------------------------------------------------------

function verdictOf(draft, found, editor) {
  const text = draft.value.value;
  if (!text.trim()) return h("p.remark.is-info", icon("info"), h("span", t(draft.base ? "policy.emptyRemoves" : "policy.empty")));
  const errors = found.issues.filter((one) => one.level === "error");
  const head = errors.length
    ? h("p.remark.is-error", icon("warning"), h("span", t("policy.issues", { n: errors.length })))
    : h("p.remark.is-good", icon("check-circle"), h("span", t("policy.fine")));
  return [
    head,
    found.issues.length
      ? h(
          "ol.issues",
          found.issues.slice(0, SHOWN_ISSUES).map((issue) => issueLine(issue, text, editor)),
        )
      : null,
    found.isPublic ? h("p.remark.is-warning", icon("globe"), h("span", t("policy.wouldOpen"))) : null,
    locksOut(found.told) ? h("p.remark.is-error", icon("warning"), h("span", t("policy.wouldLock"))) : null,
    found.told.length ? panel(t("policy.says"), h("ol.statements", found.told.map(statementView))) : null,
  ];
}

function issueLine(issue, text, editor) {
  const { line, column } = placeOf(text, issue.start);
  return h(
    `li.issue.is-${issue.level}`,
    h(
      "button.issue-place.mono",
      { type: "button", "aria-label": t("policy.goTo", { line, column }), onclick: () => editor.goTo(issue) },
      `${line}:${column}`,
    ),
    h("span", t(`policy.issue.${issue.code}`, issue.params)),
  );
}

// --- the editor ------------------------------------------------------------------------------------------

/** A text area with line numbers, which show where something is wrong. */
function codeEditor({ label, oninput }) {
  const gutter = h("div.code-gutter.mono", { "aria-hidden": "true" });
  let wrong = new Map();
  const input = h("textarea.code-input.mono", {
    "aria-label": label,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    wrap: "off",
    rows: 16,
    oninput: () => (number(), oninput(input.value)),
    onscroll: () => (gutter.scrollTop = input.scrollTop),
    onkeydown: indent,
  });
  const number = () => {
    const lines = input.value.split("\n").length;
    replace(
      gutter,
      Array.from({ length: lines }, (_, at) => h("span", { class: wrong.get(at + 1) ? `is-${wrong.get(at + 1)}` : "" }, String(at + 1))),
    );
  };
  const goTo = ({ start, end }) => {
    input.focus();
    input.setSelectionRange(start, Math.min(Math.max(end, start + 1), input.value.length));
    const { line } = placeOf(input.value, start);
    const height = input.scrollHeight / input.value.split("\n").length;
    input.scrollTop = Math.max(0, (line - 4) * height);
  };
  return {
    node: h("div.code-editor", gutter, input),
    input,
    goTo,
    mark: (issues) => {
      wrong = new Map([...issues].reverse().map((issue) => [placeOf(input.value, issue.start).line, issue.level]));
      number();
    },
    set value(text) {
      if (input.value !== text) input.value = text;
      number();
    },
  };
}

/** Enter keeps the indent. Tab stays what it is for: leaving the field. */
function indent(event) {
  if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey) return;
  const { value, selectionStart: at } = event.target;
  const [blank] = /^[ \t]*/.exec(value.slice(value.lastIndexOf("\n", at - 1) + 1, at));
  const deeper = /[{[]\s*$/.test(value.slice(0, at)) ? "  " : "";
  if (!blank && !deeper) return;
  event.preventDefault();
  document.execCommand("insertText", false, `\n${blank}${deeper}`); // keeps the field's undo
}
