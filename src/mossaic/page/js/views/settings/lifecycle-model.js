/**
 * Lifecycle rules as the page holds them: reading, writing, and the rule that clears stale uploads away.
 * A time is one of {days}, {before} (created before a day) and {date} (from a day on); days are whole, dates YYYY-MM-DD.
 * @typedef {{days?: number|null, before?: string|null, date?: string|null}} When
 * @typedef {{key: string, value: string}} Tag
 * @typedef {{storageClass: string, when: When, extra: Record<string, string>}} Transition
 * @typedef {{id: string, enabled: boolean, prefix: string, tags: Tag[], above: number|null, below: number|null,
 *   nots: {prefix: string, tag: Tag|null}[], expire: When|null, markers: boolean, transitions: Transition[],
 *   abort: When|null, oldDays: number|null, oldTransitions: Transition[], atimeBase: string|null}} LifecycleRule
 */
import { all, documentOf, element, first, flagOf, numberOf, textOf } from "./xml.js";

export const CLASSES = ["IA", "Archive", "ColdArchive", "DeepColdArchive"];
export const STALE_DAYS = 7;
export const MAX_DAYS = 36_500;
const EXTRAS = ["IsAccessTime", "ReturnToStdWhenVisit", "AllowSmallFile"];

/** @param {Partial<LifecycleRule>} [more] @returns {LifecycleRule} */
export const newRule = (more = {}) => ({
  id: "",
  enabled: true,
  prefix: "",
  tags: [],
  above: null,
  below: null,
  nots: [],
  expire: null,
  markers: false,
  transitions: [],
  abort: null,
  oldDays: null,
  oldTransitions: [],
  atimeBase: null,
  ...more,
});

/** The rule that is suggested. @param {LifecycleRule[]} rules whose ids are taken */
export function staleRule(rules) {
  const taken = new Set(rules.map((rule) => rule.id));
  let id = "abort-stale-uploads";
  for (let at = 2; taken.has(id); at += 1) id = `abort-stale-uploads-${at}`;
  return newRule({ id, abort: { days: STALE_DAYS } });
}

const dayOf = (text) => (text ? text.slice(0, 10) : null);
const midnight = (day) => (day ? `${day}T00:00:00.000Z` : null);

function readWhen(node) {
  if (!node) return null;
  return {
    days: numberOf(node, "Days"),
    before: dayOf(textOf(node, "CreatedBeforeDate")),
    date: dayOf(textOf(node, "Date")),
  };
}

const readTag = (node) => (node ? { key: textOf(node, "Key") ?? "", value: textOf(node, "Value") ?? "" } : null);

function readTransition(node, days) {
  return {
    storageClass: textOf(node, "StorageClass") ?? "",
    when: days === "Days" ? readWhen(node) : { days: numberOf(node, days) },
    extra: Object.fromEntries(EXTRAS.map((name) => [name, textOf(node, name)]).filter(([, text]) => text !== null)),
  };
}

/** @param {Element|null} root LifecycleConfiguration @returns {LifecycleRule[]} */
export function readLifecycle(root) {
  return all(root, "Rule").map((rule) => {
    const expiration = first(rule, "Expiration");
    const markers = flagOf(expiration, "ExpiredObjectDeleteMarker") ?? false;
    const filter = first(rule, "Filter");
    return {
      id: textOf(rule, "ID") ?? "",
      enabled: textOf(rule, "Status") === "Enabled",
      prefix: textOf(rule, "Prefix") ?? "",
      tags: all(rule, "Tag").map(readTag),
      above: numberOf(filter, "ObjectSizeGreaterThan"),
      below: numberOf(filter, "ObjectSizeLessThan"),
      nots: all(filter, "Not").map((out) => ({ prefix: textOf(out, "Prefix") ?? "", tag: readTag(first(out, "Tag")) })),
      expire: markers ? null : readWhen(expiration),
      markers,
      transitions: all(rule, "Transition").map((node) => readTransition(node, "Days")),
      abort: readWhen(first(rule, "AbortMultipartUpload")),
      oldDays: numberOf(first(rule, "NoncurrentVersionExpiration"), "NoncurrentDays"),
      oldTransitions: all(rule, "NoncurrentVersionTransition").map((node) => readTransition(node, "NoncurrentDays")),
      atimeBase: textOf(rule, "AtimeBase"),
    };
  });
}

