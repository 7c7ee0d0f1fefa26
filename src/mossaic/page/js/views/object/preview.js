/** A look at an object: pictures, sound, film and text. Nothing is ever opened as a document of this page's origin. */

import { call, presign } from "../../core/oss.js";
import { session } from "../../core/session.js";
import { h, onGone, replace } from "../../ui/dom.js";
import { bytes } from "../../ui/format.js";
import { t } from "../../ui/i18n.js";
import { icon } from "../../ui/icons.js";
import { button, skeleton } from "../../ui/parts.js";
import { problemView } from "../../ui/problem-view.js";
import { BLOB_MEDIA_LIMIT, IMAGE_LIMIT, previewKind, TEXT_LIMIT } from "./kinds.js";
import { textPreview } from "./text-preview.js";

const STREAM_S = 3600; // how long a player may go on asking for ranges

/**
 * @param {{bucket: string, facts: import("./facts.js").Facts, versionId?: string, signal: AbortSignal}} of
 * @returns {HTMLElement}
 */
export function preview(of) {
  const { facts, signal } = of;
  const { kind, type } = previewKind(facts);
  const box = h("div.preview", { dataset: { kind } });
  const show = async (make) => {
    replace(box, skeleton(3));
    try {
      const node = await make();
      if (!signal.aborted) replace(box, node);
    } catch (error) {
      if (!signal.aborted) replace(box, problemView(error, { compact: true, retry: () => show(make) }));
    }
  };
  const makers = { image: () => image(of, type), text: () => text(of, type), audio: () => media(of, "audio", type), video: () => media(of, "video", type) };
  if (facts.size === 0) replace(box, nothing("object.preview.empty"));
  else if (kind === "none") replace(box, nothing(/pdf$/.test(type) ? "object.preview.pdf" : "object.preview.none", { type: type || "–" }));
  else if (kind === "image" && facts.size > IMAGE_LIMIT) replace(box, nothing("object.preview.large", { size: bytes(facts.size) }), button(t("object.preview.anyway"), { onclick: () => show(makers.image) }));
  else show(makers[kind]);
  return box;
}

const nothing = (words, params) => h("p.preview-none.muted", icon("eye-off"), h("span", t(words, params)));

/** @returns {Promise<Blob>} of the bytes, or of the first `limit` */
async function read({ bucket, facts, versionId, signal }, limit = facts.size) {
  // Of packed bytes a range cannot be unpacked, which the browser does by itself.
  const ranged = limit < facts.size && !packed(facts);
  const headers = { "If-Match": `"${facts.etag}"`, ...(ranged ? { Range: `bytes=0-${limit - 1}` } : {}) };
  const params = { method: "GET", object: facts.key, headers, query: versionId ? { versionId } : undefined };
  const { data } = await call(params, { bucket, signal, responseType: "blob", operation: "GetObject" });
  return data;
}

const packed = (facts) => Boolean(facts.stored["Content-Encoding"]) && facts.stored["Content-Encoding"] !== "identity";

async function image(of, type) {
  const data = await read(of);
  const url = URL.createObjectURL(new Blob([data], { type }));
  const size = h("p.preview-note.muted.small");
  const node = h("figure.preview-image", h("img", { src: url, alt: t("object.preview.imageOf", { name: of.facts.key }), onload: loaded, onerror: failed }), size);
  onGone(node, () => URL.revokeObjectURL(url));
  return node;

  function loaded(event) {
    const { naturalWidth: width, naturalHeight: height } = event.target;
    size.textContent = t("object.preview.pixels", { width, height });
  }

  function failed() {
    replace(node, nothing("object.preview.broken"));
  }
}

async function text(of, type) {
  const { facts } = of;
  if (packed(facts) && facts.size > TEXT_LIMIT * 8) return nothing("object.preview.packed");
  const data = await read(of, TEXT_LIMIT);
  const raw = new Uint8Array(await data.slice(0, TEXT_LIMIT).arrayBuffer());
  return textPreview(raw, { type, whole: packed(facts) ? data.size <= TEXT_LIMIT : facts.size <= TEXT_LIMIT, size: facts.size, key: facts.key });
}

/** A player asks for the ranges it needs by itself, with an address that is good for this one object. */
async function media(of, tag, type) {
  const { bucket, facts, versionId, signal } = of;
  let src;
  if (new URL(session.live.value.endpoint).origin === location.origin) {
    src = await presign({ bucket, key: facts.key, method: "GET", expiresS: STREAM_S, query: { "response-content-type": type, ...(versionId ? { versionId } : {}) } });
  } else {
    if (facts.size > BLOB_MEDIA_LIMIT) return nothing("object.preview.large", { size: bytes(facts.size) });
    src = URL.createObjectURL(new Blob([await read(of)], { type }));
    signal.addEventListener("abort", () => URL.revokeObjectURL(src), { once: true });
  }
  const node = h(`${tag}.preview-${tag}`, { src, controls: true, preload: "metadata", "aria-label": facts.key, onerror: () => replace(box, nothing("object.preview.broken")) });
  const box = h("div", node);
  return box;
}
