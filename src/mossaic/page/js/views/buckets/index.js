/** The first view: all buckets, with what they hold where one may know it. */

import { toProblem } from "../../core/problem.js";
import { h, replace } from "../../ui/dom.js";
import { textField, validate } from "../../ui/form.js";
import { bytes, shortDateTime } from "../../ui/format.js";
import { has, number, t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived, live } from "../../ui/live.js";
import { menuButton } from "../../ui/menu.js";
import { badge, button, empty, notice, pageHead, skeleton } from "../../ui/parts.js";
import { go, link, pathOf, route } from "../../ui/router.js";
import { openDialog } from "../../ui/dialog.js";
import { shortcut } from "../../ui/shortcuts.js";
import { table } from "../../ui/table.js";
import { toast } from "../../ui/toast.js";
import { bucketAcl, bucketStat, listBuckets } from "./calls.js";
import { createDialog } from "./create-dialog.js";
import { deleteDialog } from "./delete-dialog.js";
import { whenSeen } from "./seen.js";
import "../../words/buckets.js";

const FILTER_FROM = 8; // below that the eye is quicker
const objectsOf = (bucket) => pathOf("/b/:bucket/objects/", { bucket });

export default function register({ session }) {
  route("/", (_, outlet, { signal }) => bucketsView(outlet, { session, signal }));
}

async function bucketsView(outlet, { session, signal }) {
  replace(outlet, pageHead({ title: t("buckets.title") }), skeleton());
  const state = { all: live([]), filter: live(""), next: live(""), signal };
  try {
    await loadPage(state);
  } catch (error) {
    if (signal.aborted) return;
    const problem = toProblem(error);
    if (problem.kind !== "denied") throw problem;
    replace(outlet, pageHead({ title: t("buckets.title") }), byName(problem));
    return;
  }
  if (signal.aborted) return;
  const again = async () => {
    state.all.set([]);
    state.next.set("");
    await loadPage(state);
  };
  const create = async () => {
    const name = await createDialog();
    if (!name) return;
    toast({ kind: "good", text: t("buckets.new.done", { name }), action: { label: t("buckets.browse"), run: () => go(objectsOf(name)) } });
    if (!signal.aborted) await again();
  };
  shortcut("n", () => t("buckets.create"), create, { signal });
  const sub = h("p.page-sub", derived((all) => (all.length ? t("buckets.sub", { n: all.length }) : "\u00a0"), state.all));
  const head = pageHead({ title: t("buckets.title"), actions: [button(t("buckets.open"), { icon: "search", onclick: openDialogByName }), button(t("buckets.create"), { icon: "plus", kind: "primary", onclick: create })] });
  head.querySelector(".page-head-text").append(sub);
  replace(outlet, head, originNotice(session), filterBar(state), bucketTable(state, { create, again, signal }));
}

async function loadPage(state) {
  const { buckets, next } = await listBuckets({ marker: state.next.value || undefined, signal: state.signal });
  state.all.update((all) => [...all, ...buckets]);
  state.next.set(next);
}

function originNotice(session) {
  const { endpoint } = session.live.value;
  if (new URL(endpoint).origin === location.origin) return null;
  return notice({ kind: "warn", text: t("buckets.cors", { endpoint, origin: location.origin }) });
}

function filterBar(state) {
  const input = h("input.input", { type: "search", placeholder: t("buckets.filter"), "aria-label": t("buckets.filter"), autocomplete: "off", spellcheck: "false", oninput: () => state.filter.set(input.value.trim().toLowerCase()) });
  return h("div.toolbar", { hidden: derived((all) => all.length < FILTER_FROM, state.all) }, h("div.input-group.is-grow.bucket-filter", icon("search"), input));
}

function bucketTable(state, { create, again, signal }) {
  const facts = new Map(); // bucket → {acl, stat}: Live, asked for when its row comes into sight
  const factsOf = (name) => {
    if (!facts.has(name)) facts.set(name, { acl: live(""), stat: live(null) });
    return facts.get(name);
  };
  const rows = derived((all, filter) => all.filter((bucket) => bucket.name.includes(filter)), state.all, state.filter);
  const grid = table({
    label: t("buckets.title"),
    rows,
    key: (bucket) => bucket.name,
    columns: columns({ factsOf, again, signal }),
    sort: { by: "name" },
    onOpen: (bucket) => go(objectsOf(bucket.name)),
    more: { has: derived(Boolean, state.next), load: () => loadPage(state) },
    empty: () =>
      state.filter.value
        ? empty({ icon: "search", title: t("buckets.noMatch", { text: state.filter.value }) })
        : empty({ icon: "bucket", title: t("buckets.noneTitle"), text: t("buckets.noneText"), actions: button(t("buckets.create"), { icon: "plus", kind: "primary", onclick: create }) }),
  });
  return grid.node;
}

