/** Tags of the bucket, as names and values. */
import { h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { keyValueEditor } from "../../ui/key-values.js";
import { readTags, writeTags } from "./calls.js";
import { draftOf } from "./draft.js";
import { saveBar, sectionHead } from "./parts.js";

const MAX_TAGS = 20;
const MAX_KEY_BYTES = 64;
const MAX_VALUE_BYTES = 128;
const RESERVED = ["http://", "https://", "aliyun"];

const size = (text) => new TextEncoder().encode(text).length;

function fault(key, value) {
  if (size(key) > MAX_KEY_BYTES) return t("settings.tags.keyLong", { name: key, max: MAX_KEY_BYTES });
  if (size(value) > MAX_VALUE_BYTES) return t("settings.tags.valueLong", { name: key, max: MAX_VALUE_BYTES });
  const reserved = RESERVED.find((one) => key.toLowerCase().startsWith(one));
  return reserved ? t("settings.tags.reserved", { start: reserved }) : undefined;
}

const pairsOf = (tags) => Object.fromEntries(tags.map((tag) => [tag.key, tag.value]));
const tagsOf = (pairs) => Object.entries(pairs).map(([key, value]) => ({ key, value }));
// Sorted: the order of tags means nothing, and a record keeps none that a person would call the order.
const textOf = (tags) => JSON.stringify(tags.map((tag) => [tag.key, tag.value]).sort());

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function tags(bucket, place, signal) {
  const draft = draftOf(bucket, "tags", {
    read: () => readTags(bucket),
    write: (value) => writeTags(bucket, value),
    text: textOf,
  });
  await draft.load();
  if (signal.aborted) return;
  const paint = () => {
    const editor = keyValueEditor({
      label: t("settings.tags.name"),
      pairs: pairsOf(draft.value.value),
      keyLabel: t("settings.tags.key"),
      valueLabel: t("settings.tags.value"),
      hint: t("settings.tags.hint", { max: MAX_TAGS }),
      max: MAX_TAGS,
      validate: fault,
      onchange: () => draft.set(tagsOf(editor.value)),
    });
    replace(
      place,
      sectionHead(t("settings.tags.name"), t("settings.tags.lead")),
      draft.value.value.length ? null : h("p.settings-none.is-faint", t("settings.tags.none")),
      h("section.card", h("div.card-body", editor.node)),
      saveBar(draft, { ready: () => editor.check(), saved: t("settings.tags.saved"), repaint: paint }),
    );
  };
  paint();
}
