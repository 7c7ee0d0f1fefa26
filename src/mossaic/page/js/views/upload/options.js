// The form with every option of an upload, in groups that say how much is set in them.

import { h } from "../../ui/dom.js";
import { numberField, select, textField, toggle, validate } from "../../ui/form.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { keyValueEditor } from "../../ui/key-values.js";
import { callbackGroup } from "./callback-form.js";
import { suggest } from "./suggest.js";
import { group } from "./group.js";
import { FIRST_CHOICE, recalled, remember } from "./remember.js";
import { MAX_PART, MIN_PART, fittingPartSize, parseSize, partCount } from "./sizes.js";

/** @typedef {import("./remember.js").Choice} Choice */

const CLASSES = ["Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"];
const ACLS = ["private", "public-read", "public-read-write"];
const TAG_TEXT = /^[A-Za-z0-9 +\-=._:/]*$/;
const META_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
const HEADER_TEXT = /^[\x20-\x7e]*$/;

/**
 * @param {{bucket: string, uploads: import("../../upload/uploads.js").Uploads, example: () => {key: string, file: File|null, largest: number},
 *          onchange: (choice: Choice) => void}} context  `example`: what the previews speak of
 * @returns {{node: HTMLElement, choice: Choice, check: () => boolean, refresh: () => void}} `refresh` brings hints and previews up to date, first of all once
 */
export function optionsForm(context) {
  const choice = { ...recalled() };
  const groups = [
    objectGroup(choice),
    headersGroup(choice),
    labelsGroup(choice),
    callbackGroup(choice, context),
    sendingGroup(choice, context),
    foldersGroup(choice),
  ];
  const node = h("div.upload-options", h("h2.upload-options-title", t("upload.options")), groups.map((group) => group.node));
  const changed = () => {
    for (const group of groups) {
      group.read(choice);
      group.refresh?.();
    }
    remember(choice);
    context.onchange(choice);
  };
  node.addEventListener("input", changed);
  node.addEventListener("change", changed);
  node.addEventListener("click", (event) => event.target.closest("button") && changed());
  return {
    node,
    choice,
    check: () => checkAll(groups),
    refresh: () => groups.forEach((group) => group.refresh?.()),
  };
}

/** A fault in a closed group opens it: nobody should have to look for it. */
function checkAll(groups) {
  for (const group of groups) {
    const wrong = group.fields().filter((each) => !each.check());
    if (wrong.length && group.node.tagName === "DETAILS") group.node.open = true;
  }
  return validate(groups.flatMap((group) => group.fields()));
}

function objectGroup(choice) {
  const conflict = select({
    label: t("upload.conflict"),
    value: choice.conflict,
    options: ["replace", "refuse", "rename", "skip"].map((value) => ({ value, label: t(`upload.conflict.${value}`) })),
  });
  const storageClass = select({
    label: t("upload.class"),
    value: choice.storageClass,
    options: [{ value: "", label: t("upload.class.default") }, ...CLASSES.map((value) => ({ value, label: t(`upload.class.${value}`) }))],
  });
  const hint = h("p.field-hint", { "aria-live": "polite" });
  const fields = { conflict, storageClass };
  return {
    node: h("div.option-main", conflict.node, hint, storageClass.node),
    read: (into) => Object.assign(into, { conflict: conflict.value, storageClass: storageClass.value }),
    refresh: () => {
      hint.textContent = t(`upload.conflict.${conflict.value}.hint`);
    },
    fields: () => Object.values(fields),
  };
}

