/** Pieces that the sections share: head, bar for saving, the server's refusal in its own words, asking twice. */
import { toProblem } from "../../core/problem.js";
import { busy, openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { notice as uiNotice } from "../../ui/parts.js";
import { problemDetails, problemView } from "../../ui/problem-view.js";
import { toast } from "../../ui/toast.js";
import { ChangedMeanwhile } from "./draft.js";

/** The head of a section. @param {string} title @param {any} lead @param {...any} actions */
export const sectionHead = (title, lead, ...actions) =>
  h(
    "header.settings-head",
    h("div.settings-head-text", h("h2.settings-title", title), lead ? h("p.settings-lead", lead) : null),
    actions.length ? h("div.settings-actions", actions) : null,
  );

/** A card with a heading of its own. @param {string} title @param {...any} content */
export const panel = (title, ...content) =>
  h("section.card", h("header.card-head", h("h3.card-title", title)), h("div.card-body.settings-stack", content));

/** A word of warning or praise. @param {"info"|"good"|"warn"|"bad"} kind @param {string|null} title @param {...any} content */
export const notice = (kind, title, ...content) => uiNotice({ kind, title, text: content });

/** What the server said, word for word, and how to name the request. @param {unknown} error */
export function refusal(error) {
  const problem = toProblem(error);
  if (!problem.code || problem.status < 400) return problemView(problem);
  const { ArgumentName: name, ArgumentValue: value, ErrorDetail: more } = problem.detail ?? {};
  return h(
    "section.notice.is-bad.settings-refusal",
    h("span.notice-icon", icon("warning")),
    h(
      "div.notice-text",
      h("p.notice-title", t("settings.refused")),
      h("blockquote.settings-said", problem.message),
      more && !problem.message.includes(more) ? h("p.settings-said-more", more) : null,
      name ? h("p.settings-said-more", h("span.mono", `${name}: ${value ?? ""}`)) : null,
      problemDetails(problem),
    ),
  );
}

/**
 * Appears when there is something to save; shows the refusal above itself.
 * @param {import("./draft.js").Draft<any>} draft
 * @param {{ready?: () => boolean|Promise<boolean>, saved: string, repaint: () => void}} options
 *   `ready` may stop the saving and show why; `repaint` shows the draft anew
 */
export function saveBar(draft, { ready = () => true, saved, repaint }) {
  const save = () => saveDraft(draft, { button, ready, saved, repaint });
  const button = h("button.button.is-primary", { type: "button", onclick: save }, t("settings.save"));
  const discard = h("button.button.is-plain", { type: "button", onclick: () => (draft.discard(), repaint()) }, t("settings.discard"));
  const bar = h(
    "div.save-bar",
    { role: "group", "aria-label": t("settings.unsaved"), hidden: derived((dirty) => !dirty, draft.dirty) },
    h("span.save-bar-text", h("span.save-bar-dot", { "aria-hidden": "true" }), t("settings.unsaved")),
    h("span.save-bar-actions", discard, button),
  );
  const refused = derived((error) => (error ? refusal(error) : null), draft.refusal);
  return h("div.save-place", h("div.save-trouble", { role: "alert" }, refused), bar);
}

/**
 * Save, with everything that may come in between told.
 * @param {import("./draft.js").Draft<any>} draft
 * @returns {Promise<boolean>} whether it was saved
 */
export async function saveDraft(draft, { button, ready = () => true, saved, repaint, over = false }) {
  if (!(await ready())) return false;
  busy(button, true);
  try {
    await draft.save({ over });
    toast({ kind: "good", text: saved });
    repaint();
    return true;
  } catch (error) {
    if (!(error instanceof ChangedMeanwhile)) {
      draft.refusal.set(error);
      return false;
    }
    busy(button, false);
    return await settle(draft, error.theirs, { button, saved, repaint });
  } finally {
    busy(button, false);
  }
}

/** Two people saved: the second one decides. */
async function settle(draft, theirs, how) {
  const choice = await openDialog({
    size: "medium",
    title: t("settings.changed.title"),
    body: [h("p", t("settings.changed.what")), h("p", t("settings.changed.choose"))],
    actions: [
      { label: t("settings.changed.back"), kind: "plain", value: "back" },
      { label: t("settings.changed.theirs"), kind: "plain", value: "theirs" },
      { label: t("settings.changed.mine"), kind: "danger", value: "mine" },
    ],
  });
  if (choice === "mine") return await saveDraft(draft, { ...how, over: true });
  if (choice === "theirs") {
    draft.takeTheirs(theirs);
    how.repaint();
  }
  return false;
}

/** A list of short texts as tags. @param {string[]} texts @param {string} [empty] */
export const chips = (texts, empty = "–") =>
  texts.length
    ? h(
        "span.chips",
        texts.map((text) => h("span.chip.mono", text)),
      )
    : h("span.is-faint", empty);

/** A small button of a card. */
export const iconButton = (name, label, onclick, more = {}) =>
  h("button.button.is-ghost.is-icon.is-small", { type: "button", "aria-label": label, title: label, onclick, ...more }, icon(name));

/** Opens and closes the fields of a rule. @param {boolean} isOpen @param {string} label @param {() => void} onclick */
export const editButton = (isOpen, label, onclick) =>
  h(
    "button.button.is-small.is-plain",
    { type: "button", onclick, "aria-expanded": String(isOpen), "aria-label": label, dataset: { tool: "edit" } },
    icon(isOpen ? "check" : "edit"),
    t(isOpen ? "settings.closeRule" : "settings.edit"),
  );

/**
 * After a list of rules was shown anew: the focus goes back to where it was, or to what is nearest.
 * @param {Element} list @param {number} at which rule @param {string} tool the button's `data-tool`, or "field"
 */
export function refocus(list, at, tool) {
  const card = list.children[Math.min(at, list.children.length - 1)];
  const wanted = tool === "field" ? ".rule-form :is(input, textarea, select)" : `[data-tool="${tool}"]:not(:disabled)`;
  (card?.querySelector(wanted) ?? card?.querySelector('[data-tool="edit"]'))?.focus();
}
