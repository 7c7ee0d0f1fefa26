/** Rows of names and values, as user metadata, tags and callback variables need them. */

import { h, replace } from "./dom.js";
import { t } from "./i18n.js";
import { icon } from "./icons.js";

/**
 * @param {{label: string, pairs?: Record<string, string>, keyLabel?: string, valueLabel?: string, hint?: any, max?: number, prefix?: string,
 *          validate?: (key: string, value: string) => string | undefined, onchange?: () => void}} options
 *   `prefix` is shown before each name ("x-oss-meta-"); names are unique
 * @returns {import("./form.js").Field}  its value is a record; rows without a name are left out
 */
export function keyValueEditor(options) {
  const { label, pairs = {}, keyLabel = t("ui.name"), valueLabel = t("ui.value"), hint, max = 100, prefix, validate, onchange } = options;
  const list = h("div.pairs");
  const trouble = h("p.field-error", { role: "alert", hidden: true });
  const add = h("button.button.is-ghost.is-small", { type: "button", onclick: () => (addRow("", ""), lastRow().key.focus()) }, icon("plus"), t("ui.addRow"));
  const rows = [];
  const lastRow = () => rows[rows.length - 1];

  function addRow(key, value) {
    const row = { key: h("input.input.mono", { value: key, placeholder: keyLabel, "aria-label": keyLabel, autocomplete: "off", spellcheck: "false", autocapitalize: "off", oninput: changed }) };
    row.value = h("input.input", { value, placeholder: valueLabel, "aria-label": valueLabel, autocomplete: "off", spellcheck: "false", oninput: changed });
    const remove = h("button.button.is-ghost.is-icon.is-small", { type: "button", "aria-label": t("ui.removeRow"), onclick: () => removeRow(row) }, icon("x"));
    row.node = h("div.pair", prefix ? h("span.pair-prefix.mono", prefix) : null, row.key, row.value, remove);
    rows.push(row);
    list.append(row.node);
    limit();
  }

  function removeRow(row) {
    const at = rows.indexOf(row);
    rows.splice(at, 1);
    row.node.remove();
    limit();
    changed();
    (rows[at]?.key ?? add).focus();
  }

  function limit() {
    add.hidden = rows.length >= max;
  }

  function changed() {
    if (!trouble.hidden) check();
    onchange?.();
  }

  function error(words) {
    trouble.hidden = !words;
    replace(trouble, words ? [icon("warning"), words] : null);
  }

  function check() {
    let words = "";
    const seen = new Set();
    for (const row of rows) {
      const wrong = wrongRow(row, seen, validate);
      row.key.toggleAttribute("aria-invalid", Boolean(wrong));
      words ||= wrong;
    }
    error(words);
    return !words;
  }

  function write(record) {
    rows.splice(0);
    list.replaceChildren();
    for (const [key, value] of Object.entries(record)) addRow(key, value);
    limit();
  }

  write(pairs);
  const node = h("fieldset.field", h("legend.field-label", label), list, trouble, h("div", add), hint ? h("p.field-hint", hint) : null);
  return {
    node,
    error,
    check,
    get input() {
      return rows[0]?.key ?? add;
    },
    get value() {
      return Object.fromEntries(rows.map((row) => [row.key.value.trim(), row.value.value]).filter(([key]) => key !== ""));
    },
    set value(record) {
      write(record);
    },
  };
}

function wrongRow(row, seen, validate) {
  const key = row.key.value.trim();
  if (key === "" && row.value.value !== "") return t("ui.nameMissing");
  if (key === "") return "";
  if (seen.has(key)) return t("ui.nameTwice", { name: key });
  seen.add(key);
  return validate?.(key, row.value.value) ?? "";
}
