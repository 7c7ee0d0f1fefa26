/** A lifecycle rule in words: what it is about, and what it will do when. */
import { bytes } from "../../ui/format.js";
import { intl, t } from "../../ui/i18n.js";

const dayText = (day) => intl("DateTimeFormat", { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${day}T00:00:00Z`));
const listed = (texts, type = "conjunction") => intl("ListFormat", { type }).format(texts);
const quoted = (text) => t("lifecycle.tell.quoted", { text });
const tagText = (tag) => quoted(tag.value ? `${tag.key}=${tag.value}` : tag.key);

/** When: "30 days after …", "created before 1 May 2026". */
function whenText(when, since) {
  if (typeof when?.days === "number") return t(`lifecycle.tell.days.${since}`, { n: when.days });
  if (when?.before) return t("lifecycle.tell.before", { day: dayText(when.before) });
  if (when?.date) return t("lifecycle.tell.date", { day: dayText(when.date) });
  return t("lifecycle.tell.someday");
}

/** What the rule is about. @param {import("./lifecycle-model.js").LifecycleRule} rule */
export function scopeText(rule) {
  const pieces = [rule.prefix ? t("lifecycle.tell.prefix", { prefix: quoted(rule.prefix) }) : t("lifecycle.tell.everything")];
  if (rule.tags.length) pieces.push(t("lifecycle.tell.tags", { tags: listed(rule.tags.map(tagText)), n: rule.tags.length }));
  if (rule.above !== null) pieces.push(t("lifecycle.tell.above", { size: bytes(rule.above) }));
  if (rule.below !== null) pieces.push(t("lifecycle.tell.below", { size: bytes(rule.below) }));
  if (rule.nots.length) pieces.push(t("lifecycle.tell.nots", { what: listed(rule.nots.map(notText), "disjunction") }));
  return pieces.join(t("lifecycle.tell.comma"));
}

function notText({ prefix, tag }) {
  if (!tag) return quoted(prefix);
  return t("lifecycle.tell.notTagged", { prefix: quoted(prefix), tag: tagText(tag) });
}

/**
 * One sentence for each thing that the rule does.
 * @param {import("./lifecycle-model.js").LifecycleRule} rule
 * @param {string} versioning "", "Enabled" or "Suspended": in a versioned bucket nothing is gone at once
 * @returns {{icon: string, text: string, kind: string}[]}
 */
export function sentences(rule, versioning) {
  const found = rule.transitions.map((one) => ({
    icon: "archive",
    kind: "plain",
    text: t("lifecycle.tell.moves", { when: whenText(one.when, "object"), to: t(`settings.class.${one.storageClass}`) }),
  }));
  if (rule.expire) {
    const key = versioning ? "lifecycle.tell.expiresVersioned" : "lifecycle.tell.expires";
    found.push({ icon: "trash", kind: "strong", text: t(key, { when: whenText(rule.expire, "object") }) });
  }
  for (const one of rule.oldTransitions) {
    found.push({
      icon: "archive",
      kind: "plain",
      text: t("lifecycle.tell.oldMoves", { n: one.when.days ?? 0, to: t(`settings.class.${one.storageClass}`) }),
    });
  }
  if (rule.oldDays !== null) found.push({ icon: "trash", kind: "strong", text: t("lifecycle.tell.oldExpires", { n: rule.oldDays }) });
  if (rule.markers) found.push({ icon: "trash", kind: "plain", text: t("lifecycle.tell.markers") });
  if (rule.abort) found.push({ icon: "stop", kind: "plain", text: t("lifecycle.tell.aborts", { when: whenText(rule.abort, "upload") }) });
  return found;
}