function columns({ factsOf, again, signal }) {
  const nameCell = ({ name }) => {
    const node = h("a.bucket-name", { href: link(objectsOf(name)) }, icon("bucket"), h("span", name));
    whenSeen(node, () => askFacts(name, factsOf(name), signal));
    return node;
  };
  const stat = (name, read) => derived((is) => (is ? read(is) : "–"), factsOf(name).stat);
  return [
    { id: "name", label: t("buckets.name"), main: true, cell: nameCell, sort: (bucket) => bucket.name },
    { id: "acl", label: t("buckets.acl"), bare: true, cell: ({ name }) => derived(aclBadge, factsOf(name).acl) },
    { id: "objects", label: t("buckets.objects"), align: "end", cell: ({ name }) => stat(name, ({ objects }) => number(objects)) },
    { id: "size", label: t("buckets.size"), align: "end", cell: ({ name }) => stat(name, (is) => bytes(is.bytes)) },
    { id: "class", label: t("buckets.class"), show: "wide", cell: ({ storageClass }) => nameOf("classes", storageClass), sort: (bucket) => bucket.storageClass },
    { id: "region", label: t("buckets.region"), show: "wide", cell: ({ region }) => region },
    { id: "created", label: t("buckets.created"), show: "wide", cell: ({ created }) => h("time", { datetime: created.toISOString() }, shortDateTime(created)), sort: (bucket) => bucket.created.getTime() },
    { id: "actions", label: t("buckets.actionsHead"), hideLabel: true, align: "end", cell: ({ name }) => actions(name, again) },
  ];
}

const nameOf = (group, value) => (has(`buckets.${group}.${value}`) ? t(`buckets.${group}.${value}`) : value);

function aclBadge(acl) {
  if (!acl) return "–";
  return badge(nameOf("acls", acl), { private: "plain", "public-read": "info", "public-read-write": "warn" }[acl] ?? "plain");
}

/** A "–" stays where one may not know. */
async function askFacts(name, { acl, stat }, signal) {
  const quietly = (promise, into) => promise.then((value) => into.set(value)).catch(() => {});
  await Promise.all([quietly(bucketStat(name, { signal }), stat), quietly(bucketAcl(name, { signal }), acl)]);
}

function actions(name, again) {
  const remove = async () => {
    if (!(await deleteDialog(name))) return;
    toast({ kind: "good", text: t("buckets.del.done", { name }) });
    await again();
  };
  const items = [
    { label: t("buckets.browse"), icon: "folder-open", href: link(objectsOf(name)) },
    { label: t("buckets.settings"), icon: "settings", href: link(pathOf("/b/:bucket/settings", { bucket: name })) },
    "-",
    { label: t("buckets.delete"), icon: "trash", danger: true, run: remove },
  ];
  return menuButton(t("buckets.actions", { name }), items, { iconOnly: true, kind: "ghost", small: true });
}

function nameForm() {
  const name = textField({ label: t("buckets.openLabel"), required: true, mono: true });
  const open = () => (validate(name) ? (go(objectsOf(name.value)), true) : false);
  return { name, open };
}

/** For credentials that work for certain buckets only. */
function byName(problem) {
  const { name, open } = nameForm();
  const form = h("form.open-form", { novalidate: true, onsubmit: (event) => (event.preventDefault(), open()) }, name.node, h("button.button.is-primary", { type: "submit" }, t("buckets.openAct")));
  return h("div.card", { dataset: { problem: problem.code } }, empty({ icon: "lock", title: t("buckets.deniedTitle"), text: t("buckets.deniedText"), actions: form }));
}

function openDialogByName() {
  const { name, open } = nameForm();
  openDialog({ title: t("buckets.open"), body: name.node, actions: [{ label: t("ui.cancel") }, { label: t("buckets.openAct"), kind: "primary", run: open }] });
}
