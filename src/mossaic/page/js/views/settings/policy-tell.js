/** A statement of a policy in words. */
import { h } from "../../ui/dom.js";
import { rich, t } from "../../ui/i18n.js";
import { chips } from "./parts.js";

const conditionText = ({ operator, key, values }) => `${key} ${operator} ${values.join(", ")}`;

/** @param {import("./policy-check.js").Told} told */
export function statementView(told) {
  const effect = told.effect === "Deny" ? "deny" : "allow";
  const who = told.everybody ? h("strong", t("policy.everybody")) : chips(told.principals);
  const open = told.everybody && effect === "allow" && !told.closed;
  return h(
    "li.statement",
    h(`span.badge.is-${effect === "deny" ? "bad" : open ? "warn" : "good"}`, t(`policy.effect.${effect}`)),
    h(
      "div.statement-text",
      h("p", rich(`policy.sentence.${effect}`, { who })),
      chips(told.actions),
      h("p.is-faint", t("policy.on")),
      chips(told.resources),
      told.conditions.length ? [h("p.is-faint", t("policy.if")), chips(told.conditions.map(conditionText))] : null,
    ),
  );
}
