/** The ACL of the bucket: three choices, each with what it means for strangers. */
import { confirm } from "../../ui/dialog.js";
import { freshId, h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived } from "../../ui/live.js";
import { readAcl, writeAcl } from "./calls.js";
import { draftOf } from "./draft.js";
import { saveBar, sectionHead } from "./parts.js";

const CHOICES = [
  { id: "private", icon: "lock", kind: "good" },
  { id: "public-read", icon: "eye", kind: "warn" },
  { id: "public-read-write", icon: "warning", kind: "bad" },
];

function choice(draft, name, one) {
  const id = freshId("acl");
  const input = h("input", {
    type: "radio",
    name,
    id,
    value: one.id,
    checked: derived((value) => value === one.id, draft.value),
    "aria-describedby": `${id}-what`,
    onchange: () => draft.set(one.id),
  });
  const current = draft.base === one.id ? h("span.badge", t("settings.acl.current")) : null;
  return h(
    `label.acl-choice.is-${one.kind}`,
    { for: id },
    input,
    h("span.acl-icon", icon(one.icon)),
    h(
      "span.acl-text",
      h("span.acl-title", t(`settings.acl.title.${one.id}`), " ", h("span.mono.is-faint", one.id), " ", current),
      h(
        "span.acl-what",
        { id: `${id}-what` },
        [1, 2].map((at) => h("span", t(`settings.acl.what.${one.id}.${at}`))),
      ),
    ),
  );
}

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function acl(bucket, place, signal) {
  const draft = draftOf(bucket, "acl", {
    read: () => readAcl(bucket),
    write: (value) => writeAcl(bucket, value),
    text: String,
  });
  await draft.load();
  if (signal.aborted) return;
  const paint = () => {
    const name = freshId("acl-group");
    const bar = saveBar(draft, { ready: () => sure(draft, bucket), saved: t("settings.acl.saved"), repaint: paint });
    replace(
      place,
      sectionHead(t("settings.acl.name"), t("settings.acl.lead")),
      h(
        "fieldset.acl-choices",
        h("legend.visually-hidden", t("settings.acl.name")),
        CHOICES.map((one) => choice(draft, name, one)),
      ),
      h("p.settings-small.is-faint", t("settings.acl.note")),
      bar,
    );
  };
  paint();
}

/** Opening the bucket to strangers' writes is typed, not clicked. */
async function sure(draft, bucket) {
  if (draft.value.value !== "public-read-write") return true;
  return await confirm({
    title: t("settings.acl.sure.title"),
    what: [h("p", t("settings.acl.sure.what")), h("p", t("settings.acl.sure.more"))],
    label: t("settings.acl.sure.button"),
    danger: true,
    typed: bucket,
  });
}
