/** What the bucket is, what lies in it, and which of its settings want attention; at the end, how to be rid of it. */
import { toProblem } from "../../core/problem.js";
import { h, replace } from "../../ui/dom.js";
import { bytes, dateTime, exactBytes } from "../../ui/format.js";
import { lang, number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { facts } from "../../ui/parts.js";
import { link, pathOf } from "../../ui/router.js";
import { copyButton, problemView } from "../../ui/problem-view.js";
import { countPartBytes, readCorsOf, readInfo, readIsPublic, readLifecycleOf, readPolicy, readStat, readTags } from "./calls.js";
import { remarksOf } from "./cors-model.js";
import { dangerZone } from "./danger.js";
import { clearing } from "./lifecycle-model.js";
import { panel } from "./parts.js";

const COUNT_UPLOADS = 200; // more than that are counted when one asks

const here = (bucket, section) => link(pathOf("/b/:bucket/settings/:section", { bucket, section }));
const copied = (text) => h("span.fact-copy", h("span.mono", text), copyButton(text));

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function overview(bucket, place, signal) {
  const [info, stat] = await Promise.all([readInfo(bucket, signal), readStat(bucket, signal)]);
  if (signal.aborted) return;
  const checks = h("ul.healths", { "aria-busy": "true" });
  replace(
    place,
    h("h2.visually-hidden", t("settings.overview.name")),
    usage(bucket, stat, signal),
    panel(t("settings.overview.checks"), checks),
    panel(t("settings.overview.about"), about(info)),
    dangerZone(bucket, stat, signal),
  );
  await fillChecks(bucket, info, checks, signal);
}

function about(info) {
  const base = `${location.origin}/${info.name}/`;
  return facts([
    [t("settings.overview.bucketName"), copied(info.name)],
    [t("settings.overview.location"), h("span.mono", info.location)],
    [t("settings.overview.endpoint"), copied(info.endpoint)],
    [t("settings.overview.address"), copied(base)],
    [t("settings.overview.created"), dateTime(info.createdAt)],
    [t("settings.overview.owner"), h("span.mono", info.owner)],
    [t("settings.overview.class"), `${t(`settings.class.${info.storageClass}`)} · ${info.redundancy}`],
  ]);
}

// --- usage ---------------------------------------------------------------------------------------

function figure(label, value, more, href) {
  const inner = [h("span.figure-label", label), h("span.figure-value", value), more ? h("span.figure-more", more) : null];
  return href ? h("a.figure", { href }, inner) : h("div.figure", inner);
}

function usage(bucket, stat, signal) {
  const objects = link(pathOf("/b/:bucket/objects/", { bucket }));
  const tasks = link(pathOf("/b/:bucket/tasks", { bucket }));
  const partBytes = h("span", { "aria-live": "polite" }, stat.uploads ? t("settings.overview.counting") : bytes(0));
  const shown = stat.classes.filter((one) => one.count > 0);
  const node = panel(
    t("settings.overview.usage"),
    h(
      "div.figures",
      figure(t("settings.overview.stored"), h("span", { title: exactBytes(stat.bytes) }, bytes(stat.bytes))),
      figure(
        t("settings.overview.objects"),
        number(stat.objects),
        stat.markers ? t("settings.overview.markers", { n: stat.markers }) : null,
        objects,
      ),
      figure(t("settings.overview.uploads"), number(stat.uploads), t("settings.overview.parts", { n: stat.parts }), tasks),
      figure(t("settings.overview.partBytes"), partBytes, t("settings.overview.partBytesMore")),
    ),
    shown.length > 1 ? classBar(shown, stat.bytes) : null,
    h("p.is-faint.settings-small", t("settings.overview.changed", { at: dateTime(stat.changedAt) })),
  );
  if (stat.uploads) countParts(bucket, stat, partBytes, signal);
  return node;
}

async function countParts(bucket, stat, place, signal, limit = COUNT_UPLOADS) {
  try {
    const found = await countPartBytes(bucket, { limit, signal });
    if (signal.aborted) return;
    const all = () => (replace(place, t("settings.overview.counting")), countParts(bucket, stat, place, signal, Infinity));
    replace(
      place,
      h("span", { title: exactBytes(found.bytes) }, `${found.complete ? "" : "≥ "}${bytes(found.bytes)}`),
      found.complete ? null : h("button.button.is-small.is-ghost", { type: "button", onclick: all }, t("settings.overview.countAll")),
    );
  } catch (error) {
    if (!signal.aborted) replace(place, h("span.is-faint", { title: toProblem(error).message }, t("settings.overview.unknown")));
  }
}

function classBar(classes, total) {
  return h(
    "div.class-bar-box",
    h(
      "div.class-bar",
      { "aria-hidden": "true" },
      classes.map((one) =>
        h(`span.class-part.is-${one.name}`, { style: { "flex-grow": String(total ? Math.max(one.bytes / total, 0.01) : 1) } }),
      ),
    ),
    h(
      "ul.class-legend",
      classes.map((one) =>
        h(
          "li",
          h(`span.class-dot.is-${one.name}`, { "aria-hidden": "true" }),
          t(`settings.class.${one.name}`),
          h("span.is-faint", `${bytes(one.bytes)} · ${t("settings.overview.count", { n: one.count })}`),
        ),
      ),
    ),
  );
}

// --- what wants attention ------------------------------------------------------------------------

function check(kind, title, what, href) {
  const sign = { good: "check-circle", info: "info", warn: "warning", bad: "warning" }[kind];
  return h(
    `li.health.is-${kind}`,
    h("span.health-icon", icon(sign)),
    h("span.health-text", h("a.health-title", { href }, title), h("span.health-what", what)),
  );
}

/** Each line by itself: somebody who may not read one document still sees the others. */
async function fillChecks(bucket, info, list, signal) {
  const lines = [corsLine, lifecycleLine, versioningLine, policyLine, aclLine, tagsLine].map(async (line) => {
    try {
      return await line(bucket, info, signal);
    } catch (error) {
      const problem = toProblem(error);
      return problem.kind === "denied" ? null : h("li.health", problemView(problem, { compact: true }));
    }
  });
  const found = await Promise.all(lines);
  if (signal.aborted) return;
  list.removeAttribute("aria-busy");
  replace(list, found.filter(Boolean));
}

/** Chinese has no blank between sentences. */
const sentences = (...texts) => texts.filter(Boolean).join(lang.value === "zh" ? "" : " ");

async function corsLine(bucket, info, signal) {
  const { rules } = await readCorsOf(bucket, signal);
  const name = t("settings.cors.name");
  const href = here(bucket, "cors");
  if (!rules.length) return check("info", name, t("settings.check.corsNone"), href);
  const doubtful = rules.some((rule) => remarksOf(rule).some((one) => one.level !== "info"));
  const words = [t("settings.check.rules", { n: rules.length }), doubtful ? t("settings.check.corsDoubt") : null];
  return check(doubtful ? "warn" : "good", name, sentences(...words), href);
}

async function lifecycleLine(bucket, info, signal) {
  const rules = await readLifecycleOf(bucket, signal);
  const state = clearing(rules);
  const count = rules.length ? t("settings.check.rules", { n: rules.length }) : t("settings.check.lifecycleNone");
  const sign = state === "all" ? "good" : "warn";
  return check(sign, t("settings.lifecycle.name"), sentences(count, t(`settings.check.stale.${state}`)), here(bucket, "lifecycle"));
}

async function versioningLine(bucket, info) {
  const state = info.versioning || "Unset";
  return check(
    state === "Enabled" ? "good" : "info",
    t("settings.versioning.name"),
    t(`settings.check.versioning.${state}`),
    here(bucket, "versioning"),
  );
}

async function policyLine(bucket, info, signal) {
  const text = await readPolicy(bucket, signal);
  const isPublic = text ? await readIsPublic(bucket, signal) : false;
  const state = !text ? "none" : isPublic ? "public" : "closed";
  return check(
    isPublic ? "warn" : text ? "good" : "info",
    t("settings.policy.name"),
    t(`settings.check.policy.${state}`),
    here(bucket, "policy"),
  );
}

async function aclLine(bucket, info) {
  const sign = { private: "good", "public-read": "warn", "public-read-write": "bad" }[info.acl] ?? "info";
  return check(sign, t("settings.acl.name"), t(`settings.acl.short.${info.acl}`), here(bucket, "acl"));
}

async function tagsLine(bucket, info, signal) {
  const found = await readTags(bucket, signal);
  const what = found.length
    ? found.map((tag) => (tag.value ? `${tag.key}=${tag.value}` : tag.key)).join(", ")
    : t("settings.check.tagsNone");
  return check("info", t("settings.tags.name"), what, here(bucket, "tags"));
}