const whenXml = (when) => [
  element("Days", when.days),
  element("CreatedBeforeDate", midnight(when.before)),
  element("Date", midnight(when.date)),
];
const tagXml = (tag) => tag && element("Tag", [element("Key", tag.key), element("Value", tag.value)]);
const extraXml = (extra) => EXTRAS.map((name) => element(name, extra[name]));

function filterXml(rule) {
  if (rule.above === null && rule.below === null && !rule.nots.length) return "";
  return element("Filter", [
    element("ObjectSizeGreaterThan", rule.above),
    element("ObjectSizeLessThan", rule.below),
    ...rule.nots.map((out) => element("Not", [element("Prefix", out.prefix), tagXml(out.tag)])),
  ]);
}

function transitionXml(name, one) {
  const time = name === "Transition" ? whenXml(one.when) : [element("NoncurrentDays", one.when.days)];
  return element(name, [...time, element("StorageClass", one.storageClass), ...extraXml(one.extra)]);
}

function ruleXml(rule) {
  return element("Rule", [
    element("ID", rule.id || null),
    element("Prefix", rule.prefix),
    ...rule.tags.map(tagXml),
    filterXml(rule),
    element("Status", rule.enabled ? "Enabled" : "Disabled"),
    rule.markers && element("Expiration", [element("ExpiredObjectDeleteMarker", true)]),
    rule.expire && element("Expiration", whenXml(rule.expire)),
    ...rule.transitions.map((one) => transitionXml("Transition", one)),
    rule.abort && element("AbortMultipartUpload", whenXml(rule.abort)),
    rule.oldDays !== null && element("NoncurrentVersionExpiration", [element("NoncurrentDays", rule.oldDays)]),
    ...rule.oldTransitions.map((one) => transitionXml("NoncurrentVersionTransition", one)),
    element("AtimeBase", rule.atimeBase),
  ]);
}

/** @param {LifecycleRule[]} rules @returns {string} */
export const lifecycleXml = (rules) => documentOf(element("LifecycleConfiguration", rules.map(ruleXml)));

/** Whether the rule does anything. @param {LifecycleRule} rule */
export const hasAction = (rule) =>
  Boolean(rule.expire || rule.markers || rule.transitions.length || rule.abort || rule.oldDays || rule.oldTransitions.length);

const clearsAll = (rule) => !rule.prefix && !rule.tags.length && !rule.nots.length;

/**
 * How unfinished uploads are cleared away: by a rule for the whole bucket, by rules for some of it, or never.
 * @param {LifecycleRule[]} rules @returns {"all"|"some"|"never"}
 */
export function clearing(rules) {
  const aborting = rules.filter((rule) => rule.enabled && rule.abort);
  if (aborting.some(clearsAll)) return "all";
  return aborting.length ? "some" : "never";
}

function actionsOf(rule) {
  return [
    rule.expire && "Expiration",
    rule.markers && "ExpiredObjectDeleteMarker",
    rule.abort && "AbortMultipartUpload",
    rule.oldDays && "NoncurrentVersionExpiration",
    ...rule.transitions.map((one) => `Transition ${one.storageClass}`),
    ...rule.oldTransitions.map((one) => `NoncurrentVersionTransition ${one.storageClass}`),
  ].filter(Boolean);
}

const tagsText = (rule) => JSON.stringify(rule.tags.map((tag) => [tag.key, tag.value]).sort());

/**
 * Whether two rules do the same to the same keys, which the server takes only when it is told that this is meant.
 * @param {LifecycleRule[]} rules
 */
export function overlap(rules) {
  const plain = rules.filter((rule) => rule.above === null && rule.below === null && !rule.nots.length);
  return plain.some((one, at) =>
    plain
      .slice(at + 1)
      .some(
        (other) =>
          tagsText(one) === tagsText(other) &&
          (one.prefix.startsWith(other.prefix) || other.prefix.startsWith(one.prefix)) &&
          actionsOf(one).some((action) => actionsOf(other).includes(action)),
      ),
  );
}
