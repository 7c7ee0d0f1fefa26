/** The fields of a lifecycle rule: what it is about, and its actions, each switched on by itself. */
import { h, replace } from "../../ui/dom.js";
import { numberField, segmented, select, textField, toggle } from "../../ui/form.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { keyValueEditor } from "../../ui/key-values.js";
import { CLASSES, MAX_DAYS, STALE_DAYS } from "./lifecycle-model.js";
import { iconButton } from "./parts.js";

const MAX_TAGS = 10;
const START_DAYS = { expire: 365, transitions: 30, oldDays: 30, oldTransitions: 30 };

/**
 * @param {() => import("./lifecycle-model.js").LifecycleRule} rule as it is now
 * @param {(part: Partial<import("./lifecycle-model.js").LifecycleRule>) => void} put
 * @param {{versioning: string, repaint: () => void}} actions
 */
export function editor(rule, put, { versioning, repaint }) {
  // A rule expires objects or removes lone markers: switching one on may switch the other off, which is then shown.
  const putEither = (part) => {
    const both = rule().expire !== null || rule().markers;
    put(part);
    if (both) repaint();
  };
  return h(
    "div.rule-form",
    h("h4.rule-form-title", t("lifecycle.scope")),
    scopeFields(rule, put),
    h("h4.rule-form-title", t("lifecycle.actions")),
    h("div.rule-actions", currentActions(rule, put, putEither), abortAction(rule, put)),
    versioning || rule().oldDays !== null || rule().oldTransitions.length || rule().markers
      ? [h("h4.rule-form-title", t("lifecycle.oldActions")), h("div.rule-actions", oldActions(rule, put, putEither))]
      : h("p.field-hint", t("lifecycle.unversioned")),
  );
}

function scopeFields(rule, put) {
  const id = textField({
    label: t("lifecycle.id"),
    value: rule().id,
    mono: true,
    optional: true,
    hint: t("lifecycle.idHint"),
    oninput: (text) => put({ id: text }),
  });
  const prefix = textField({
    label: t("lifecycle.prefix"),
    value: rule().prefix,
    mono: true,
    trim: false,
    placeholder: "logs/",
    hint: t("lifecycle.prefixHint"),
    oninput: (text) => put({ prefix: text }),
  });
  const tags = keyValueEditor({
    label: t("lifecycle.tags"),
    pairs: Object.fromEntries(rule().tags.map((tag) => [tag.key, tag.value])),
    max: MAX_TAGS,
    hint: t("lifecycle.tagsHint"),
    onchange: () => put({ tags: Object.entries(tags.value).map(([key, value]) => ({ key, value })) }),
  });
  const size = (name) =>
    numberField({
      label: t(`lifecycle.${name}`),
      value: rule()[name],
      min: 0,
      unit: t("lifecycle.bytes"),
      optional: true,
      oninput: (bytes) => put({ [name]: bytes }),
    });
  const more = h(
    "details.settings-details",
    { open: rule().tags.length > 0 || rule().above !== null || rule().below !== null || rule().nots.length > 0 },
    h("summary", t("lifecycle.more")),
    h("div.settings-details-body", tags.node, h("div.rule-columns", size("above").node, size("below").node), exceptions(rule, put)),
  );
  return h("div.rule-scope-fields", h("div.rule-columns", prefix.node, id.node), more);
}

/** Prefixes that the rule leaves out. */
function exceptions(rule, put) {
  const list = h("div.settings-stack");
  const change = (at, part) => put({ nots: rule().nots.map((one, i) => (i === at ? { ...one, ...part } : one)) });
  const line = (out, at) => {
    const prefix = textField({
      label: t("lifecycle.notPrefix"),
      value: out.prefix,
      mono: true,
      trim: false,
      oninput: (text) => change(at, { prefix: text }),
    });
    const tag = textField({
      label: t("lifecycle.notTag"),
      value: out.tag ? `${out.tag.key}=${out.tag.value}` : "",
      mono: true,
      optional: true,
      placeholder: "keep=yes",
      oninput: (text) => change(at, { tag: tagOf(text) }),
    });
    const remove = iconButton("x", t("lifecycle.notRemove"), () => (put({ nots: rule().nots.filter((_, i) => i !== at) }), paint()));
    return h("div.rule-line", prefix.node, tag.node, remove);
  };
  const paint = () => replace(list, rule().nots.map(line));
  const add = () => (put({ nots: [...rule().nots, { prefix: rule().prefix, tag: null }] }), paint());
  paint();
  return h(
    "fieldset.field",
    h("legend.field-label", t("lifecycle.nots")),
    list,
    h("div", h("button.button.is-ghost.is-small", { type: "button", onclick: add }, icon("plus"), t("lifecycle.notAdd"))),
    h("p.field-hint", t("lifecycle.notsHint")),
  );
}

function tagOf(text) {
  const [key, ...rest] = text.split("=");
  return key ? { key, value: rest.join("=") } : null;
}

