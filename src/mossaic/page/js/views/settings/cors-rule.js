/** One CORS rule: read at a glance, changed in place, with what is doubtful about it and how to mend that. */
import { freshId, h } from "../../ui/dom.js";
import { numberField, textField } from "../../ui/form.js";
import { duration } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { facts } from "../../ui/parts.js";
import { EXPOSED, METHODS, remarksOf } from "./cors-model.js";
import { chips, editButton, iconButton } from "./parts.js";

const MAX_AGE_S = 999_999_999;
const SIGNS = { error: "warning", warning: "warning", info: "info" };

const lines = (text) =>
  text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter(Boolean);

/**
 * @param {import("./draft.js").Draft<import("./cors-model.js").Cors>} draft
 * @param {number} at
 * @param {{put: Function, setRules: Function, repaint: Function}} actions
 */
export function ruleCard(draft, at, actions) {
  const rule = () => draft.value.value.rules[at];
  const isOpen = draft.open.has(at);
  const title = freshId("cors-rule");
  const body = isOpen ? editor(rule(), (part) => actions.put(at, { ...rule(), ...part })) : summary(rule());
  const remarks = derived((value) => (value.rules[at] ? remarkList(value.rules[at], at, actions) : null), draft.value);
  return h(
    "li.card.rule",
    { "aria-labelledby": title },
    h(
      "div.rule-head",
      h("h3.rule-title", { id: title }, h("span.rule-number", String(at + 1)), t("cors.rule", { number: at + 1 })),
      tools(draft, at, isOpen, actions),
    ),
    body,
    remarks,
  );
}

function tools(draft, at, isOpen, actions) {
  const rules = () => draft.value.value.rules; // as they are when one presses, with what was typed since
  const number = at + 1;
  const moved = (to, tool) => {
    const next = [...rules()];
    next.splice(to, 0, ...next.splice(at, 1));
    actions.setRules(next, { open: isOpen ? to : undefined, at: to, tool });
  };
  const open = () => {
    if (isOpen) draft.open.delete(at);
    else draft.open.add(at);
    actions.repaint(at, isOpen ? "edit" : "field");
  };
  const double = () =>
    actions.setRules([...rules().slice(0, at + 1), structuredClone(rules()[at]), ...rules().slice(at + 1)], { open: at + 1 });
  const remove = () =>
    actions.setRules(
      rules().filter((_, i) => i !== at),
      { at, tool: "remove" },
    );
  const count = rules().length;
  const tool = (name) => ({ dataset: { tool: name } });
  return h(
    "div.rule-tools",
    count < 2
      ? null
      : [
          iconButton("arrow-up", t("cors.up", { number }), () => moved(at - 1, "up"), { disabled: at === 0, ...tool("up") }),
          iconButton("arrow-down", t("cors.down", { number }), () => moved(at + 1, "down"), {
            disabled: at === count - 1,
            ...tool("down"),
          }),
        ],
    iconButton("copy", t("cors.duplicate", { number }), double, tool("copy")),
    iconButton("trash", t("cors.remove", { number }), remove, tool("remove")),
    editButton(isOpen, t(isOpen ? "cors.close" : "cors.edit", { number }), open),
  );
}

function summary(rule) {
  return facts([
    [t("cors.origins"), chips(rule.origins)],
    [t("cors.methods"), chips(rule.methods)],
    [t("cors.headers"), chips(rule.headers, t("cors.noneOf"))],
    [t("cors.expose"), chips(rule.expose, t("cors.noneOf"))],
    [t("cors.maxAge"), rule.maxAge === null ? h("span.is-faint", t("cors.maxAgeNone")) : duration(rule.maxAge)],
  ]);
}

function editor(rule, put) {
  const origins = textField({
    label: t("cors.origins"),
    value: rule.origins.join("\n"),
    rows: Math.max(2, rule.origins.length),
    mono: true,
    hint: t("cors.originsHint"),
    placeholder: "https://app.example.com",
    oninput: (text) => put({ origins: lines(text) }),
  });
  const headers = textField({
    label: t("cors.headers"),
    value: rule.headers.join("\n"),
    rows: Math.min(6, Math.max(2, rule.headers.length)),
    mono: true,
    hint: t("cors.headersHint"),
    placeholder: "*",
    oninput: (text) => put({ headers: lines(text) }),
  });
  const expose = textField({
    label: t("cors.expose"),
    value: rule.expose.join("\n"),
    rows: Math.min(6, Math.max(3, rule.expose.length)),
    mono: true,
    hint: t("cors.exposeHint"),
    placeholder: EXPOSED.slice(0, 2).join("\n"),
    oninput: (text) => put({ expose: lines(text) }),
  });
  const age = numberField({
    label: t("cors.maxAge"),
    value: rule.maxAge,
    min: 0,
    max: MAX_AGE_S,
    unit: t("cors.seconds"),
    hint: t("cors.maxAgeHint"),
    optional: true,
    oninput: (maxAge) => put({ maxAge }),
  });
  return h(
    "div.rule-form",
    h("div.rule-columns", origins.node, methodBoxes(rule, put)),
    h("div.rule-columns", headers.node, expose.node),
    h("div.rule-columns", age.node),
  );
}

function methodBoxes(rule, put) {
  const boxes = METHODS.map((name) =>
    h("input", {
      type: "checkbox",
      value: name,
      checked: rule.methods.includes(name),
      onchange: () => put({ methods: boxes.filter((box) => box.checked).map((box) => box.value) }),
    }),
  );
  return h(
    "fieldset.field",
    h("legend.field-label", t("cors.methods")),
    h(
      "div.method-boxes",
      boxes.map((box) => h("label.method-box", box, h("span.mono", box.value))),
    ),
    h("p.field-hint", t("cors.methodsHint")),
  );
}

function remarkList(rule, at, actions) {
  const found = remarksOf(rule);
  if (!found.length) return h("p.remark.is-good", icon("check-circle"), h("span", t("cors.fine")));
  return h(
    "ul.remarks",
    found.map((one) =>
      h(
        `li.remark.is-${one.level}`,
        icon(SIGNS[one.level]),
        h("span.remark-text", h("span.visually-hidden", `${t(`settings.level.${one.level}`)}: `), t(`cors.remark.${one.code}`, one.params)),
        one.fix
          ? h(
              "button.button.is-small.is-plain",
              { type: "button", dataset: { tool: "fix" }, onclick: () => mend(one, rule, at, actions) },
              t("settings.fix"),
            )
          : null,
      ),
    ),
  );
}

function mend(remark, rule, at, actions) {
  actions.put(at, remark.fix(rule));
  actions.repaint(at, "fix");
}
