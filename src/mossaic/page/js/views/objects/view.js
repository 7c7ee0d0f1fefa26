/** The Objects view: folders and objects of a bucket below a prefix. */

import { onGone, h, replace } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { derived, live } from "../../ui/live.js";
import { button, empty, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { go, link } from "../../ui/router.js";
import { table } from "../../ui/table.js";
import { textField } from "../../ui/form.js";
import { deleted, transferred } from "./actions.js";
import { columns } from "./columns.js";
import { acceptDrops } from "./drop.js";
import { folderDialog } from "./folder-dialog.js";
import { head, toolbar } from "./head.js";
import { folderPath, objectPath, parentOf, plainName, uploadPath } from "./keys.js";
import { versioningOf } from "./list.js";
import { Listing, rowId } from "./listing.js";

/** @type {import("../../ui/router.js").View} */
export async function objectsView({ bucket, prefix = "" }, outlet, { signal, query }) {
  const rest = prefix.slice(parentOf(`${prefix} `).length);
  if (rest) return go(`${folderPath(bucket, prefix.slice(0, -rest.length))}?q=${encodeURIComponent(rest)}`, { replace: true }); // no folder: what names begin with
  const view = new ObjectsView({ bucket, prefix, signal, query });
  replace(outlet, view.draw());
  acceptDrops(outlet, { bucket, prefix, signal });
  await view.load();
}

class ObjectsView {
  constructor({ bucket, prefix, signal, query }) {
    Object.assign(this, { bucket, prefix, signal });
    this.search = live(query.get("q") ?? "");
    this.flat = live(query.get("flat") === "1");
    this.versions = live(query.get("versions") === "1");
    this.versioning = live(undefined); // not known yet
    this.selected = live(new Set());
    this.listing = new Listing({ bucket, signal });
    this.world = { bucket, versioning: () => this.versioning.value ?? null, changed: () => this.listing.again() };
  }

  async load() {
    versioningOf(this.bucket, this.signal).then((status) => this.versioning.set(status), () => {}); // the listing tells what is wrong
    await this.#ask();
  }

  #ask() {
    const { prefix } = this;
    return this.listing.ask({ prefix, search: this.search.value, flat: this.flat.value, versions: this.versions.value });
  }

  /** What is looked at stands in the address, so that it survives a reload; the view itself is not left for it. */
  #look(which, value) {
    if (this[which].value === value) return;
    this[which].set(value);
    this.selected.set(new Set());
    const kept = Object.entries({ q: this.search.value, flat: this.flat.value ? "1" : "", versions: this.versions.value ? "1" : "" }).filter(([, text]) => text);
    const query = new URLSearchParams(kept).toString();
    history.replaceState(null, "", link(folderPath(this.bucket, this.prefix) + (query ? `?${query}` : "")));
    this.#ask();
  }

  draw() {
    const bar = toolbar({
      search: this.search,
      flat: this.flat,
      versions: this.versions,
      versioning: this.versioning,
      onSearch: (text) => this.#look("search", text),
      onFlat: (on) => this.#look("flat", on),
      onVersions: (on) => this.#look("versions", on),
      onRefresh: () => this.listing.again(),
    });
    const list = h("div.objects-list");
    // A table is made for each way of looking: its columns differ.
    onGone(list, this.listing.state.watch((state) => this.#drawList(list, state)));
    return [head({ bucket: this.bucket, prefix: this.prefix, onFolder: () => this.#newFolder() }), bar, list, this.#selectionBar(), this.#foot()];
  }

  #drawList(list, state) {
    if (state === "loading") replace(list, skeleton(6));
    else if (state === "failed") replace(list, this.#trouble());
    else replace(list, this.#table());
  }

  #table() {
    const { listing, bucket, selected } = this;
    const versions = this.versions.value;
    return table({
      label: t("objects.table", { bucket }),
      columns: columns({ bucket, folder: this.prefix, world: this.world, versions }),
      rows: listing.rows,
      key: rowId,
      version: (row) => JSON.stringify(row),
      select: { selected, label: (row) => t("objects.select", { name: plainName(row.key) }) },
      onOpen: (row) => this.#open(row),
      empty: () => this.#empty(),
      more: { has: listing.more, load: () => listing.grow() },
    }).node;
  }

  #open(row) {
    if (row.kind === "folder") go(folderPath(this.bucket, row.key));
    else if (row.kind === "object") go(objectPath(this.bucket, row.key, this.versions.value ? row.versionId : undefined));
  }

  #selectionBar() {
    const chosen = derived((ids, rows) => rows.filter((row) => ids.has(rowId(row))), this.selected, this.listing.rows);
    return h("div.selection-place", derived((rows) => (rows.length ? this.#selection(rows) : null), chosen));
  }

  #selection(rows) {
    const sum = rows.reduce((total, row) => total + (row.size ?? 0), 0);
    const folders = rows.filter((row) => row.kind === "folder").length;
    const movable = rows.every((row) => row.kind === "folder" || (row.kind === "object" && !row.versionId));
    const act = async (run) => {
      const done = await run();
      if (done) this.selected.set(new Set());
    };
    return h(
      "div.selection",
      { role: "region", "aria-label": t("objects.selection") },
      h("span.selection-count", { role: "status" }, t("objects.selected", { n: rows.length }), sum ? h("span.muted", ` · ${bytes(sum)}`) : null, folders && sum ? h("span.muted", ` + ${t("objects.folders", { n: folders })}`) : null),
      h(
        "div.selection-actions",
        movable ? button(t("objects.do.copy"), { icon: "copy", small: true, onclick: () => act(() => transferred("copy", rows, this.world)) }) : null,
        movable ? button(t("objects.do.move"), { icon: "move", small: true, onclick: () => act(() => transferred("move", rows, this.world)) }) : null,
        button(t(movable ? "objects.do.delete" : "objects.do.purge"), { icon: "trash", small: true, kind: "danger", onclick: () => act(() => deleted(rows, this.world)) }),
        button(t("objects.clear"), { small: true, kind: "ghost", onclick: () => this.selected.set(new Set()) }),
      ),
    );
  }

  #empty() {
    if (this.search.value) {
      const below = this.flat.value ? null : button(t("objects.empty.searchBelow"), { icon: "list", onclick: () => this.#look("flat", true) });
      return empty({ icon: "search", title: t("objects.empty.search", { text: this.search.value }), text: t("objects.empty.searchHint"), actions: below });
    }
    const upload = h("a.button.is-primary", { href: link(uploadPath(this.bucket, this.prefix)) }, icon("upload"), t("objects.upload"));
    const which = this.prefix ? "folder" : "bucket";
    return empty({ icon: this.prefix ? "folder-open" : "inbox", title: t(`objects.empty.${which}`), text: t("objects.empty.text"), actions: upload });
  }

  /** Whoever may list only a part of the bucket can go there. */
  #trouble() {
    const { problem } = this.listing;
    const again = problemView(problem, { retry: () => this.#ask() });
    if (problem.kind !== "denied") return again;
    const where = textField({ label: t("objects.denied.prefix"), hint: t("objects.denied.hint"), mono: true, trim: false, value: this.prefix });
    const open = () => go(folderPath(this.bucket, where.value.replace(/\/?$/, "/")));
    const form = h("form.denied-form", { onsubmit: (event) => (event.preventDefault(), open()) }, where.node, h("button.button.is-plain", { type: "submit" }, icon("folder-open"), t("objects.denied.open")));
    return [again, form];
  }

  #foot() {
    const { listing } = this;
    const words = derived(
      (rows, more, onward, place, state) => {
        if (state !== "ready" || (!rows.length && !place.back)) return null;
        const step = (label, name, run) => button(label, { icon: name, small: true, onclick: run });
        return [
          h("span.muted.small", { role: "status" }, t(more || onward ? "objects.shownMore" : place.back ? "objects.shownLast" : "objects.shownAll", { n: rows.length })),
          place.back ? step(t("objects.back"), "chevron-left", () => listing.back()) : null,
          onward ? step(t("objects.onward"), "chevron-right", () => listing.onwards()) : null,
        ];
      },
      listing.rows, listing.more, listing.onward, listing.place, listing.state,
    );
    return h("div.objects-foot", words);
  }

  async #newFolder() {
    const made = await folderDialog({ bucket: this.bucket, prefix: this.prefix });
    if (made) go(folderPath(this.bucket, made));
  }
}
