/** Modal dialogs on the platform's <dialog>: focus stays inside, Escape closes, focus goes back to where it was. */

import { freshId, h, replace } from "./dom.js";
import { textField } from "./form.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";
import { problemView } from "./problem-view.js";

/**
 * @typedef {object} Action
 * @property {string} label
 * @property {"primary"|"danger"|"plain"} [kind]
 * @property {any} [value]  what the promise gives when there is no `run`
 * @property {import("./live.js").Live<boolean>} [enabled]
 * @property {() => any} [run]  may wait; its value is the promise's, `false` keeps the dialog open, an error is shown in it
 */

/**
 * Opens a dialog; the promise gives an action's value, or undefined when the dialog was dismissed.
 * Enter in a field runs the primary (or danger) action.
 * @param {{title: string, body: any | ((close: (value?: any) => void) => any), actions?: Action[], size?: "small"|"medium"|"large",
 *          signal?: AbortSignal, dismissable?: boolean}} options
 * @returns {Promise<any>}
 */
export function openDialog({ title, body, actions = [], size = "small", signal, dismissable = true }) {
  return new Promise((resolve) => {
    const titleId = freshId("dialog");
    let answer;
    const close = (value) => {
      answer = value;
      dialog.close();
    };
    const trouble = h("div.dialog-trouble", { role: "alert" });
    const buttons = actions.map((action) => actionButton(action, { close, trouble, all: () => buttons }));
    const main = actions.findIndex((action) => action.kind === "primary" || action.kind === "danger");
    const form = h(
      "form.dialog-form",
      { novalidate: true, onsubmit: (event) => submit(event, buttons[main]) },
      h("header.dialog-head", h("h2.dialog-title", { id: titleId }, title), dismissable ? closeButton(close) : null),
      h("div.dialog-body", typeof body === "function" ? body(close) : body, trouble),
      buttons.length ? h("footer.dialog-foot", buttons) : null,
    );
    const dialog = h(`dialog.dialog.dialog-${size}`, { "aria-labelledby": titleId }, form);
    dialog.addEventListener("cancel", (event) => {
      if (event.target !== dialog) return; // a file picker inside says "cancel" as well
      if (!dismissable || buttons.some((button) => button.classList.contains("is-busy"))) event.preventDefault();
    });
    dialog.addEventListener("close", (event) => {
      if (event.target !== dialog) return;
      dialog.remove();
      resolve(answer);
    });
    if (dismissable) closeOnBackdrop(dialog, close);
    signal?.addEventListener("abort", () => close(), { once: true });
    document.body.append(dialog);
    dialog.showModal();
    firstFocus(dialog);
  });
}

function submit(event, main) {
  event.preventDefault();
  if (main && !main.disabled) main.click();
}

function closeButton(close) {
  return h("button.button.is-ghost.is-icon", { type: "button", "aria-label": t("ui.close"), onclick: () => close() }, icon("x"));
}

function actionButton(action, { close, trouble, all }) {
  const kind = { primary: "is-primary", danger: "is-danger" }[action.kind] ?? "is-plain";
  const run = async () => {
    if (!action.run) return close(action.value);
    busy(button, true);
    for (const other of all()) other.disabled = true;
    try {
      const value = await action.run();
      if (value !== false) close(value);
    } catch (error) {
      replace(trouble, problemView(error, { compact: true }));
      trouble.scrollIntoView({ block: "nearest" });
    } finally {
      busy(button, false);
      for (const other of all()) other.disabled = other.dataset.off === "true";
    }
  };
  const button = h(`button.button.${kind}`, { type: "button", onclick: run }, action.label);
  action.enabled?.watch((on) => {
    button.dataset.off = String(!on);
    button.disabled = !on;
  });
  return button;
}

/** Marks a button as working: it keeps its width and says so to screen readers. */
export function busy(button, on) {
  button.classList.toggle("is-busy", on);
  button.setAttribute("aria-busy", String(on));
  button.disabled = on;
}

/** Only a press that begins and ends on the backdrop closes: selecting text out of the dialog does not. */
function closeOnBackdrop(dialog, close) {
  let began = false;
  dialog.addEventListener("pointerdown", (event) => {
    began = event.target === dialog;
  });
  dialog.addEventListener("click", (event) => {
    const working = dialog.querySelector(".is-busy");
    if (began && event.target === dialog && !working && !dialog.querySelector("[data-touched]")) close();
  });
  dialog.addEventListener("input", (event) => {
    event.target.dataset.touched = ""; // what was typed is not lost to a stray press
  });
}

function firstFocus(dialog) {
  const wanted = dialog.querySelector("[autofocus]") ?? dialog.querySelector(".dialog-body :is(input, select, textarea):not([type=hidden], :disabled)");
  const fallback = dialog.querySelector(".dialog-foot .button:not(.is-danger)") ?? dialog.querySelector("button");
  (wanted ?? fallback)?.focus();
}

/**
 * Asks before something that cannot be undone. With `typed`, the person must type that text.
 * @param {{title: string, what: any, label?: string, danger?: boolean, typed?: string, run?: () => any}} options
 *   `run` is done in the dialog, which shows its error and stays; `label` is the button's, a verb
 * @returns {Promise<boolean>}
 */
export async function confirm({ title, what, label, danger = false, typed, run }) {
  const field = typed === undefined ? null : textField({ label: t("ui.typeToConfirm", { typed }), mono: true, autocomplete: "off", spellcheck: false });
  const text = typeof what === "string" ? h("p", what) : what;
  const done = await openDialog({
    title,
    body: [text, field?.node],
    actions: [
      { label: t("ui.cancel"), kind: "plain", value: false },
      {
        label: label ?? t("ui.ok"),
        kind: danger ? "danger" : "primary",
        run: async () => {
          if (field && field.value !== typed) {
            field.error(t("ui.typedWrong", { typed }));
            field.input.focus();
            return false;
          }
          await run?.();
          return true;
        },
      },
    ],
  });
  return done === true;
}
