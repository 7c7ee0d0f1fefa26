/** What can be done with a row, as menu items; each does it and then tells the view. */

import { openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { derived } from "../../ui/live.js";
import { problemView } from "../../ui/problem-view.js";
import { go, link } from "../../ui/router.js";
import { toast } from "../../ui/toast.js";
import { copyText } from "../../ui/copy.js";
import { aclOf, headObject } from "../object/facts.js";
import { restoreVersion } from "../object/write.js";
import { count } from "./count.js";
import { deleteDialog } from "./delete-dialog.js";
import { download } from "./download.js";
import { folderPath, objectPath, plainName } from "./keys.js";
import { nameNode } from "./name.js";
import { removeOne } from "./remove.js";
import { canSave, saveAs } from "./save.js";
import { shareDialog } from "./share-dialog.js";
import { transferDialog } from "./transfer-dialog.js";

/**
 * @typedef {{bucket: string, versioning: () => string|null, changed: () => void}} World
 *   changed: the listing is to be read again
 */

/** @param {any} row @param {World} world @returns {any[]} items of a menu */
export function rowActions(row, world) {
  if (row.kind === "folder") return folderActions(row, world);
  if (row.kind === "marker") return markerActions(row, world);
  return row.versionId && !row.latest ? oldVersionActions(row, world) : objectActions(row, world);
}

function objectActions(row, world) {
  const { bucket } = world;
  const { versionId } = row;
  return [
    { label: t("objects.do.open"), icon: "info", href: link(objectPath(bucket, row.key, versionId)) },
    ...getting(row, bucket),
    { label: t("objects.do.share"), icon: "share", run: () => shareDialog({ bucket, key: row.key, versionId }) },
    { label: t("objects.do.copyKey"), icon: "key", run: () => copyKey(row.key) },
    "-",
    { label: t("objects.do.copy"), icon: "copy", run: () => transferred("copy", [plain(row)], world) },
    { label: t("objects.do.move"), icon: "move", run: () => transferred("move", [plain(row)], world) },
    "-",
    { label: t("objects.do.delete"), icon: "trash", danger: true, run: () => deleted([plain(row)], world) },
    ...(versionId ? [{ label: t("objects.do.purgeVersion"), icon: "trash", danger: true, run: () => deleted([row], world) }] : []),
  ];
}

function getting(row, bucket) {
  const what = { bucket, key: row.key, versionId: row.versionId };
  return [
    { label: t("objects.do.download"), icon: "download", run: () => guarded(() => download(what)) },
    ...(canSave() ? [{ label: t("objects.do.saveAs"), icon: "folder", run: () => guarded(() => saveAs(what)) }] : []),
  ];
}

function oldVersionActions(row, world) {
  const { bucket } = world;
  return [
    { label: t("objects.do.open"), icon: "info", href: link(objectPath(bucket, row.key, row.versionId)) },
    ...getting(row, bucket),
    { label: t("objects.do.share"), icon: "share", run: () => shareDialog({ bucket, key: row.key, versionId: row.versionId }) },
    { label: t("objects.do.restore"), icon: "restore", run: () => restored(row, world) },
    "-",
    { label: t("objects.do.purgeVersion"), icon: "trash", danger: true, run: () => deleted([row], world) },
  ];
}

function markerActions(row, world) {
  return [
    ...(row.latest ? [{ label: t("objects.do.undelete"), icon: "restore", run: () => undeleted(row, world) }] : []),
    { label: t("objects.do.copyKey"), icon: "key", run: () => copyKey(row.key) },
    ...(row.latest ? [] : [{ label: t("objects.do.purgeMarker"), icon: "trash", danger: true, run: () => deleted([row], world) }]),
  ];
}

function folderActions(row, world) {
  const { bucket } = world;
  return [
    { label: t("objects.do.openFolder"), icon: "folder-open", href: link(folderPath(bucket, row.key)) },
    { label: t("objects.do.count"), icon: "list", run: () => countDialog(bucket, row) },
    { label: t("objects.do.copyPrefix"), icon: "key", run: () => copyKey(row.key) },
    "-",
    { label: t("objects.do.copy"), icon: "copy", run: () => transferred("copy", [row], world) },
    { label: t("objects.do.move"), icon: "move", run: () => transferred("move", [row], world) },
    "-",
    { label: t("objects.do.delete"), icon: "trash", danger: true, run: () => deleted([row], world) },
  ];
}

/** The object itself, whichever version of it the row shows. */
const plain = ({ kind, key, size }) => ({ kind, key, size });

export async function deleted(chosen, world) {
  const tried = await deleteDialog({ bucket: world.bucket, chosen, versioning: world.versioning() });
  if (tried) world.changed();
  return tried;
}

export async function transferred(mode, chosen, world) {
  const done = await transferDialog(mode, { bucket: world.bucket, chosen, versioning: world.versioning() });
  if (!done) return done;
  world.changed();
  if (!done.to) return done; // the account has said what was not done
  const single = chosen.length === 1;
  const there = single && chosen[0].kind !== "folder" ? objectPath(done.bucket, done.to) : folderPath(done.bucket, single ? done.to : done.prefix);
  const place = plainName(`${done.bucket}/${single ? done.to : done.prefix}`);
  toast({ kind: "good", text: t("objects.goThere", { done: done.said, place }), action: { label: t("objects.show"), run: () => go(there) } });
  return done;
}

/** An old version becomes the current one by a copy of it; nothing is lost, so that one press is enough. */
export async function restored(row, world) {
  const where = { bucket: world.bucket, key: row.key, versionId: row.versionId };
  await guarded(async () => {
    const [facts, acl] = await Promise.all([headObject(where), aclOf(where)]);
    await restoreVersion(where, facts, acl);
    toast({ kind: "good", text: t("objects.restore.done", { name: plainName(row.key) }) });
    world.changed();
  });
}

/** Taking the newest delete marker away brings the version below it back. */
export async function undeleted(row, world) {
  await guarded(async () => {
    await removeOne({ bucket: world.bucket, key: row.key, versionId: row.versionId });
    toast({ kind: "good", text: t("objects.undelete.done", { name: plainName(row.key) }) });
    world.changed();
  });
}

async function copyKey(key) {
  const done = await copyText(key);
  toast({ kind: done ? "good" : "warn", text: t(done ? "ui.copied" : "ui.copyFailed") });
}

async function guarded(act) {
  try {
    await act();
  } catch (problem) {
    toast({ kind: "bad", text: problemView(problem, { compact: true }) });
  }
}

function countDialog(bucket, row) {
  const stop = new AbortController();
  const counted = count({ bucket, chosen: [row], signal: stop.signal, limit: Infinity });
  const shown = derived(({ objects, bytes: size, counting, problem }) => {
    if (problem) return problemView(problem, { compact: true });
    const what = `${t("objects.count.objects", { n: objects })} · ${bytes(size)}`;
    return h("p.count-result", { class: counting ? "is-counting" : "" }, counting ? t("objects.count.counting", { what }) : what);
  }, counted);
  const body = [h("p.transfer-from", nameNode(row.key)), h("div", shown)];
  return openDialog({ title: t("objects.count.title"), body, actions: [{ label: t("ui.close"), kind: "primary" }] }).finally(() => stop.abort());
}
