/** The door: a key pair or temporary credentials, with the words of what happens to them. */

import { announcer } from "../../ui/parts.js";
import { busy } from "../../ui/dialog.js";
import { bind, h, replace } from "../../ui/dom.js";
import { segmented, textField, validate } from "../../ui/form.js";
import { lang, t } from "../../ui/i18n.js";
import { icon, logo } from "../../ui/icons.js";
import { live } from "../../ui/live.js";
import { problemView } from "../../ui/problem-view.js";
import { setTitle } from "../../ui/router.js";
import { languageButton, themeButton } from "../../ui/shell.js";
import { fromPaste } from "./paste.js";
import "../../words/signin.js";

const REGION_KEPT = "mossaic.region";

/**
 * @param {HTMLElement} host
 * @param {{session: any}} context
 * @returns {() => void}  takes it away
 */
export function startSignIn(host, { session }) {
  const ending = new AbortController();
  const draw = () => {
    const view = signInView(session);
    host.replaceChildren(view.node);
    view.focus();
    setTitle(t("signin.submit"));
  };
  lang.watch(draw, { signal: ending.signal });
  return () => {
    ending.abort();
    host.replaceChildren();
  };
}

function signInView(session) {
  const kind = live("pair");
  const fields = credentialFields(kind);
  const say = announcer();
  const trouble = h("div", { role: "alert" });
  const submit = h("button.button.is-primary", { type: "submit" }, t("signin.submit"));
  const form = h(
    "form.signin-form",
    { novalidate: true, onsubmit: (event) => (event.preventDefault(), send(session, { fields, kind, submit, trouble })), onpaste: (event) => paste(event, fields, kind, say) },
    fields.choice.node,
    fields.id.node,
    fields.secret.node,
    fields.token.node,
    h("details.signin-more", h("summary", t("signin.more")), fields.region.node),
    trouble,
    submit,
    say.node,
  );
  const note = h("p.signin-note", icon("lock"), h("span"));
  bind(note, kind, (is) => (note.lastChild.textContent = t(is === "pair" ? "signin.note" : "signin.noteTriple")));
  const node = h(
    "div.signin",
    h("header.signin-tools", languageButton(), themeButton()),
    h("main.signin-main", h("div.signin-brand", logo(), h("div", h("h1", t("signin.title")), h("p", t("signin.sub", { host: location.host })))), form, note),
  );
  return { node, focus: () => fields.id.input.focus() };
}

function credentialFields(kind) {
  const choice = segmented({
    label: t("signin.kind"),
    hideLabel: true,
    value: kind.value,
    options: ["pair", "triple"].map((value) => ({ value, label: t(`signin.${value}`) })),
    onchange: (value) => kind.set(value),
  });
  const id = textField({
    label: t("signin.id"),
    required: true,
    mono: true,
    name: "username",
    autocomplete: "username",
    oninput: (value) => value.startsWith("STS.") && kind.set("triple"),
  });
  const secret = textField({ label: t("signin.secret"), required: true, type: "password", name: "password", autocomplete: "current-password" });
  const token = textField({ label: t("signin.token"), required: true, mono: true, rows: 3, trim: true });
  const region = textField({ label: t("signin.region"), mono: true, value: keptRegion(), placeholder: "cn-hangzhou", hint: t("signin.regionHint") });
  bind(token.node, kind, (is) => {
    token.node.hidden = is === "pair";
    choice.value = is;
  });
  return { choice, id, secret, token, region };
}

async function send(session, { fields, kind, submit, trouble }) {
  const { id, secret, token, region } = fields;
  replace(trouble);
  if (!validate(id, secret, kind.value === "triple" ? token : null)) return;
  busy(submit, true);
  try {
    keepRegion(region.value);
    await session.signIn({
      accessKeyId: id.value,
      accessKeySecret: secret.value.trim(),
      region: region.value || undefined,
      securityToken: kind.value === "triple" ? token.value.replace(/\s+/g, "") : undefined,
    });
    secret.value = "";
  } catch (error) {
    replace(trouble, problemView(error));
  } finally {
    busy(submit, false);
  }
}

/** All at once from what AssumeRole or the command line printed. */
function paste(event, fields, kind, say) {
  const found = fromPaste(event.clipboardData?.getData("text") ?? "");
  if (!found) return;
  event.preventDefault();
  fields.id.value = found.accessKeyId;
  fields.secret.value = found.accessKeySecret;
  fields.token.value = found.securityToken ?? "";
  kind.set(found.securityToken ? "triple" : "pair");
  for (const field of [fields.id, fields.secret, fields.token]) field.error("");
  say(t("signin.filled"));
}

function keptRegion() {
  try {
    return localStorage.getItem(REGION_KEPT) ?? "";
  } catch {
    return "";
  }
}

function keepRegion(region) {
  try {
    if (region) localStorage.setItem(REGION_KEPT, region);
    else localStorage.removeItem(REGION_KEPT);
  } catch {
    // it is typed again next time
  }
}