/** An action that can be switched on, with its fields below. */
function action(label, hint, isOn, fields, onchange) {
  const box = h("div.rule-action-fields");
  const show = (on) => replace(box, on ? fields() : null);
  const flip = toggle({ label, hint, checked: isOn, onchange: (on) => (onchange(on), show(on)) });
  show(isOn);
  return h("div.rule-action", flip.node, box);
}

/** Days, or a date; exactly one of them is kept. */
function whenFields(when, change, { dates = true, label = t("lifecycle.days") } = {}) {
  const kinds = dates === "start" ? ["days", "before", "date"] : ["days", "before"];
  const box = h("div.when-value");
  const kindOf = (one) => (one.date ? "date" : one.before ? "before" : "days");
  const show = (kind, value) => {
    const day = (text) => change({ [kind]: text || null });
    const input =
      kind === "days"
        ? numberField({
            label,
            hideLabel: true,
            value: value.days ?? null,
            min: 1,
            max: MAX_DAYS,
            unit: t("lifecycle.daysUnit"),
            oninput: (days) => change({ days }),
          })
        : textField({ label: t(`lifecycle.when.${kind}`), hideLabel: true, type: "date", value: value[kind] ?? "", oninput: day });
    replace(box, input.node);
  };
  const pick = segmented({
    label: t("lifecycle.when.label"),
    hideLabel: true,
    value: kindOf(when),
    options: kinds.map((kind) => ({ value: kind, label: t(`lifecycle.when.${kind}`) })),
    onchange: (kind) => {
      const next = kind === "days" ? { days: 30 } : { [kind]: new Date().toISOString().slice(0, 10) };
      change(next);
      show(kind, next);
    },
  });
  show(kindOf(when), when);
  return h("div.when", dates ? pick.node : null, box);
}

function transitions(rule, put, name, options) {
  const list = h("div.settings-stack");
  const change = (at, part) => put({ [name]: rule()[name].map((one, i) => (i === at ? { ...one, ...part } : one)) });
  const line = (one, at) => {
    const to = select({
      label: t("lifecycle.class"),
      value: one.storageClass,
      options: CLASSES.map((id) => ({ value: id, label: t(`settings.class.${id}`) })),
      onchange: (storageClass) => change(at, { storageClass }),
    });
    const remove = iconButton(
      "x",
      t("lifecycle.transitionRemove"),
      () => (put({ [name]: rule()[name].filter((_, i) => i !== at) }), paint()),
    );
    return h(
      "div.rule-line",
      to.node,
      whenFields(one.when, (when) => change(at, { when }), options),
      remove,
    );
  };
  const paint = () => {
    replace(list, rule()[name].map(line));
    add.hidden = rule()[name].length >= CLASSES.length;
  };
  const more = () => {
    const free = CLASSES.find((id) => !rule()[name].some((one) => one.storageClass === id));
    const days = Math.max(0, ...rule()[name].map((one) => one.when.days ?? 0)) + START_DAYS[name];
    put({ [name]: [...rule()[name], { storageClass: free, when: { days }, extra: {} }] });
    paint();
  };
  const add = h("button.button.is-ghost.is-small", { type: "button", onclick: more }, icon("plus"), t("lifecycle.transitionAdd"));
  paint();
  return h(
    "div.rule-action",
    h("p.rule-action-name", t(`lifecycle.${name}`)),
    h("p.field-hint", t("lifecycle.transitionsHint")),
    list,
    h("div", add),
  );
}

function currentActions(rule, put, putEither) {
  const expire = action(
    t("lifecycle.expire"),
    t("lifecycle.expireHint"),
    rule().expire !== null,
    () => whenFields(rule().expire, (when) => put({ expire: when }), { dates: "start" }),
    (on) => putEither(on ? { expire: { days: START_DAYS.expire }, markers: false } : { expire: null }),
  );
  return [transitions(rule, put, "transitions", {}), expire];
}

function abortAction(rule, put) {
  return action(
    t("lifecycle.abort"),
    t("lifecycle.abortHint"),
    rule().abort !== null,
    () => whenFields(rule().abort, (when) => put({ abort: when })),
    (on) => put({ abort: on ? { days: STALE_DAYS } : null }),
  );
}

function oldActions(rule, put, putEither) {
  const remove = action(
    t("lifecycle.oldDays"),
    t("lifecycle.oldDaysHint"),
    rule().oldDays !== null,
    () => whenFields({ days: rule().oldDays }, (when) => put({ oldDays: when.days ?? null }), { dates: false }),
    (on) => put({ oldDays: on ? START_DAYS.oldDays : null }),
  );
  const markers = toggle({
    label: t("lifecycle.markers"),
    hint: t("lifecycle.markersHint"),
    checked: rule().markers,
    onchange: (on) => putEither(on ? { markers: true, expire: null } : { markers: false }),
  });
  return [transitions(rule, put, "oldTransitions", { dates: false }), remove, h("div.rule-action", markers.node)];
}
