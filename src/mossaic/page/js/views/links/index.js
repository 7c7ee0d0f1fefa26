/** Upload-request links of a bucket: make one, see what came through each, revoke. */

import { api } from "../../core/api.js";
import { confirm } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { ago, bytes, shortDateTime } from "../../ui/format.js";
import { number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { live } from "../../ui/live.js";
import { badge, button, empty, pageHead, progressBar, skeleton } from "../../ui/parts.js";
import { link, pathOf, route } from "../../ui/router.js";
import { registerTab } from "../../ui/shell.js";
import { table } from "../../ui/table.js";
import { toast } from "../../ui/toast.js";
import { newLink } from "./new-link.js";
import "../../words/links.js";

const KINDS = { open: "good", full: "warn", expired: "plain", revoked: "plain" };
const ROUTE = "/b/:bucket/links";

export default function register() {
  route(ROUTE, view);
  registerTab({ id: "links", label: "links.tab", path: ROUTE, icon: "link", order: 60 });
}

async function view({ bucket }, outlet, { signal }) {
  const rows = live([]);
  const load = async () => rows.set((await api.get("requests", { bucket }, { signal })).requests);
  const create = async () => {
    if (await newLink(bucket)) await load();
  };
  const place = h("div.links", skeleton());
  const head = pageHead({ title: t("links.title"), sub: t("links.sub", { bucket }), actions: button(t("links.create"), { icon: "plus", kind: "primary", onclick: create }) });
  replace(outlet, head, place);
  await load();
  const nothing = () =>
    empty({ icon: "link", title: t("links.noneTitle"), text: t("links.noneText"), actions: button(t("links.create"), { icon: "plus", kind: "primary", onclick: create }) });
  const grid = table({ label: t("links.title"), rows, key: (row) => row.id, version: (row) => JSON.stringify(row), columns: columns(load), empty: nothing });
  replace(place, grid.node);
}

function columns(load) {
  return [
    { id: "name", label: t("links.name"), main: true, cell: nameCell, sort: titleOf },
    { id: "state", label: t("links.state"), cell: ({ state }) => badge(t(`links.states.${state}`), KINDS[state]), sort: ({ state }) => state },
    { id: "files", label: t("links.files"), cell: filesCell, sort: ({ used_objects: used }) => used },
    { id: "size", label: t("links.size"), cell: sizeCell, sort: ({ used_bytes: used }) => used },
    { id: "expires", label: t("links.expires"), cell: endCell, sort: ({ expires_at: at }) => at },
    { id: "actions", label: t("links.actionsHead"), hideLabel: true, align: "end", cell: (row) => actions(row, load) },
  ];
}

const titleOf = ({ title }) => title || t("links.untitled");

function nameCell(row) {
  const who = row.created_by === "account" ? t("links.account") : row.created_by;
  return h(
    "div.link-name",
    h("span.link-title", titleOf(row)),
    h("span.link-place", h("span.mono", row.prefix || t("links.wholeBucket")), " · ", t("links.by", { who }), " · ", h("time", { datetime: row.created_at }, ago(new Date(row.created_at)))),
  );
}

function filesCell(row) {
  return meter(row.used_objects, row.max_objects, number, t("links.filesBar", { title: titleOf(row) }));
}

function sizeCell(row) {
  const held = row.held_bytes ? h("span.link-held", t("links.held", { size: bytes(row.held_bytes) })) : null;
  return [meter(row.used_bytes + row.held_bytes, row.max_total_bytes, bytes, t("links.sizeBar", { title: titleOf(row) })), held];
}

function meter(used, max, words, label) {
  const share = max ? used / max : 1;
  return h("div.link-meter", h("span", t("links.of", { used: words(used), max: words(max) })), progressBar({ value: share, label, thin: true, kind: share >= 1 ? "warn" : "accent" }));
}

function endCell(row) {
  const at = new Date(row.revoked_at ?? row.expires_at);
  const over = row.state === "revoked" || row.state === "expired";
  return h("time", { datetime: at.toISOString(), title: shortDateTime(at) }, over ? t("links.ended", { when: ago(at) }) : ago(at));
}

function actions(row, load) {
  const title = titleOf(row);
  const browse = h("a.button.is-ghost.is-icon.is-small", { href: link(pathOf("/b/:bucket/objects/*prefix", { bucket: row.bucket, prefix: row.prefix })), "aria-label": t("links.browseNamed", { title }), title: t("links.browseNamed", { title }) }, icon("folder-open"));
  const revoke = async () => {
    const run = () => api.remove("requests", { id: row.id });
    const done = await confirm({ title: t("links.revokeTitle"), what: t("links.revokeWhat", { title }), label: t("links.revoke"), danger: true, run });
    if (!done) return;
    toast({ kind: "good", text: t("links.revoked") });
    await load();
  };
  const ends = row.state === "open" || row.state === "full";
  const end = ends ? h("button.button.is-plain.is-small", { type: "button", "aria-label": t("links.revokeNamed", { title }), onclick: revoke }, t("links.revoke")) : null;
  return h("div.link-actions", browse, end);
}
