/** The settings of a bucket: routes, the tab, and the frame around the sections. */
import { h, replace } from "../../ui/dom.js";
import { addWords, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { pageHead, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { go, link, pathOf, refresh, route } from "../../ui/router.js";
import { registerTab } from "../../ui/shell.js";
import { corsWords } from "../../words/settings-cors.js";
import { lifecycleWords } from "../../words/settings-lifecycle.js";
import { policyWords } from "../../words/settings-policy.js";
import { settingsWords } from "../../words/settings.js";
import { acl } from "./acl.js";
import { cors } from "./cors.js";
import { guardDrafts, isAnyDirty, isDirty, unsaved } from "./draft.js";
import { lifecycle } from "./lifecycle.js";
import { overview } from "./overview.js";
import { policy } from "./policy.js";
import { tags } from "./tags.js";
import { versioning } from "./versioning.js";

/** @type {{id: string, icon: string, view: (bucket: string, place: HTMLElement, signal: AbortSignal) => Promise<void>}[]} */
const SECTIONS = [
  { id: "overview", icon: "info", view: overview },
  { id: "cors", icon: "globe", view: cors },
  { id: "lifecycle", icon: "clock", view: lifecycle },
  { id: "versioning", icon: "versions", view: versioning },
  { id: "policy", icon: "shield", view: policy },
  { id: "acl", icon: "lock", view: acl },
  { id: "tags", icon: "tag", view: tags },
];

/** Where a section is. @param {string} bucket @param {string} [section] */
export const settingsPath = (bucket, section = "overview") =>
  section === "overview" ? pathOf("/b/:bucket/settings", { bucket }) : pathOf("/b/:bucket/settings/:section", { bucket, section });

function sectionLink(bucket, section, current) {
  const mark = derived(
    () =>
      isDirty(bucket, section.id)
        ? h("span.settings-mark", { title: t("settings.unsaved") }, h("span.visually-hidden", t("settings.unsaved")))
        : null,
    unsaved,
  );
  return h(
    "a.tab",
    { href: link(settingsPath(bucket, section.id)), "aria-current": section.id === current ? "page" : null },
    icon(section.icon),
    h("span", t(`settings.${section.id}.name`)),
    mark,
  );
}

async function show({ bucket, section = "overview" }, outlet, { signal }) {
  const found = SECTIONS.find((one) => one.id === section);
  if (!found) {
    go(settingsPath(bucket), { replace: true });
    return;
  }
  const place = h("div.settings-section", skeleton());
  const links = SECTIONS.map((one) => sectionLink(bucket, one, section));
  const nav = h("nav.tabs", { "aria-label": t("settings.sections") }, links);
  replace(outlet, pageHead({ title: t("settings.tab"), sub: h("span.mono", bucket) }), nav, place);
  nav.querySelector("[aria-current]").scrollIntoView({ block: "nearest", inline: "nearest" });
  try {
    await found.view(bucket, place, signal);
  } catch (error) {
    if (signal.aborted) return;
    replace(place, problemView(error, { retry: refresh }));
  }
}

export default function register() {
  addWords("settings", settingsWords);
  addWords("cors", corsWords);
  addWords("lifecycle", lifecycleWords);
  addWords("policy", policyWords);
  guardDrafts();
  route("/b/:bucket/settings", show);
  route("/b/:bucket/settings/:section", show);
  registerTab({
    id: "settings",
    label: "settings.tab",
    path: "/b/:bucket/settings",
    icon: "settings",
    order: 60,
    badge: (bucket) => derived(() => (isAnyDirty(bucket) ? h("span.settings-mark", { title: t("settings.unsaved") }) : null), unsaved),
  });
}
