/** What went wrong, in words: what happened, what to do, and the request id to hand on. */

import { explain, toProblem } from "../core/problem.js";
import { copyText } from "./copy.js";
import { h } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/**
 * @param {any} error  anything thrown
 * @param {{retry?: () => void, compact?: boolean}} [options]
 * @returns {HTMLElement}
 */
export function problemView(error, { retry, compact = false } = {}) {
  const problem = toProblem(error);
  const words = explain(problem);
  return h(
    `section.notice.is-bad.problem${compact ? ".is-compact" : ""}`,
    { dataset: { problem: problem.kind } },
    h("span.notice-icon", icon(problem.kind === "offline" ? "offline" : "warning")),
    h(
      "div.notice-text",
      h("p.notice-title", words.title),
      words.what ? h("p", words.what) : null,
      todoList(words.todo),
      problemDetails(problem),
      retry ? h("div.notice-actions", h("button.button.is-small.is-plain", { type: "button", onclick: retry }, icon("refresh"), t("ui.retry"))) : null,
    ),
  );
}

function todoList(todo = []) {
  if (!todo.length) return null;
  return h("ul.problem-todo", todo.map((item) => h("li", typeof item === "string" ? item : [item.text, item.code ? codeBlock(item.code) : null])));
}

/** Text to paste somewhere else, with a button that copies it. @param {string} code @param {string} [label] */
export function codeBlock(code, label = t("ui.copy")) {
  return h("div.code-block", h("pre", { tabIndex: 0 }, h("code", code)), copyButton(code, label));
}

/** @param {string | (() => string)} what @param {string} [label] */
export function copyButton(what, label = t("ui.copy")) {
  const button = h("button.button.is-ghost.is-icon.is-small.copy-button", { type: "button", "aria-label": label, title: label, onclick: () => copy() }, icon("copy"));
  const copy = async () => {
    const done = await copyText(typeof what === "function" ? what() : what);
    button.replaceChildren(icon(done ? "check" : "warning"));
    button.setAttribute("aria-label", done ? t("ui.copied") : t("ui.copyFailed"));
    setTimeout(() => {
      button.replaceChildren(icon("copy"));
      button.setAttribute("aria-label", label);
    }, 1500);
  };
  return button;
}

/** The line with code and request id, or null. @param {any} error */
export function problemDetails(error) {
  const problem = toProblem(error);
  const pieces = [problem.code, problem.ec ? `EC ${problem.ec}` : null].filter(Boolean).join(" · ");
  if (!pieces && !problem.requestId) return null;
  return h(
    "p.problem-details",
    pieces ? h("span.mono", pieces) : null,
    problem.requestId ? h("span.problem-id", h("span", t("ui.requestId")), " ", h("span.mono", problem.requestId), copyButton(problem.requestId, t("ui.copyRequestId"))) : null,
  );
}
