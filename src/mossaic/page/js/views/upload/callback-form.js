// The upload callback: who is told, what is said, and how it will look when it is sent.

import { h, replace } from "../../ui/dom.js";
import { select, textField, toggle } from "../../ui/form.js";
import { number, t } from "../../ui/i18n.js";
import { keyValueEditor } from "../../ui/key-values.js";
import { FORM, JSON_TYPE, MAX_PARAMETER, MAX_URLS, SYSTEM_VARIABLES, fill, isUrl, parameterLength, parameters, unknownVariables, urls } from "./callback.js";
import { group } from "./group.js";

const HOST = /^(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d+)?$/;
const VARIABLE_NAME = /^[A-Za-z0-9_.-]+$/;
const SAMPLE = { etag: "5D41402ABC4B2A76B9719D911017C592-3", crc64: "4611686018427387904", contentMd5: "", clientIp: "203.0.113.7", reqId: "6566F3A2C4E1B7D0985A31C3", operation: "CompleteMultipartUpload" };

/**
 * @param {import("./remember.js").Choice} choice
 * @param {{bucket: string, example: () => {key: string, file: File|null}}} context
 */
export function callbackGroup(choice, { bucket, example }) {
  const fields = callbackFields(choice);
  const preview = h("div.upload-callback-preview");
  const chips = variableChips(fields.callbackBody.input, () => Object.keys(fields.callbackVars.value));
  const inside = h(
    "div.upload-callback",
    fields.callbackUrl.node,
    fields.callbackHost.node,
    fields.callbackType.node,
    fields.callbackBody.node,
    chips.node,
    fields.callbackVars.node,
    preview,
  );
  const refresh = () => {
    inside.hidden = !fields.callback.value;
    if (inside.hidden) return;
    chips.refresh();
    showPreview(preview, fields, systemValues(bucket, example()));
  };
  const made = group({ id: "callback", fields, body: [fields.callback.node, inside], refresh });
  const all = made.fields;
  readOnlyWhenOn(made, fields, {});
  return { ...made, fields: () => (fields.callback.value ? all() : []), read: (into) => readOnlyWhenOn(made, fields, into) };
}

/** What is typed stays remembered while the switch is off; the badge then counts nothing. */
function readOnlyWhenOn(made, fields, into) {
  made.read(into);
  const badge = made.node.querySelector(".option-group-count");
  badge.hidden = !fields.callback.value;
  badge.textContent = t("upload.callback.on");
}

function callbackFields(choice) {
  return {
    callback: toggle({ label: t("upload.callback.use"), checked: choice.callback, hint: t("upload.callback.use.hint") }),
    callbackUrl: textField({
      label: t("upload.callback.url"),
      value: choice.callbackUrl,
      mono: true,
      required: true,
      placeholder: "https://app.example.com/uploaded",
      hint: t("upload.callback.url.hint"),
      validate: urlFault,
    }),
    callbackHost: textField({
      label: t("upload.callback.host"),
      value: choice.callbackHost,
      mono: true,
      optional: true,
      hint: t("upload.callback.host.hint"),
      validate: (value) => (value === "" || HOST.test(value) ? "" : t("upload.callback.host.wrong")),
    }),
    callbackType: select({
      label: t("upload.callback.type"),
      value: choice.callbackType,
      options: [FORM, JSON_TYPE].map((value) => ({ value, label: value })),
    }),
    callbackBody: textField({ label: t("upload.callback.body"), value: choice.callbackBody, mono: true, rows: 4, required: true, hint: t("upload.callback.body.hint") }),
    callbackVars: keyValueEditor({
      label: t("upload.callback.vars"),
      pairs: choice.callbackVars,
      prefix: "x:",
      hint: t("upload.callback.vars.hint"),
      validate: (key) => (VARIABLE_NAME.test(key) ? "" : t("upload.callback.vars.wrong", { name: key })),
    }),
  };
}

function urlFault(text) {
  const found = urls(text);
  if (found.length > MAX_URLS) return t("upload.callback.url.many", { max: MAX_URLS });
  const wrong = found.find((url) => !isUrl(url));
  return wrong ? t("upload.callback.url.wrong", { url: wrong }) : "";
}

/** A press puts the variable where the cursor stands. */
function variableChips(area, custom) {
  const list = h("div.upload-callback-chips", { role: "group", "aria-label": t("upload.callback.insert") });
  let shown = "";
  const insert = (name) => {
    area.setRangeText(`\${${name}}`, area.selectionStart, area.selectionEnd, "end");
    area.dispatchEvent(new Event("input", { bubbles: true }));
    area.focus();
  };
  const refresh = () => {
    const names = [...SYSTEM_VARIABLES, ...custom().map((name) => `x:${name}`)];
    if (names.join() === shown) return;
    shown = names.join();
    replace(list, names.map((name) => h("button.upload-chip.mono", { type: "button", "aria-label": t("upload.callback.insert.one", { name }), onclick: () => insert(name) }, name)));
  };
  refresh();
  return { node: list, refresh };
}

function systemValues(bucket, { key, file }) {
  return { ...SAMPLE, bucket, object: key, size: file?.size ?? 1_048_576, mimeType: file?.type || "application/octet-stream" };
}

function showPreview(place, fields, system) {
  const type = fields.callbackType.value;
  const customValue = fields.callbackVars.value;
  const { callback, variables } = parameters({
    url: fields.callbackUrl.value,
    host: fields.callbackHost.value,
    body: fields.callbackBody.value,
    contentType: type,
    customValue,
  });
  const body = fill(fields.callbackBody.value, type, { ...system, ...variables });
  const [first] = urls(fields.callbackUrl.value);
  const lines = [`POST ${first && isUrl(first) ? first : "…"}`, `Content-Type: ${type}`];
  if (callback.callbackHost) lines.splice(1, 0, `Host: ${callback.callbackHost}`);
  replace(
    place,
    h("p.upload-callback-preview-title", t("upload.callback.preview")),
    h("pre.upload-callback-preview-text", { tabIndex: 0, "aria-label": t("upload.callback.preview") }, `${lines.join("\n")}\n\n${body}`),
    warnings(body, type, fields.callbackBody.value, customValue, { callback, variables }).map((words) => h("p.upload-callback-preview-warning", words)),
  );
}

function warnings(body, type, template, custom, sent) {
  const found = [];
  const unknown = unknownVariables(template, custom);
  if (unknown.length) found.push(t("upload.callback.unknown", { names: unknown.map((name) => `\${${name}}`).join(", "), n: unknown.length }));
  if (type === JSON_TYPE && !isJson(body)) found.push(t("upload.callback.notJson"));
  const longest = Math.max(parameterLength(sent.callback), parameterLength(sent.variables));
  if (longest > MAX_PARAMETER) found.push(t("upload.callback.long", { size: number(longest), max: number(MAX_PARAMETER) }));
  return found;
}

function isJson(text) {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
