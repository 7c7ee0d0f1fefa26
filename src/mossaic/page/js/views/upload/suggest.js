// Values people often want, offered below a field while it is typed in.

import { freshId, h } from "../../ui/dom.js";
import { t } from "../../ui/i18n.js";

const DAY_MS = 86_400_000;
const VALUES = {
  cacheControl: () => [
    ["no-cache", t("upload.suggest.revalidate")],
    ["no-store", t("upload.suggest.never")],
    ["public, max-age=3600", t("upload.suggest.hour")],
    ["public, max-age=31536000, immutable", t("upload.suggest.forever")],
  ],
  contentDisposition: () => [["attachment"], ["inline"], ['attachment; filename="example.txt"']],
  contentEncoding: () => [["gzip"], ["br"], ["zstd"], ["utf-8"]],
  expires: () => [
    [httpDate(1), t("upload.suggest.days", { n: 1 })],
    [httpDate(30), t("upload.suggest.days", { n: 30 })],
    [httpDate(365), t("upload.suggest.days", { n: 365 })],
  ],
  mime: () => ["application/octet-stream", "application/json", "application/pdf", "application/zip", "image/jpeg", "image/png", "image/webp", "text/plain; charset=utf-8", "text/html; charset=utf-8", "video/mp4"].map((each) => [each]),
  partSize: () => [["auto"], ["100 KiB"], ["1 MiB"], ["8 MiB"], ["16 MiB"], ["64 MiB"], ["128 MiB"]],
};

/** @param {import("../../ui/form.js").Field} field @param {string} what  one of the fields that VALUES knows */
export function suggest(field, what) {
  const id = freshId("suggest");
  field.input.setAttribute("list", id);
  field.node.append(h("datalist", { id }, VALUES[what]().map(([value, label]) => h("option", { value, label }))));
}

const httpDate = (days) => new Date(Date.now() + days * DAY_MS).toUTCString();
