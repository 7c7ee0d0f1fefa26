/** Names of objects and folders on the page: what cannot be seen is drawn, and no name turns the text around it. */

import { h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { nameOf, readable } from "./keys.js";

/** A key, or a piece of one, as nodes. @param {string} text */
export function nameNode(text) {
  const pieces = readable(text).map((piece) => (piece.odd ? h("span.odd-char", { title: piece.code }, piece.text) : piece.text));
  return h("bdi.object-name", { translate: "no" }, pieces);
}

/** The last part of a key below a folder. @param {string} key @param {string} [folder] the prefix that need not be said again */
export function shortName(key, folder = "") {
  const rest = key.startsWith(folder) && key !== folder ? key.slice(folder.length) : nameOf(key);
  const name = rest.endsWith("/") ? rest.slice(0, -1) : rest; // the picture says that it is a folder
  return name === "" ? h("span.muted", t("objects.noName")) : nameNode(name);
}
