/** Who is signed in and until when; what to do before and after the end. */

import { now } from "../core/clock.js";
import { bind, h, replace } from "./dom.js";
import { confirm, openDialog } from "./dialog.js";
import { textField, validate } from "./form.js";
import { clock, dateTime, duration } from "./format.js";
import { t } from "./i18n.js";
import { derived, live } from "./live.js";
import { menuButton } from "./menu.js";
import { button, notice } from "./parts.js";
import { showShortcuts } from "./shortcuts.js";

const WARN_S = 600;
const TICK_MS = 5000;
const at = live(now().getTime()); // as the service has it, whatever this computer's clock says
const tick = () => at.set(now().getTime());
setInterval(tick, TICK_MS);

/** "ok", "ending" or "ended", and the seconds left. */
const state = (session) =>
  derived(
    (is, when) => {
      if (!is?.expiresAt) return { state: "ok", left: Infinity };
      const left = (is.expiresAt.getTime() - when) / 1000;
      if (left <= 0) return { state: "ended", left: 0 };
      return { state: !is.renewable && left < WARN_S ? "ending" : "ok", left };
    },
    session.live,
    at,
  );

/** A line above the view before and after the end of a session that cannot renew itself. */
export function sessionBanner({ session }) {
  const node = h("div.session-banner", { role: "status" });
  let shown = "";
  const minutes = h("span");
  bind(node, state(session), ({ state: is, left }) => {
    if (is === "ending") minutes.textContent = duration(Math.ceil(left / 60) * 60);
    if (is === shown) return;
    shown = is;
    const act = button(t("ui.session.provide"), { small: true, icon: "key", onclick: () => provideDialog(session) });
    if (is === "ok") replace(node);
    else if (is === "ending") replace(node, notice({ kind: "warn", icon: "clock", text: [t("ui.session.endsIn"), " ", minutes, t("ui.stop")], actions: act }));
    else replace(node, notice({ kind: "bad", icon: "clock", title: t("ui.session.ended"), text: t("ui.session.endedText"), actions: act }));
  });
  return node;
}

/** Fresh temporary credentials for the session in use; uploads go on. */
export function provideDialog(session) {
  const id = textField({ label: t("ui.session.id"), required: true, mono: true, placeholder: "STS.…" });
  const secret = textField({ label: t("ui.session.secret"), required: true, type: "password" });
  const token = textField({ label: t("ui.session.token"), required: true, mono: true, rows: 3, trim: true });
  return openDialog({
    title: t("ui.session.provide"),
    size: "medium",
    body: [h("p", t("ui.session.provideText")), id.node, secret.node, token.node],
    actions: [
      { label: t("ui.cancel"), kind: "plain" },
      {
        label: t("ui.session.use"),
        kind: "primary",
        run: async () => {
          if (!validate(id, secret, token)) return false;
          await session.provide({ accessKeyId: id.value, accessKeySecret: secret.value, securityToken: token.value.replace(/\s+/g, "") });
          tick();
          return true;
        },
      },
    ],
  });
}

/** @param {{session: any, uploads?: any}} context */
export function accountButton({ session, uploads }) {
  const is = session.live.value;
  const name = is?.principal?.name || is?.principal?.arn?.split(":").pop() || "";
  return menuButton(h("span.who-name", name), () => accountItems(session, uploads), { icon: "user", kind: "ghost", className: "who", name: t("ui.account", { name }) });
}

function accountItems(session, uploads) {
  const is = session.live.value;
  const lines = [
    h("div.menu-strong", is?.principal?.name || t(`ui.kind.${is?.principal?.kind ?? "unknown"}`)),
    h("div.mono.menu-arn", is?.principal?.arn ?? ""),
    is?.region ? h("div", `${t("ui.region")} ${is.region}`) : null,
    is?.expiresAt ? h("div", { title: dateTime(is.expiresAt) }, t(is.renewable ? "ui.session.renewsAt" : "ui.session.endsAt", { time: clock(is.expiresAt) })) : null,
  ];
  return [
    { heading: lines },
    "-",
    ...(is?.renewable || !is?.expiresAt ? [] : [{ label: t("ui.session.provide"), icon: "key", run: () => provideDialog(session) }]),
    { label: t("ui.keys.list"), icon: "list", run: showShortcuts },
    { label: t("ui.signOut"), icon: "sign-out", run: () => signOut(session, uploads) },
  ];
}

async function signOut(session, uploads) {
  const active = uploads?.overall?.value?.active ?? 0;
  if (active && !(await confirm({ title: t("ui.signOutTitle"), what: t("ui.signOutText", { n: active }), label: t("ui.signOut"), danger: true }))) return;
  uploads?.pauseAll?.();
  await session.signOut();
}

