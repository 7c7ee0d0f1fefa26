// A group of options that can be closed and says how much is set in it.

import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { FIRST_CHOICE } from "./remember.js";

/**
 * A group that can be closed. `fields` by the names they have in the choice.
 * @param {{id: string, fields: Record<string, import("../../ui/form.js").Field>, body?: any, open?: boolean, refresh?: () => void, off?: () => boolean}} made
 */
export function group({ id, fields, body, open = false, refresh, off = () => false }) {
  const count = h("span.badge.option-group-count", { hidden: true });
  const node = h(
    "details.option-group",
    { open, dataset: { group: id } },
    h("summary.option-group-head", h("span", t(`upload.group.${id}`)), count),
    h("div.option-group-body", body ?? Object.values(fields).map((each) => each.node)),
  );
  const read = (choice) => {
    for (const [name, each] of Object.entries(fields)) choice[name] = each.value;
    const set = off() ? 0 : Object.keys(fields).filter((name) => isSet(name, choice[name])).length;
    count.hidden = set === 0;
    count.textContent = t("upload.group.set", { n: set });
  };
  read({});
  return { node, read, refresh, fields: () => (off() ? [] : Object.values(fields)) };
}

function isSet(name, value) {
  const first = FIRST_CHOICE[name];
  return typeof value === "object" ? Object.keys(value).length > 0 : value !== first;
}
