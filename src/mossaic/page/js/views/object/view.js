/** The details view: what an object is, what is said of it, what it looks like, and its versions. */

import { h, replace } from "../../ui/dom.js";
import { bytes, dateTime, exactBytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { live } from "../../ui/live.js";
import { menuButton } from "../../ui/menu.js";
import { button, card, facts as factList, notice, pageHead, skeleton } from "../../ui/parts.js";
import { copyButton, problemView } from "../../ui/problem-view.js";
import { go, link, refresh } from "../../ui/router.js";
import { toast } from "../../ui/toast.js";
import { deleted, restored, transferred, undeleted } from "../objects/actions.js";
import { download } from "../objects/download.js";
import { crumbs, folderPath, nameOf, objectPath, parentOf } from "../objects/keys.js";
import { versioningOf, versionsOf } from "../objects/list.js";
import { nameNode } from "../objects/name.js";
import { canSave, saveAs } from "../objects/save.js";
import { shareDialog } from "../objects/share-dialog.js";
import { editAcl, editClass, editHeaders, editTags } from "./edit.js";
import { aclOf, headObject, symlinkTarget, tagsOf } from "./facts.js";
import { preview } from "./preview.js";
import { versionsCard } from "./versions.js";

/** @type {import("../../ui/router.js").View} */
export async function objectView({ bucket, key }, outlet, { signal, query }) {
  const view = new ObjectView({ bucket, key, versionId: query.get("versionId") ?? undefined, signal });
  replace(outlet, view.headOnly(), skeleton(6));
  await view.load();
  if (!signal.aborted) replace(outlet, view.draw());
}

class ObjectView {
  constructor({ bucket, key, versionId, signal }) {
    Object.assign(this, { bucket, key, versionId, signal, where: { bucket, key, versionId } });
    this.acl = live(null); // {value} or {problem}
    this.tags = live(null);
    this.world = { bucket, versioning: () => this.versioning, changed: refresh };
  }

  async load() {
    const { bucket, signal } = this;
    const found = await Promise.allSettled([headObject({ ...this.where, signal }), versioningOf(bucket, signal)]);
    this.facts = found[0].value;
    this.problem = found[0].reason;
    this.versioning = found[1].value ?? null;
    if (!this.facts) return this.#whyNot();
    this.#read(this.acl, aclOf);
    this.#read(this.tags, tagsOf);
  }

  /** An object under a delete marker is no trouble: it can be brought back. */
  async #whyNot() {
    if (this.problem.kind !== "missing" || this.versionId || this.versioning === "") return;
    const { rows } = await versionsOf({ bucket: this.bucket, key: this.key, limit: 2, signal: this.signal }).catch(() => ({ rows: [] }));
    if (rows[0]?.kind === "marker") this.marker = rows[0];
  }

  #read(into, ask) {
    ask({ ...this.where, signal: this.signal }).then((value) => into.set({ value }), (problem) => into.set({ problem }));
  }

  #crumbs() {
    const folders = [{ name: this.bucket, prefix: "" }, ...crumbs(parentOf(this.key)).folders];
    return folders.map(({ name, prefix }) => ({ label: name === "" ? t("objects.noName") : nameNode(name), path: folderPath(this.bucket, prefix) }));
  }

  #title() {
    const name = this.key.slice(parentOf(this.key).length);
    return nameNode(name || nameOf(this.key) || this.key);
  }

  headOnly() {
    return pageHead({ title: this.#title(), crumbs: this.#crumbs() });
  }

  draw() {
    const { facts } = this;
    if (!facts) return [this.headOnly(), this.marker ? this.#deletedNote() : problemView(this.problem, { retry: refresh }), this.#versions()];
    const sub = h("span", bytes(facts.size), " · ", t(`objects.class.${facts.storageClass}`), " · ", h("time", { datetime: facts.modified.toISOString() }, dateTime(facts.modified)));
    return [
      pageHead({ title: this.#title(), sub, crumbs: this.#crumbs(), actions: this.#actions() }),
      this.versionId ? this.#oldVersion() : null,
      h("div.object-grid", h("div.object-main", this.#preview(), this.#said(), this.#versions()), h("div.object-side", this.#facts(), this.#aclCard(), this.#tagsCard(), this.#headersCard())),
    ];
  }

  // --- actions ----------------------------------------------------------------------------------------------------------

  #actions() {
    const { bucket, key, versionId } = this;
    const row = { kind: "object", key, size: this.facts.size };
    const transfer = (mode) => async () => {
      const done = await transferred(mode, [row], this.world);
      if (mode === "move" && done?.to) go(objectPath(done.bucket, done.to));
    };
    const gone = async (chosen) => {
      if ((await deleted(chosen, { ...this.world, changed: () => {} })) === "all") go(folderPath(bucket, parentOf(key)));
    };
    const items = () => [
      ...(canSave() ? [{ label: t("objects.do.saveAs"), icon: "folder", run: () => this.#guarded(() => saveAs(this.where)) }, "-"] : []),
      { label: t("objects.do.copy"), icon: "copy", run: transfer("copy") },
      { label: t("objects.do.move"), icon: "move", run: transfer("move") },
      "-",
      versionId ? { label: t("objects.do.purgeVersion"), icon: "trash", danger: true, run: () => gone([{ ...row, versionId }]) } : { label: t("objects.do.delete"), icon: "trash", danger: true, run: () => gone([row]) },
    ];
    return [
      button(t("objects.do.download"), { icon: "download", kind: "primary", onclick: () => this.#guarded(() => download(this.where)) }),
      button(t("object.share"), { icon: "share", onclick: () => shareDialog(this.where) }),
      menuButton(t("object.more"), items, { iconOnly: true }),
    ];
  }

  async #guarded(act) {
    try {
      await act();
    } catch (problem) {
      toast({ kind: "bad", text: problemView(problem, { compact: true }) });
    }
  }

  #deletedNote() {
    const actions = button(t("objects.do.undelete"), { icon: "restore", small: true, kind: "primary", onclick: () => undeleted(this.marker, this.world) });
    return notice({ kind: "warn", icon: "trash", title: t("object.deleted"), text: t("object.deletedText", { date: dateTime(this.marker.modified) }), actions });
  }

  #oldVersion() {
    const row = { key: this.key, versionId: this.versionId };
    const actions = [
      button(t("objects.do.restore"), { icon: "restore", small: true, onclick: async () => (await restored(row, this.world), go(objectPath(this.bucket, this.key))) }),
      h("a.button.is-ghost.is-small", { href: link(objectPath(this.bucket, this.key)) }, t("object.toCurrent")),
    ];
    return notice({ title: t("object.oldVersion"), text: h("span.mono", this.versionId), actions });
  }

  // --- cards ------------------------------------------------------------------------------------------------------------

  #preview() {
    return card({ title: t("object.preview.title"), className: "preview-card" }, preview({ ...this, versionId: this.versionId }));
  }

  #said() {
    const { facts } = this;
    const rows = [...Object.entries(facts.stored), ...Object.entries(facts.persistent)].map(([name, value]) => [h("span.mono", name), h("span", value)]);
    const meta = Object.entries(facts.meta).map(([name, value]) => [h("span.mono", `x-oss-meta-${name}`), h("span", value)]);
    const all = [...rows, ...meta];
    return card({ title: t("object.headers.title"), actions: this.versionId ? null : this.#editWithAcl(editHeaders) }, all.length ? factList(all) : h("p.muted", t("object.headers.none")), this.versionId ? h("p.muted.small", t("object.headers.oldVersion")) : null);
  }

  /** A copy onto itself sets the ACL anew: it has to be known before. */
  #editWithAcl(edit) {
    const run = async () => {
      const acl = await aclOf(this.where);
      if (await edit(this.where, this.facts, { acl, versioned: Boolean(this.versioning) })) refresh();
    };
    return this.#editButton(() => this.#guarded(run));
  }

  #editButton(onclick) {
    return button(t("object.edit"), { icon: "edit", kind: "ghost", small: true, onclick });
  }

  #facts() {
    const { facts } = this;
    const copied = (value) => h("span.copyable", h("span.mono", value), copyButton(value));
    const target = facts.type === "Symlink" ? this.#target() : null;
    return card(
      { title: t("object.facts.title"), actions: this.versionId ? null : this.#editClass() },
      factList([
        [t("object.facts.key"), h("span.copyable", nameNode(this.key), copyButton(this.key))],
        [t("object.facts.size"), exactBytes(facts.size)],
        [t("object.facts.type"), t(`objects.type.${facts.type}`)],
        target && [t("object.facts.target"), target],
        [t("objects.column.class"), t(`objects.class.${facts.storageClass}`)],
        [t("objects.column.modified"), dateTime(facts.modified)],
        ["ETag", copied(facts.etag)],
        facts.crc64 && ["CRC-64", copied(facts.crc64)],
        facts.md5 && ["Content-MD5", copied(facts.md5)],
        facts.versionId && [t("object.facts.version"), copied(facts.versionId)],
        facts.encryption && [t("object.facts.encryption"), facts.encryption],
        facts.appendPosition !== null && [t("object.facts.append"), exactBytes(facts.appendPosition)],
        facts.restore && ["x-oss-restore", h("span.mono", facts.restore)],
      ].filter(Boolean)),
    );
  }

  #editClass() {
    const run = async () => {
      const acl = await aclOf(this.where);
      if (await editClass(this.where, this.facts, { acl, versioned: Boolean(this.versioning) })) refresh();
    };
    return button(t("object.class.change"), { icon: "archive", kind: "ghost", small: true, onclick: () => this.#guarded(run) });
  }

  #target() {
    const place = h("span", "…");
    symlinkTarget({ ...this.where, signal: this.signal }).then((key) => replace(place, h("a", { href: link(objectPath(this.bucket, key)) }, nameNode(key))), (problem) => replace(place, problemView(problem, { compact: true })));
    return place;
  }

  #aclCard() {
    const shown = this.#cell(this.acl, ({ value }) => h("p", t(`object.acl.${value}`)));
    return card({ title: t("object.acl.title"), actions: this.#editButton(() => this.#editIf(this.acl, editAcl)) }, shown);
  }

  #tagsCard() {
    const shown = this.#cell(this.tags, ({ value }) => {
      const all = Object.entries(value);
      return all.length ? h("ul.tag-list", all.map(([name, text]) => h("li.tag", h("span.tag-name", name), text ? h("span.tag-value", text) : null))) : h("p.muted", t("object.tags.none"));
    });
    return card({ title: t("object.tags.title"), actions: this.#editButton(() => this.#editIf(this.tags, editTags)) }, shown);
  }

  #cell(of, draw) {
    const place = h("div");
    of.watch((now) => replace(place, now === null ? skeleton(1) : now.problem ? problemView(now.problem, { compact: true }) : draw(now)), { signal: this.signal });
    return place;
  }

  /** What could not be read cannot be edited: the reason is asked for again, and shown. */
  #editIf(of, edit) {
    this.#guarded(async () => {
      if (of.value?.problem) throw of.value.problem;
      if (of.value && (await edit(this.where, of.value.value))) refresh();
    });
  }

  #headersCard() {
    const rows = this.facts.headers.map(([name, value]) => [h("span.mono", name), h("span.mono", value)]);
    return card({}, h("details.all-headers", h("summary", t("object.allHeaders")), factList(rows)));
  }

  #versions() {
    if (this.versioning === "") return null;
    return versionsCard({ bucket: this.bucket, key: this.key, shown: this.versionId, world: this.world, signal: this.signal });
  }
}
