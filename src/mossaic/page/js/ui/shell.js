/** The frame around the views: where one can go, who one is, how long that lasts, and what is being sent. */

import { bind, h, replace } from "./dom.js";
import { LANGUAGES, lang, setLang, t } from "./i18n.js";
import { icon, logo } from "./icons.js";
import { menuButton } from "./menu.js";
import { link, params, path, pathOf, refresh, startRouter, stopRouter } from "./router.js";
import { empty, pageHead } from "./parts.js";
import { accountButton, sessionBanner } from "./session-view.js";
import { shortcut, showShortcuts } from "./shortcuts.js";

const tabs = [];
const docks = [];

/**
 * A place within a bucket, shown in the navigation.
 * @param {{id: string, label: string, path: string, icon: string, order: number, match?: string[], badge?: (bucket: string) => any}} tab
 *   `label` is a key of `t`; `path` a pattern with :bucket ("/b/:bucket/objects/"); `match` names further first segments that belong to it ("object")
 */
export function registerTab(tab) {
  tabs.push(tab);
  tabs.sort((a, b) => a.order - b.order);
}

/**
 * Something that stays in sight on every route.
 * @param {HTMLElement | (() => HTMLElement)} node  a function is called again after a change of language
 */
export function registerDock(node) {
  docks.push(node);
}

/**
 * @param {HTMLElement} host
 * @param {{session: any, uploads?: any}} context
 * @returns {() => void}  takes the shell away
 */
export function startShell(host, { session, uploads }) {
  const ending = new AbortController();
  const { signal } = ending;
  const outlet = h("main.main", { id: "main" });
  const frame = h("div.shell");
  host.replaceChildren(frame);
  const draw = () => drawFrame(frame, outlet, { session, uploads });
  draw();
  lang.watch(() => (draw(), refresh()), { signal, now: false });
  shortcut("?", () => t("ui.keys.list"), showShortcuts, { signal });
  shortcut("b", () => t("ui.keys.buckets"), () => (location.hash = "/"), { signal });
  shortcut("t", () => t("ui.keys.transfers"), () => (location.hash = "/transfers"), { signal });
  shortcut("o", () => t("ui.keys.objects"), () => toTab("objects"), { signal });
  shortcut("u", () => t("ui.keys.upload"), () => toTab("upload"), { signal });
  shortcut("/", () => t("ui.keys.search"), () => outlet.querySelector("input[type=search]")?.focus(), { signal });
  startRouter(outlet, { unknown: (_, at) => replace(at, pageHead({ title: t("ui.noPage") }), empty({ icon: "search", title: t("ui.noPageTitle"), text: t("ui.noPageText"), actions: h("a.button.is-primary", { href: link("/") }, t("ui.toBuckets")) })) });
  return () => {
    ending.abort();
    stopRouter();
    frame.remove();
  };
}

/** Of the bucket that one is in; elsewhere the key does nothing. */
function toTab(id) {
  const tab = tabs.find((one) => one.id === id);
  if (tab && params.value.bucket) location.hash = pathOf(tab.path, { bucket: params.value.bucket });
}

function drawFrame(frame, outlet, { session, uploads }) {
  replace(
    frame,
    h("a.skip-link", { href: "#main", onclick: (event) => skip(event, outlet) }, t("ui.skip")),
    h("header.top", h("a.brand", { href: link("/"), "aria-label": t("ui.home") }, logo(), h("span.brand-name", "Mossaic"))),
    navigation(),
    h("section.tools", { "aria-label": t("ui.tools") }, languageButton(), themeButton(), accountButton({ session, uploads })),
    h("div.content", sessionBanner({ session }), outlet),
    h("aside.dock", { "aria-label": t("ui.dock") }, docks.map((dock) => (typeof dock === "function" ? dock() : dock))),
  );
}

function skip(event, outlet) {
  event.preventDefault(); // the hash belongs to the router
  outlet.tabIndex = -1;
  outlet.focus();
}

function navigation() {
  const nav = h("nav.nav", { "aria-label": t("ui.nav") });
  bind(nav, path, (at) => replace(nav, ...navLinks(at, params.value.bucket)));
  bind(nav, params, ({ bucket }) => replace(nav, ...navLinks(path.value, bucket))); // at first only these are news
  // On a phone the row scrolls; the place one is at comes into sight.
  bind(nav, path, () => queueMicrotask(() => nav.querySelector("[aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "nearest" })));
  return nav;
}

function navLinks(at, bucket) {
  return [
    h("div.nav-group", navLink({ to: "/", name: "bucket", words: t("ui.buckets"), current: at === "/" }), navLink({ to: "/transfers", name: "transfers", words: t("ui.transfers"), current: at === "/transfers" })),
    bucket && tabs.length ? h("div.nav-group.is-bucket", h("div.nav-heading", { title: bucket }, icon("bucket"), h("span", bucket)), tabs.map((tab) => tabLink(tab, at, bucket))) : null,
  ].filter(Boolean);
}

function tabLink(tab, at, bucket) {
  const segment = at.split("/")[3];
  const own = [tab.path.split("/")[3], ...(tab.match ?? [])];
  return navLink({ to: pathOf(tab.path, { bucket }), name: tab.icon, words: t(tab.label), current: own.includes(segment), extra: tab.badge?.(bucket) });
}

function navLink({ to, name, words, current, extra }) {
  return h("a.nav-link", { href: link(to), "aria-current": current ? "page" : null }, icon(name), h("span", words), extra ?? null);
}

export function languageButton() {
  const items = () => Object.entries(LANGUAGES).map(([tag, label]) => ({ label, checked: lang.value === tag, run: () => setLang(tag) }));
  return menuButton(t("ui.language"), items, { icon: "globe", iconOnly: true, kind: "ghost" });
}

export function themeButton() {
  const theme = window.mossaicTheme;
  const drawing = () => icon(document.documentElement.dataset.theme === "dark" ? "moon" : "sun");
  const choose = (name) => {
    theme.choose(name);
    button.replaceChildren(drawing());
  };
  const items = () => ["auto", "light", "dark"].map((name) => ({ label: t(`ui.theme.${name}`), checked: theme.chosen === name, run: () => choose(name) }));
  const button = menuButton(t("ui.theme.name"), items, { iconOnly: true, kind: "ghost" });
  button.replaceChildren(drawing());
  return button;
}
