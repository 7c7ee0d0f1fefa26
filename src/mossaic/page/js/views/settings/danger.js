/** Deleting the bucket: what stands in the way is said before and, word for word, after the server refused. */
import { confirm } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { go, link, pathOf } from "../../ui/router.js";
import { toast } from "../../ui/toast.js";
import { deleteBucket, readStat } from "./calls.js";
import { forget } from "./draft.js";
import { refusal } from "./parts.js";

/** What has to go first, with links to where it can. */
function hindrances(bucket, stat) {
  const objects = link(pathOf("/b/:bucket/objects/", { bucket }));
  const tasks = link(pathOf("/b/:bucket/tasks", { bucket }));
  return [
    stat.objects ? h("li", h("a", { href: objects }, t("settings.danger.objects", { n: stat.objects }))) : null,
    stat.markers ? h("li", h("a", { href: objects }, t("settings.danger.markers", { n: stat.markers }))) : null,
    stat.uploads ? h("li", h("a", { href: tasks }, t("settings.danger.uploads", { n: stat.uploads }))) : null,
  ].filter(Boolean);
}

/** @param {string} bucket @param {Awaited<ReturnType<typeof readStat>>} stat @param {AbortSignal} signal */
export function dangerZone(bucket, stat, signal) {
  const left = h("div.danger-left");
  const trouble = h("div", { role: "alert" });
  const tell = (now) => {
    const found = hindrances(bucket, now);
    replace(left, found.length ? [h("p", t("settings.danger.first")), h("ul.danger-list", found)] : h("p", t("settings.danger.empty")));
  };
  tell(stat);

  const remove = async () => {
    replace(trouble);
    const sure = await confirm({
      title: t("settings.danger.title", { bucket }),
      what: t("settings.danger.what"),
      label: t("settings.danger.button"),
      danger: true,
      typed: bucket,
    });
    if (!sure || signal.aborted) return;
    try {
      await deleteBucket(bucket);
      forget(bucket);
      toast({ kind: "good", text: t("settings.danger.done", { bucket }) });
      go("/");
    } catch (error) {
      replace(trouble, refusal(error));
      tell(await readStat(bucket, signal));
    }
  };
  const button = h("button.button.is-danger", { type: "button", onclick: remove }, icon("trash"), t("settings.danger.button"));
  return h(
    "section.card.danger-zone",
    h("header.card-head", h("h3.card-title", t("settings.danger.name"))),
    h("div.card-body.danger-row", h("div", h("p", t("settings.danger.lead")), left), button),
    trouble,
  );
}
