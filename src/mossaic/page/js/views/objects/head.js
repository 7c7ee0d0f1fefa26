/** The top of the Objects view: where one is, what to look for, what can be made here. */

import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { button, pageHead } from "../../ui/parts.js";
import { link } from "../../ui/router.js";
import { crumbs, folderPath, uploadPath } from "./keys.js";
import { nameNode } from "./name.js";

const TYPING_MS = 250; // while somebody types, nothing is asked

/** Where one is, and what can be made here. @param {{bucket: string, prefix: string, onFolder: () => void}} of */
export function head({ bucket, prefix, onFolder }) {
  const { folders, rest } = crumbs(prefix);
  const way = [{ name: bucket, prefix: "" }, ...folders, ...(rest ? [{ name: rest, prefix }] : [])];
  const here = way.pop();
  const make = [
    button(t("objects.folder.new"), { icon: "folder-plus", onclick: onFolder }),
    h("a.button.is-primary", { href: link(uploadPath(bucket, prefix)) }, icon("upload"), h("span.button-label", t("objects.upload"))),
  ];
  return pageHead({ title: label(here), crumbs: way.map((one) => ({ label: label(one), path: folderPath(bucket, one.prefix) })), actions: make });
}

const label = (one) => (one.name === "" ? h("span.muted", t("objects.noName")) : nameNode(one.name));

/**
 * @param {{search: any, flat: any, versions: any, versioning: any, onSearch: (text: string) => void, onFlat: (on: boolean) => void,
 *   onVersions: (on: boolean) => void, onRefresh: () => void}} of  search, flat, versions, versioning: Lives
 */
export function toolbar(of) {
  const known = derived((status) => (status === "" || status === undefined ? null : pressed("objects.versions", "versions", of.versions, of.onVersions)), of.versioning);
  return h(
    "div.toolbar",
    searchField(of.search.value, of.onSearch),
    pressed("objects.flat", "list", of.flat, of.onFlat),
    h("span.objects-versions", known),
    button(t("objects.refresh"), { icon: "refresh", iconOnly: true, kind: "ghost", onclick: of.onRefresh }),
  );
}

function searchField(text, onSearch) {
  let timer;
  const now = () => {
    clearTimeout(timer);
    onSearch(input.value);
  };
  const input = h("input.input", {
    type: "search",
    value: text,
    placeholder: t("objects.search.hint"),
    "aria-label": t("objects.search.label"),
    spellcheck: "false",
    autocapitalize: "off",
    autocomplete: "off",
    oninput: () => {
      clearTimeout(timer);
      timer = setTimeout(now, TYPING_MS);
    },
    onkeydown: (event) => event.key === "Enter" && now(),
  });
  return h("div.input-group.is-grow", icon("search"), input);
}

function pressed(name, picture, on, set) {
  return h("button.button.is-plain.is-press", { type: "button", "aria-pressed": derived(String, on), onclick: () => set(!on.value) }, icon(picture), h("span.button-label", t(name)));
}
