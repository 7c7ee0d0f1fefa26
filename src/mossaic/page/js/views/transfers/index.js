// Transfers: `/transfers`, the dock, and what an earlier visit left.

import { toProblem } from "../../core/problem.js";
import { h } from "../../ui/dom.js";
import { addWords, t } from "../../ui/i18n.js";
import { empty, pageHead } from "../../ui/parts.js";
import { link, route } from "../../ui/router.js";
import { registerDock } from "../../ui/shell.js";
import { toast } from "../../ui/toast.js";
import { words } from "../../words/transfers.js";
import { transfersDock } from "./dock.js";
import { askBeforeLeaving } from "./leave.js";
import { transfersPanel } from "./panel.js";

/** @param {{session: typeof import("../../core/session.js").session, uploads: import("../../upload/uploads.js").Uploads}} world */
export default function register({ session, uploads }) {
  addWords("upload", words);
  const go = () => h("a.button.is-primary", { href: link("/") }, t("upload.none.go"));
  const none = () => empty({ icon: "transfers", title: t("upload.none"), text: t("upload.none.hint"), actions: go() });
  route("/transfers", (_, outlet, { signal }) => {
    outlet.append(pageHead({ title: t("upload.all") }), transfersPanel({ uploads, signal, empty: none }).node);
  });
  registerDock(() => transfersDock({ uploads }));
  askBeforeLeaving(uploads);
  bringBack(session, uploads);
  keepLimit(uploads.bandwidth);
}

/** A reload in the middle of a call does not take the whole line. */
function keepLimit(limit) {
  const place = "mossaic.upload.limit";
  try {
    limit.set(Number(sessionStorage.getItem(place)) || 0);
    limit.watch((now) => sessionStorage.setItem(place, String(now)), { now: false });
  } catch {
    // Without storage it lasts until the page is left.
  }
}

/** What earlier visits left, as soon as somebody is signed in; once for each of them. */
function bringBack(session, uploads) {
  let done = "";
  session.live.watch(async (is) => {
    const who = is ? `${is.endpoint} ${is.principal?.arn}` : "";
    if (who === done) return;
    done = who;
    try {
      if (who) await uploads.restore();
    } catch (error) {
      toast({ kind: "warn", text: t("upload.notRestored"), problem: toProblem(error) });
    }
  });
}