function headersGroup(choice) {
  const header = (label, name, hint, placeholder, extra = {}) =>
    textField({ label, value: choice[name], hint, placeholder, mono: true, validate: (value) => (HEADER_TEXT.test(value) ? "" : t("upload.header.ascii")), ...extra });
  const fields = {
    cacheControl: header("Cache-Control", "cacheControl", t("upload.header.cache"), "no-cache"),
    contentDisposition: header("Content-Disposition", "contentDisposition", t("upload.header.disposition"), "attachment"),
    contentEncoding: header("Content-Encoding", "contentEncoding", t("upload.header.encoding"), "gzip"),
    expires: header("Expires", "expires", t("upload.header.expires"), "Wed, 21 Oct 2026 07:28:00 GMT"),
    mime: header("Content-Type", "mime", t("upload.header.mime"), t("upload.header.mime.auto")),
    acl: select({
      label: t("upload.acl"),
      value: choice.acl,
      options: [{ value: "", label: t("upload.acl.default") }, ...ACLS.map((value) => ({ value, label: t(`upload.acl.${value}`) }))],
    }),
  };
  for (const name of ["cacheControl", "contentDisposition", "contentEncoding", "expires", "mime"]) suggest(fields[name], name);
  return group({ id: "headers", fields });
}

function labelsGroup(choice) {
  const tags = keyValueEditor({
    label: t("upload.tags"),
    pairs: choice.tags,
    hint: t("upload.tags.hint"),
    max: 10,
    validate: (key, value) => (TAG_TEXT.test(key) && TAG_TEXT.test(value) && key.length <= 128 && value.length <= 256 ? "" : t("upload.tags.wrong", { name: key })),
  });
  const meta = keyValueEditor({
    label: t("upload.meta"),
    pairs: choice.meta,
    hint: t("upload.meta.hint"),
    prefix: "x-oss-meta-",
    validate: (key, value) => (META_NAME.test(key) && HEADER_TEXT.test(value) ? "" : t("upload.meta.wrong", { name: key })),
  });
  return group({ id: "labels", fields: { tags, meta } });
}

function sendingGroup(choice, { uploads, example }) {
  const cut = h("p.field-hint.upload-cut", { "aria-live": "polite" });
  const partSize = textField({ label: t("upload.partSize"), value: choice.partSize, mono: true, hint: t("upload.partSize.hint"), validate: partSizeFault });
  suggest(partSize, "partSize");
  const parallel = numberField({ label: t("upload.parallel"), value: choice.parallel, min: 1, max: 16, required: true, hint: t("upload.parallel.hint") });
  uploads.jobs.set(choice.jobs || FIRST_CHOICE.jobs);
  const jobs = numberField({
    label: t("upload.jobs"),
    value: choice.jobs,
    min: 1,
    max: 10,
    required: true,
    hint: t("upload.jobs.hint"),
    oninput: (value) => value >= 1 && value <= 10 && uploads.jobs.set(Math.floor(value)),
  });
  const md5 = toggle({ label: t("upload.md5"), checked: choice.md5, hint: t("upload.md5.hint") });
  const atOnce = toggle({ label: t("upload.atOnce"), checked: choice.atOnce, hint: t("upload.atOnce.hint") });
  return group({
    id: "sending",
    fields: { partSize, parallel, jobs, md5, atOnce },
    body: [partSize.node, cut, h("div.option-pair", parallel.node, jobs.node), md5.node, atOnce.node],
    refresh: () => {
      cut.textContent = cutWords(partSize.value, example().largest);
    },
  });
}

function partSizeFault(text) {
  if (text === "" || text === "auto") return "";
  const size = parseSize(text);
  if (size === null) return t("upload.partSize.unreadable");
  if (size < MIN_PART) return t("upload.partSize.small");
  return size > MAX_PART ? t("upload.partSize.large") : "";
}

/** What the part size comes to for the largest of the chosen files. */
function cutWords(text, largest) {
  const asked = parseSize(text);
  if (!largest || !asked || partSizeFault(text)) return "";
  const size = fittingPartSize(largest, asked);
  const words = t("upload.partSize.cut", { n: partCount(largest, size), size: bytes(size), whole: bytes(largest) });
  return size > asked ? `${words} ${t("upload.partSize.raised")}` : words;
}

function foldersGroup(choice) {
  const fields = {
    include: textField({ label: t("upload.include"), value: choice.include, mono: true, placeholder: "*.jpg, photos/**", hint: t("upload.include.hint") }),
    exclude: textField({ label: t("upload.exclude"), value: choice.exclude, mono: true, placeholder: ".git/, *.tmp", hint: t("upload.exclude.hint") }),
  };
  return group({ id: "folders", fields });
}
