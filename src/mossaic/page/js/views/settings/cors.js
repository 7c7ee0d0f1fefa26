/** CORS: the rules in order, presets, the document to copy, and the panel that says what a page would see. */
import { h, replace } from "../../ui/dom.js";
import { segmented, toggle } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived, live } from "../../ui/live.js";
import { menuButton } from "../../ui/menu.js";
import { codeBlock } from "../../ui/problem-view.js";
import { readCorsOf, writeCors } from "./calls.js";
import { corsJson, corsXml, emptyRule, MAX_RULES, PRESETS, remarksOf } from "./cors-model.js";
import { ruleCard } from "./cors-rule.js";
import { testPanel } from "./cors-test.js";
import { draftOf } from "./draft.js";
import { notice, refocus, saveBar, sectionHead } from "./parts.js";

const PRESET_ICONS = { uploads: "upload", reads: "eye", anywhere: "globe" };

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function cors(bucket, place, signal) {
  const draft = draftOf(bucket, "cors", {
    read: () => readCorsOf(bucket),
    write: (value) => writeCors(bucket, value),
    text: corsXml,
  });
  await draft.load();
  if (signal.aborted) return;

  const list = h("ol.rule-list");
  const actions = {
    /** One rule replaced while it is typed: the others stay untouched, and so does the focus. */
    put: (at, rule) => draft.set({ ...draft.value.value, rules: draft.value.value.rules.map((one, i) => (i === at ? rule : one)) }),
    /** The rules in another order or number: everything is shown anew, rule `open` with its fields, the focus on `tool` of rule `at`. */
    setRules: (rules, { open, at = open, tool = "field" } = {}) => {
      draft.open = new Set(open === undefined ? [] : [open]);
      draft.set({ ...draft.value.value, rules });
      actions.repaint(at, tool);
    },
    repaint: (at, tool) => {
      paint();
      if (at !== undefined) refocus(list, at, tool);
    },
  };

  const add = (make) => actions.setRules([...draft.value.value.rules, make()], { open: draft.value.value.rules.length });
  const paint = () => {
    const { rules } = draft.value.value;
    replace(list, ...rules.map((_, at) => ruleCard(draft, at, actions)));
    list.hidden = !rules.length;
    empty.hidden = rules.length > 0;
    addButton.hidden = !rules.length || rules.length >= MAX_RULES;
    vary.value = draft.value.value.responseVary ?? false;
    after.hidden = !rules.length;
  };
  const addButton = menuButton(t("cors.add"), () => presetItems(add), { icon: "plus", kind: "plain" });
  const empty = emptyState(add);
  const vary = toggle({
    label: t("cors.vary"),
    hint: t("cors.varyHint"),
    // Off is said only where it was said before.
    onchange: (on) => draft.set({ ...draft.value.value, responseVary: on || (draft.base.responseVary === null ? null : false) }),
  });
  const after = h("div.settings-stack", vary.node, documentView(draft));
  const ready = () => {
    const at = draft.value.value.rules.findIndex((rule) => remarksOf(rule).some((one) => one.level === "error"));
    if (at < 0) return true;
    draft.open.add(at);
    actions.repaint(at, "field");
    list.children[at].scrollIntoView({ block: "nearest" });
    return false;
  };
  const bar = saveBar(draft, { ready, saved: t("cors.saved"), repaint: paint });
  replace(
    place,
    sectionHead(t("settings.cors.name"), t("cors.lead"), addButton),
    empty,
    list,
    after,
    testPanel(bucket, draft, { repaint: paint }),
    bar,
  );
  paint();
}

function presetItems(add) {
  return [
    ...Object.keys(PRESETS).map((name) => ({
      label: t(`cors.preset.${name}.name`),
      icon: PRESET_ICONS[name],
      run: () => add(presetOf(name)),
    })),
    "-",
    { label: t("cors.preset.empty"), icon: "plus", run: () => add(emptyRule) },
  ];
}

/** "One origin" is the person's to name: its field is left empty and gets the focus. */
const presetOf = (name) => () => (name === "uploads" ? { ...PRESETS.uploads(), origins: [] } : PRESETS[name]());

function emptyState(add) {
  const button = (name) =>
    h(
      "button.preset",
      { type: "button", onclick: () => add(presetOf(name)) },
      h("span.preset-icon", icon(PRESET_ICONS[name])),
      h("span.preset-text", h("span.preset-name", t(`cors.preset.${name}.name`)), h("span.preset-what", t(`cors.preset.${name}.what`))),
    );
  return h(
    "div.settings-stack",
    notice("info", t("cors.none.title"), h("p", t("cors.none.what"))),
    h("div.presets", Object.keys(PRESETS).map(button)),
    h("button.button.is-ghost.is-small", { type: "button", onclick: () => add(emptyRule) }, icon("plus"), t("cors.preset.empty")),
  );
}

function documentView(draft) {
  const form = live("xml");
  const choice = segmented({
    label: t("cors.document.form"),
    hideLabel: true,
    value: "xml",
    options: [
      { value: "xml", label: "XML" },
      { value: "json", label: "JSON" },
    ],
    onchange: (value) => form.set(value),
  });
  const write = { xml: corsXml, json: corsJson };
  return h(
    "details.settings-details",
    h("summary", t("cors.document.title")),
    h(
      "div.settings-details-body",
      h(
        "div.settings-row",
        choice.node,
        h(
          "p.is-faint.settings-small",
          derived((kind) => t(`cors.document.${kind}`), form),
        ),
      ),
      derived((kind, value) => codeBlock(write[kind](value)), form, draft.value),
    ),
  );
}
