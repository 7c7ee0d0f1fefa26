/** The list: one line a callback, opened in place. */
import { api } from "../../core/api.js";
import { busy } from "../../ui/dialog.js";
import { freshId, h, replace } from "../../ui/dom.js";
import { ago, dateTime } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { badge, button, empty, pageHead, skeleton } from "../../ui/parts.js";
import { codeBlock } from "../../ui/problem-view.js";
import { link, pathOf } from "../../ui/router.js";
import { nameNode } from "../objects/name.js";
import { detail } from "./detail.js";
import { lastOf } from "./record.js";

const LIMIT = 50;

const EXAMPLE = `client.multipartUpload("photos/1.jpg", file, {
  callback: {
    url: "https://app.example.com/uploaded",
    body: "bucket=\${bucket}&object=\${object}&size=\${size}&order=\${x:order}",
    contentType: "application/x-www-form-urlencoded",
    customValue: { order: "4711" },
  },
});
`;

/** @param {{bucket: string}} params @param {HTMLElement} outlet @param {{signal: AbortSignal}} more */
export async function show({ bucket }, outlet, { signal }) {
  const place = h("div.callbacks", skeleton());
  const open = new Set(); // ids that are open stay so when the list is read again
  const again = button(t("callbacks.refresh"), { icon: "refresh", onclick: () => refresh() });
  const load = async () => {
    const { callbacks } = await api.get("callbacks", { bucket, limit: LIMIT }, { signal });
    if (signal.aborted) return;
    replace(place, callbacks.length ? listOf(callbacks, open, load) : nothing(bucket));
  };
  const refresh = async () => {
    busy(again, true);
    try {
      await load();
    } finally {
      busy(again, false);
    }
  };
  replace(outlet, pageHead({ title: t("callbacks.tab"), sub: t("callbacks.lead"), actions: again }), place);
  await load();
}

function nothing(bucket) {
  return [
    empty({
      icon: "callback",
      title: t("callbacks.none.title"),
      text: t("callbacks.none.text"),
      actions: h(
        "a.button.is-primary",
        { href: link(pathOf("/b/:bucket/upload/", { bucket })) },
        icon("upload"),
        t("callbacks.none.upload"),
      ),
    }),
    h("section.card", h("div.card-body", h("p.callback-small", t("callbacks.none.example")), codeBlock(EXAMPLE))),
  ];
}

const listOf = (records, open, load) =>
  h(
    "ol.callback-list",
    records.map((record) => row(record, open, load)),
  );

/** Its sign: taken, refused, or no answer. @param {import("./record.js").CallbackRecord} record */
export function verdict(record) {
  const last = lastOf(record);
  if (record.ok) return badge(String(last.status), "good");
  if (!last) return badge(t("callbacks.notSent"), "bad");
  return badge(last.status === null ? t("callbacks.noAnswer") : t("callbacks.badAnswer", { status: String(last.status) }), "bad");
}

const hostOf = (url) => /^[a-z]+:\/\/([^/?#]*)/i.exec(url)?.[1] ?? url;

function row(record, open, load) {
  const body = h("div.callback-body", { id: freshId("callback"), hidden: true });
  const at = new Date(record.at);
  const ms = record.tries.reduce((sum, one) => sum + one.ms, 0);
  const flip = (on) => {
    head.setAttribute("aria-expanded", String(on));
    body.hidden = !on;
    if (on) open.add(record.id);
    else open.delete(record.id);
    replace(body, on ? detail(record, { reload: load }) : null);
  };
  const head = h(
    "button.callback-head",
    { type: "button", "aria-expanded": "false", "aria-controls": body.id, onclick: () => flip(body.hidden) },
    icon("chevron-right"),
    h("span.callback-verdict", verdict(record)),
    h(
      "span.callback-what",
      h("span.callback-key", nameNode(record.key)),
      h(
        "span.callback-to",
        `→ ${hostOf(record.url)}`,
        record.replay_of ? h("span.badge", t("callbacks.replayed")) : null,
        record.tries.length > 1 ? h("span.badge", t("callbacks.tries", { n: record.tries.length })) : null,
      ),
    ),
    h("span.callback-ms", t("callbacks.ms", { n: number(Math.round(ms)) })),
    h("time.callback-at", { datetime: record.at, title: dateTime(at) }, ago(at)),
  );
  if (open.has(record.id)) flip(true);
  return h("li.card.callback", { dataset: { id: record.id } }, head, body);
}
