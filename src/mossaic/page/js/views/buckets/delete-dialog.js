/** Deleting a bucket: typed name when it is empty, plain words when it is not. */

import { confirm, openDialog } from "../../ui/dialog.js";
import { h } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { go, pathOf } from "../../ui/router.js";
import { bucketStat, deleteBucket } from "./calls.js";

/**
 * @param {string} name
 * @returns {Promise<boolean>} whether it is gone
 */
export async function deleteDialog(name) {
  const stat = await bucketStat(name).catch(() => null); // not everybody may ask
  if (stat && (stat.objects || stat.uploads)) return full(name, stat);
  let left = null;
  const gone = await confirm({
    title: t("buckets.del.title", { name }),
    what: t("buckets.del.text"),
    typed: name,
    danger: true,
    label: t("buckets.del.submit"),
    run: async () => {
      try {
        await deleteBucket(name);
      } catch (problem) {
        if (problem.code !== "BucketNotEmpty") throw problem;
        left = (await bucketStat(name).catch(() => null)) ?? { objects: 0, uploads: 0, bytes: 0 };
      }
    },
  });
  if (left) return full(name, left);
  return gone;
}

async function full(name, { objects, uploads, bytes: size }) {
  const lines = [
    objects ? t("buckets.del.objects", { n: objects, size: bytes(size) }) : null,
    uploads ? t("buckets.del.uploads", { n: uploads }) : null,
    !objects && !uploads ? t("buckets.del.hidden") : null,
  ].filter(Boolean);
  const to = await openDialog({
    title: t("buckets.del.fullTitle", { name }),
    body: [h("p", t("buckets.del.fullText")), h("ul.problem-todo", lines.map((line) => h("li", line)))],
    actions: [
      { label: t("ui.cancel") },
      uploads ? { label: t("buckets.del.toTasks"), value: "/b/:bucket/tasks", kind: objects ? "plain" : "primary" } : null,
      objects || !uploads ? { label: t("buckets.del.toObjects"), value: "/b/:bucket/objects/", kind: "primary" } : null,
    ].filter(Boolean),
  });
  if (to) go(pathOf(to, { bucket: name }));
  return false;
}
