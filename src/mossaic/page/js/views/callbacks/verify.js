/** A ready program that verifies this very callback, in the language one works in. */
import { h, replace } from "../../ui/dom.js";
import { segmented } from "../../ui/form.js";
import { rich, t } from "../../ui/i18n.js";
import { codeBlock } from "../../ui/problem-view.js";
import { evidenceOf, originOf } from "./record.js";
import { LANGUAGES } from "./snippets/index.js";

const KEPT = "mossaic.snippets";
let chosen = read();

function read() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

function keep(id) {
  chosen = id;
  try {
    localStorage.setItem(KEPT, id);
  } catch {
    // it then holds for this visit
  }
}

/**
 * @param {import("./record.js").CallbackRecord} record
 * @param {import("./record.js").Try} one
 */
export function verifyPanel(record, one) {
  const place = h("div.callback-snippet");
  const paint = (id) => {
    const language = LANGUAGES.find((each) => each.id === id) ?? LANGUAGES[0];
    replace(
      place,
      codeBlock(language.write(evidenceOf(record, one)), t("callbacks.copySnippet", { language: language.name })),
      h(
        "p.callback-small",
        rich("callbacks.snippetFile", { file: h("span.mono", language.file) }),
        language.id === "php" ? ` ${t("callbacks.notRun")}` : null,
      ),
    );
  };
  const first = LANGUAGES.some((one) => one.id === chosen) ? chosen : LANGUAGES[0].id;
  const pick = segmented({
    label: t("callbacks.language"),
    hideLabel: true,
    value: first,
    options: LANGUAGES.map(({ id, name }) => ({ value: id, label: name })),
    onchange: (id) => (keep(id), paint(id)),
  });
  paint(first);
  return h(
    "section.callback-part",
    h("h2.callback-part-title", t("callbacks.verify")),
    h("p.callback-small", t("callbacks.verifyLead")),
    h(
      "ol.callback-steps",
      [1, 2, 3].map((at) => h("li", t(`callbacks.verifyStep.${at}`, { origin: originOf(record.pub_key_url) }))),
    ),
    pick.node,
    place,
  );
}
