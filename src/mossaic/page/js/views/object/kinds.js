/** What may be shown of an object, and as what: only types that cannot act, whatever the object says it is. */

const MIB = 1024 ** 2;
export const IMAGE_LIMIT = 32 * MIB; // bytes; shown without asking
export const TEXT_LIMIT = 256 * 1024; // bytes of a text that are read
export const BLOB_MEDIA_LIMIT = 64 * MIB; // where media cannot be streamed

// An SVG is a document that can hold scripts: it is shown as its source.
const IMAGES = new Set(["image/png", "image/jpeg", "image/gif", "image/webp", "image/avif", "image/bmp", "image/x-icon", "image/vnd.microsoft.icon"]);
const TEXTS = /^(text\/|application\/(json|.+\+json|xml|.+\+xml|javascript|x-javascript|ecmascript|x-ndjson|yaml|x-yaml|toml|sql|x-sh|x-httpd-php|graphql)$|image\/svg\+xml$)/;
const MEDIA = /^(audio|video)\/[a-z0-9.+-]+$/;

const BY_ENDING = {
  png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg", gif: "image/gif", webp: "image/webp", avif: "image/avif", bmp: "image/bmp", ico: "image/x-icon",
  mp3: "audio/mpeg", m4a: "audio/mp4", aac: "audio/aac", wav: "audio/wav", ogg: "audio/ogg", oga: "audio/ogg", opus: "audio/ogg", flac: "audio/flac",
  mp4: "video/mp4", m4v: "video/mp4", webm: "video/webm", ogv: "video/ogg", mov: "video/quicktime",
};
const TEXT_ENDINGS = new Set(
  ("txt log md markdown csv tsv json jsonl ndjson geojson xml svg html htm css js mjs cjs ts tsx jsx py rb go rs java kt c h cc cpp hpp cs sh bash zsh ps1 bat sql yaml yml toml ini conf cfg env " +
    "properties tex rst adoc srt vtt diff patch dockerfile makefile gitignore php lua pl r swift scala proto graphql pem crt csr").split(" "),
);

const ending = (key) => /([^./]+)$/.exec(key.toLowerCase())?.[1] ?? "";

/**
 * @param {import("./facts.js").Facts} facts
 * @returns {{kind: "image"|"text"|"audio"|"video"|"none", type: string}}  type: the one to show it as
 */
export function previewKind({ key, stored }) {
  const said = (stored["Content-Type"] ?? "").split(";")[0].trim().toLowerCase();
  const vague = said === "" || said === "application/octet-stream" || said === "binary/octet-stream";
  const type = vague ? (BY_ENDING[ending(key)] ?? (TEXT_ENDINGS.has(ending(key)) ? "text/plain" : said)) : said;
  if (IMAGES.has(type)) return { kind: "image", type };
  if (TEXTS.test(type)) return { kind: "text", type };
  if (MEDIA.test(type)) return { kind: type.startsWith("audio") ? "audio" : "video", type };
  return { kind: "none", type };
}

/** Whether the first bytes look like no text at all. @param {Uint8Array} bytes */
export function looksBinary(bytes) {
  const first = bytes.subarray(0, 4096);
  if (isWide(bytes)) return false;
  return first.some((byte) => byte < 9 || (byte > 13 && byte < 27) || (byte > 27 && byte < 32));
}

const isWide = (bytes) => (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);

/**
 * Bytes as text: UTF-8, or UTF-16 where a byte order mark says so, else GB 18030, which old Chinese files are in.
 * @param {Uint8Array} bytes
 * @param {boolean} whole  false: the last character may be cut
 * @returns {{text: string, encoding: string}}
 */
export function decodeText(bytes, whole) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return { text: new TextDecoder("utf-16le").decode(bytes), encoding: "UTF-16" };
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return { text: new TextDecoder("utf-16be").decode(bytes), encoding: "UTF-16" };
  for (const encoding of ["UTF-8", "GB18030"]) {
    try {
      return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: !whole }), encoding };
    } catch {
      // the next
    }
  }
  return { text: new TextDecoder("windows-1252").decode(bytes), encoding: "Windows-1252" };
}
