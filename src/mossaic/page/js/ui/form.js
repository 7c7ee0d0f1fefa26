/** Form fields: label, hint and error belong to the control, and each field knows how to check itself. */

import { freshId, h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

export { keyValueEditor } from "./key-values.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} node  what to put on the page
 * @property {HTMLElement} input  the control
 * @property {any} value  readable and writable
 * @property {(words: string) => void} error  shows an error; "" takes it away
 * @property {() => boolean} check  checks and shows; whether all is well
 */

/**
 * Label, hint and error around any control.
 * @param {{label: string, input: HTMLElement, hint?: any, optional?: boolean, hideLabel?: boolean}} options
 * @returns {{node: HTMLElement, error: (words: string) => void}}
 */
export function field({ label, input, hint, optional = false, hideLabel = false }) {
  input.id ||= freshId("field");
  const hintId = `${input.id}-hint`;
  const errorId = `${input.id}-error`;
  const trouble = h("p.field-error", { id: errorId, hidden: true });
  if (hint) input.setAttribute("aria-describedby", hintId);
  const node = h(
    "div.field",
    h(`label.field-label${hideLabel ? ".visually-hidden" : ""}`, { for: input.id }, label, optional ? h("span.field-optional", t("ui.optional")) : null),
    input.parentElement ?? input,
    trouble,
    hint ? h("p.field-hint", { id: hintId }, hint) : null,
  );
  const error = (words) => {
    trouble.hidden = !words;
    replace(trouble, words ? [icon("warning"), words] : null);
    node.classList.toggle("is-wrong", Boolean(words));
    if (words) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
    const described = [words ? errorId : null, hint ? hintId : null].filter(Boolean).join(" ");
    if (described) input.setAttribute("aria-describedby", described);
    else input.removeAttribute("aria-describedby");
  };
  return { node, error };
}

function checked({ node, error, input, read, write, required, validate }) {
  const check = () => {
    const value = read();
    const words = required && (value === "" || value === null) ? t("ui.required") : (validate?.(value) ?? "");
    error(words);
    return !words;
  };
  // An error is told when one leaves a field, and goes as soon as it is mended.
  input.addEventListener("blur", () => read() !== "" && check());
  input.addEventListener("input", () => node.classList.contains("is-wrong") && check());
  return {
    node,
    input,
    error,
    check,
    get value() {
      return read();
    },
    set value(next) {
      write(next);
    },
  };
}

/**
 * @param {{label: string, value?: string, hint?: any, required?: boolean, optional?: boolean, type?: string, placeholder?: string, name?: string, mono?: boolean,
 *          autocomplete?: string, spellcheck?: boolean, maxLength?: number, rows?: number, hideLabel?: boolean, autofocus?: boolean, trim?: boolean,
 *          validate?: (value: string) => string | undefined, oninput?: (value: string) => void}} options  `rows` makes it a text area
 * @returns {Field}
 */
export function textField(options) {
  const { label, value = "", hint, required = false, optional, type = "text", placeholder, name, mono, autocomplete = "off", spellcheck = false } = options;
  const { maxLength, rows, hideLabel, autofocus, trim = !rows && type !== "password", validate, oninput } = options;
  const input = h(`${rows ? "textarea" : "input"}.input${mono ? ".mono" : ""}`, {
    ...(rows ? { rows } : { type }),
    name,
    placeholder,
    autocomplete,
    spellcheck: String(spellcheck),
    autocapitalize: "off",
    maxlength: maxLength,
    autofocus: autofocus || null,
    "aria-required": required ? "true" : null,
    value,
    oninput: oninput ? () => oninput(read()) : null,
  });
  const read = () => (trim ? input.value.trim() : input.value);
  const write = (next) => {
    input.value = next;
  };
  if (type === "password") withReveal(input);
  const made = field({ label, input, hint, optional, hideLabel });
  return checked({ ...made, input, read, write, required, validate });
}

function withReveal(input) {
  const button = h("button.button.is-ghost.is-icon.is-small", { type: "button", "aria-label": t("ui.show"), "aria-pressed": "false" }, icon("eye"));
  button.addEventListener("click", () => {
    const shown = input.type === "password";
    input.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
    button.replaceChildren(icon(shown ? "eye-off" : "eye"));
  });
  h("div.input-group", input, button);
}

/**
 * @param {{label: string, value?: number | null, min?: number, max?: number, step?: number, unit?: string, hint?: any, required?: boolean, optional?: boolean,
 *          hideLabel?: boolean, validate?: (value: number | null) => string | undefined, oninput?: (value: number | null) => void}} options
 * @returns {Field}  its value is a number, or null when empty
 */
export function numberField(options) {
  const { label, value = null, min, max, step = 1, unit, hint, required = false, optional, hideLabel, validate, oninput } = options;
  const input = h("input.input.is-number", {
    type: "number",
    inputmode: step % 1 ? "decimal" : "numeric",
    min,
    max,
    step,
    value: value ?? "",
    "aria-required": required ? "true" : null,
    oninput: oninput ? () => oninput(read()) : null,
  });
  if (unit) h("div.input-group", input, h("span.input-unit", unit));
  const read = () => (input.value === "" ? null : Number(input.value));
  const write = (next) => {
    input.value = next ?? "";
  };
  const within = (n) => {
    if (input.validity.badInput) return t("ui.notNumber");
    if (n !== null && min !== undefined && n < min) return t("ui.atLeast", { min });
    if (n !== null && max !== undefined && n > max) return t("ui.atMost", { max });
    return validate?.(n);
  };
  const made = field({ label, input, hint, optional, hideLabel });
  return checked({ ...made, input, read, write, required, validate: within });
}

/**
 * @param {{label: string, options: {value: string, label: string}[], value?: string, hint?: any, hideLabel?: boolean, onchange?: (value: string) => void}} options
 * @returns {Field}
 */
export function select({ label, options, value, hint, hideLabel, onchange }) {
  const input = h(
    "select.input",
    { onchange: onchange ? () => onchange(input.value) : null },
    options.map((option) => h("option", { value: option.value }, option.label)),
  );
  if (value !== undefined) input.value = value;
  h("div.select", input, icon("chevron-down"));
  const made = field({ label, input, hint, hideLabel });
  const write = (next) => {
    input.value = next;
  };
  return checked({ ...made, input, read: () => input.value, write });
}

/**
 * A switch. Its value is a boolean.
 * @param {{label: string, checked?: boolean, hint?: any, onchange?: (on: boolean) => void}} options
 * @returns {Field}
 */
export function toggle({ label, checked: on = false, hint, onchange }) {
  const id = freshId("toggle");
  const input = h("input.toggle-input", {
    type: "checkbox",
    role: "switch",
    id,
    checked: on,
    "aria-describedby": hint ? `${id}-hint` : null,
    onchange: onchange ? () => onchange(input.checked) : null,
  });
  const node = h(
    "div.field.is-toggle",
    h("label.toggle", { for: id }, input, h("span.toggle-track", { "aria-hidden": "true" }), h("span.toggle-label", label)),
    hint ? h("p.field-hint", { id: `${id}-hint` }, hint) : null,
  );
  return {
    node,
    input,
    error: () => {},
    check: () => true,
    get value() {
      return input.checked;
    },
    set value(next) {
      input.checked = next;
    },
  };
}

/**
 * A few choices side by side; its value is a string.
 * @param {{label: string, options: {value: string, label: any}[], value: string, hideLabel?: boolean, hint?: any, onchange?: (value: string) => void}} options
 * @returns {Field}
 */
export function segmented({ label, options, value, hideLabel = false, hint, onchange }) {
  const name = freshId("segment");
  const inputs = options.map((option) =>
    h("input.visually-hidden", { type: "radio", name, value: option.value, checked: option.value === value, onchange: () => onchange?.(option.value) }),
  );
  const node = h(
    "fieldset.field.is-segmented",
    h(`legend.field-label${hideLabel ? ".visually-hidden" : ""}`, label),
    h("div.segmented", options.map((option, i) => h("label.segment", inputs[i], h("span", option.label)))),
    hint ? h("p.field-hint", hint) : null,
  );
  return {
    node,
    input: inputs[0],
    error: () => {},
    check: () => true,
    get value() {
      return inputs.find((input) => input.checked)?.value ?? "";
    },
    set value(next) {
      for (const input of inputs) input.checked = input.value === next;
    },
  };
}

/**
 * Checks all; the first that is wrong gets the focus.
 * @param {...(Field | {check: () => boolean, input?: HTMLElement} | null | undefined)} fields
 */
export function validate(...fields) {
  const wrong = fields.flat().filter((one) => one && !one.check());
  wrong[0]?.input?.focus();
  return wrong.length === 0;
}
