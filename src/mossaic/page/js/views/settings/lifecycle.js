/** Lifecycle: the rules and what they would do in words; a suggestion where unfinished uploads are kept for ever. */
import { h, replace } from "../../ui/dom.js";
import { toggle } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { codeBlock } from "../../ui/problem-view.js";
import { readLifecycleOf, readVersioning, writeLifecycle } from "./calls.js";
import { draftOf } from "./draft.js";
import { clearing, lifecycleXml, newRule, overlap, STALE_DAYS, staleRule } from "./lifecycle-model.js";
import { faultOf, ruleCard } from "./lifecycle-rule.js";
import { notice, refocus, saveBar, saveDraft, sectionHead } from "./parts.js";

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function lifecycle(bucket, place, signal) {
  const draft = draftOf(bucket, "lifecycle", {
    read: () => readLifecycleOf(bucket),
    write: (rules) => writeLifecycle(bucket, rules, draft.meansOverlap ?? false), // meant by the person; the server does not keep it
    text: lifecycleXml,
  });
  const [versioning] = await Promise.all([readVersioning(bucket, signal), draft.load()]);
  if (signal.aborted) return;
  draft.meansOverlap ??= overlap(draft.base);

  const list = h("ol.rule-list");
  const banner = h("div.settings-banner");
  const actions = {
    versioning,
    put: (at, rule) => draft.set(draft.value.value.map((one, i) => (i === at ? rule : one))),
    setRules: (rules, { open, at = open, tool = "field" } = {}) => {
      draft.open = new Set(open === undefined ? [] : [open]);
      draft.set(rules);
      actions.repaint(at, tool);
    },
    repaint: (at, tool) => {
      paint();
      if (at !== undefined) refocus(list, at, tool);
    },
  };
  const addRule = () => actions.setRules([...draft.value.value, newRule()], { open: draft.value.value.length });
  const addButton = h("button.button.is-plain", { type: "button", onclick: addRule }, icon("plus"), t("lifecycle.add"));
  const meant = toggle({
    label: t("lifecycle.overlap"),
    hint: t("lifecycle.overlapHint"),
    checked: draft.meansOverlap,
    onchange: (on) => {
      draft.meansOverlap = on;
    },
  });
  const overlapBox = h(
    "div",
    { hidden: derived((rules) => !overlap(rules), draft.value) },
    notice("warn", t("lifecycle.overlapTitle"), meant.node),
  );
  const paint = () => {
    const rules = draft.value.value;
    replace(
      list,
      rules.map((_, at) => ruleCard(draft, at, actions)),
    );
    list.hidden = !rules.length;
    none.hidden = rules.length > 0;
    document.hidden = !rules.length;
    replace(banner, suggestion(draft, { repaint: paint }));
  };
  const none = h("p.settings-none.is-faint", t("lifecycle.none"));
  const document = h(
    "details.settings-details",
    h("summary", t("lifecycle.document")),
    h(
      "div.settings-details-body",
      derived((rules) => codeBlock(lifecycleXml(rules)), draft.value),
    ),
  );
  const ready = () => {
    const at = draft.value.value.findIndex((rule) => faultOf(rule));
    if (at < 0) return true;
    draft.open.add(at);
    actions.repaint(at, "field");
    return false;
  };
  replace(
    place,
    sectionHead(t("settings.lifecycle.name"), t("lifecycle.lead"), addButton),
    banner,
    none,
    list,
    overlapBox,
    document,
    saveBar(draft, { ready, saved: t("lifecycle.saved"), repaint: paint }),
  );
  paint();
}

/** Shown while unfinished uploads of some keys are never cleared away; one press adds the rule and saves it. */
function suggestion(draft, { repaint }) {
  const state = clearing(draft.value.value);
  if (state === "all") return null;
  const apply = async () => {
    if (state === "some") draft.meansOverlap = true; // it covers keys that another rule covers, and is meant to
    const before = draft.value.value;
    draft.set([...before, staleRule(before)]);
    const done = await saveDraft(draft, { button, saved: t("lifecycle.stale.saved", { n: STALE_DAYS }), repaint });
    if (!done) repaint();
  };
  const button = h("button.button.is-primary.is-small", { type: "button", onclick: apply }, t("lifecycle.stale.button", { n: STALE_DAYS }));
  const others = draft.dirty.value ? h("p", t("lifecycle.stale.others")) : null;
  return notice(
    "warn",
    t(`lifecycle.stale.${state}.title`),
    h("p", t(`lifecycle.stale.${state}.what`)),
    others,
    h("div.notice-actions", button),
  );
}
