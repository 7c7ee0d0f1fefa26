/** One lifecycle rule: in words when it is closed, with all its fields when it is open. */
import { freshId, h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { editor } from "./lifecycle-editor.js";
import { CLASSES, hasAction, MAX_DAYS } from "./lifecycle-model.js";
import { scopeText, sentences } from "./lifecycle-tell.js";
import { editButton, iconButton } from "./parts.js";

const SIZE_ID = 255;

function whenFault(when) {
  if (!when) return null;
  const given = [when.days, when.before, when.date].filter((one) => one !== null && one !== undefined && one !== "");
  if (given.length !== 1) return "when";
  if (typeof when.days === "number" && (!Number.isInteger(when.days) || when.days < 1 || when.days > MAX_DAYS)) return "days";
  return null;
}

/** Days must grow with coldness, and the end comes last. */
function orderFault(transitions, last) {
  const sorted = [...transitions].sort((left, right) => CLASSES.indexOf(left.storageClass) - CLASSES.indexOf(right.storageClass));
  if (new Set(sorted.map((one) => one.storageClass)).size < sorted.length) return "sameClass";
  const days = [...sorted.map((one) => one.when.days), last].filter((one) => typeof one === "number");
  return days.some((one, at) => at > 0 && days[at - 1] >= one) ? "order" : null;
}

const usesDays = (when) => typeof when.days === "number";

/** Why the server would refuse the rule, as a word for t(), or null. @param {import("./lifecycle-model.js").LifecycleRule} rule */
export function faultOf(rule) {
  if (!hasAction(rule)) return "noAction";
  if (new TextEncoder().encode(rule.id).length > SIZE_ID) return "id";
  const whens = [rule.expire, rule.abort, ...rule.transitions.map((one) => one.when)].filter(Boolean);
  const bad = whens.map(whenFault).find(Boolean);
  if (bad) return bad;
  if (new Set(whens.map(usesDays)).size > 1) return "mixed";
  const old = [rule.oldDays, ...rule.oldTransitions.map((one) => one.when.days)].filter((one) => one !== null);
  if (old.some((days) => !Number.isInteger(days) || days < 1 || days > MAX_DAYS)) return "days";
  const order = orderFault(rule.transitions, rule.expire?.days) ?? orderFault(rule.oldTransitions, rule.oldDays);
  if (order) return order;
  if (rule.above !== null && rule.below !== null && rule.above >= rule.below) return "sizes";
  return rule.nots.some((out) => !out.prefix.startsWith(rule.prefix)) ? "not" : null;
}

/** What the rule would do; it follows what is typed. */
function told(rule, versioning) {
  const fault = faultOf(rule);
  const found = sentences(rule, versioning);
  return h(
    "div.rule-told",
    h("p.rule-scope", scopeText(rule)),
    found.length
      ? h(
          "ul.rule-sentences",
          found.map((one) => h(`li.is-${one.kind}`, icon(one.icon), h("span", one.text))),
        )
      : null,
    fault ? h("p.remark.is-error", { role: "status" }, icon("warning"), h("span", t(`lifecycle.fault.${fault}`))) : null,
  );
}

/**
 * @param {import("./draft.js").Draft<import("./lifecycle-model.js").LifecycleRule[]>} draft
 * @param {number} at
 * @param {{versioning: string, put: Function, setRules: Function, repaint: Function}} actions
 */
export function ruleCard(draft, at, actions) {
  const rule = () => draft.value.value[at];
  const isOpen = draft.open.has(at);
  const title = freshId("lifecycle-rule");
  const name = derived((rules) => rules[at]?.id || t("lifecycle.rule", { number: at + 1 }), draft.value);
  return h(
    "li.card.rule",
    { "aria-labelledby": title, class: rule().enabled ? "" : "is-off" },
    h(
      "div.rule-head",
      h("h3.rule-title", { id: title }, h("span.rule-name", name), rule().enabled ? null : h("span.badge", t("lifecycle.off"))),
      tools(draft, at, isOpen, actions),
    ),
    derived((rules) => (rules[at] ? told(rules[at], actions.versioning) : null), draft.value),
    isOpen ? editor(rule, (part) => actions.put(at, { ...rule(), ...part }), actions) : null,
  );
}

function tools(draft, at, isOpen, actions) {
  const rules = () => draft.value.value;
  const named = { name: rules()[at].id || t("lifecycle.rule", { number: at + 1 }) };
  const isOn = rules()[at].enabled;
  const open = () => {
    if (isOpen) draft.open.delete(at);
    else draft.open.add(at);
    actions.repaint(at, isOpen ? "edit" : "field");
  };
  const flip = () => {
    actions.put(at, { ...rules()[at], enabled: !isOn });
    actions.repaint(at, "flip");
  };
  const remove = () =>
    actions.setRules(
      rules().filter((_, i) => i !== at),
      { at, tool: "remove" },
    );
  return h(
    "div.rule-tools",
    iconButton(isOn ? "pause" : "play", t(isOn ? "lifecycle.disable" : "lifecycle.enable", named), flip, { dataset: { tool: "flip" } }),
    iconButton("trash", t("lifecycle.remove", named), remove, { dataset: { tool: "remove" } }),
    editButton(isOpen, t(isOpen ? "lifecycle.close" : "lifecycle.edit", named), open),
  );
}
