/** Versioning: its three states, and what each step means before it is taken. */
import { confirm } from "../../ui/dialog.js";
import { h, replace } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";
import { toast } from "../../ui/toast.js";
import { readVersioning, writeVersioning } from "./calls.js";
import { notice, panel, refusal, sectionHead } from "./parts.js";

const list = (key, count) =>
  h(
    "ul.consequences",
    Array.from({ length: count }, (_, at) => h("li", t(`settings.versioning.${key}.${at + 1}`))),
  );

/** @param {string} bucket @param {HTMLElement} place @param {AbortSignal} signal */
export async function versioning(bucket, place, signal) {
  const state = (await readVersioning(bucket, signal)) || "Unset";
  if (signal.aborted) return;
  const trouble = h("div", { role: "alert" });
  const next = state === "Enabled" ? "Suspended" : "Enabled";
  const word = next === "Enabled" ? "enable" : "suspend";
  const consequences = list(word, 3);

  const change = async () => {
    replace(trouble);
    const sure = await confirm({
      title: t(`settings.versioning.${word}.title`),
      what: list(word, 3),
      label: t(`settings.versioning.${word}.button`),
      danger: next === "Suspended",
    });
    if (!sure || signal.aborted) return;
    try {
      // Somebody else may have taken the step already, or the opposite one.
      const now = (await readVersioning(bucket, signal)) || "Unset";
      if (now !== state) toast({ kind: "warn", text: t("settings.versioning.changed") });
      else {
        await writeVersioning(bucket, next);
        toast({ kind: "good", text: t(`settings.versioning.${word}.done`) });
      }
      if (!signal.aborted) await versioning(bucket, place, signal);
    } catch (error) {
      replace(trouble, refusal(error));
    }
  };

  const kind = next === "Enabled" ? "is-primary" : "is-plain";
  replace(
    place,
    sectionHead(t("settings.versioning.name"), t("settings.versioning.lead")),
    notice(state === "Enabled" ? "good" : "info", t(`settings.versioning.state.${state}`), h("p", t(`settings.versioning.means.${state}`))),
    panel(
      t(`settings.versioning.${word}.heading`),
      consequences,
      h("div.settings-row", h(`button.button.${kind}`, { type: "button", onclick: change }, t(`settings.versioning.${word}.button`))),
      trouble,
    ),
  );
}
