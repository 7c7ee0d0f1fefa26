// A worker that reads Blobs block by block and tells their CRC-64 and MD5. The page itself never reads a byte of a file.

import { Crc64 } from "./crc64.js";
import { Md5, hex } from "./md5.js";

// A part of the usual size in one go: reading it MiB by MiB costs twice the CPU, which goes into asking the browser's process.
const BLOCK = 8 * 1024 * 1024;
const dropped = new Set();

/** @param {{id: number, blob?: Blob, md5?: boolean, drop?: boolean}} asked */
async function answer({ id, blob, md5, drop }) {
  if (drop) {
    dropped.add(id);
    return;
  }
  const crc = new Crc64();
  const digest = md5 ? new Md5() : null;
  try {
    for (let at = 0; at < blob.size && !dropped.has(id); at += BLOCK) {
      const bytes = new Uint8Array(await blob.slice(at, at + BLOCK).arrayBuffer());
      crc.update(bytes);
      digest?.update(bytes);
    }
    const raw = digest?.digest() ?? null;
    self.postMessage({ id, crc64: crc.value(), md5: raw && hex(raw), raw });
  } catch (error) {
    self.postMessage({ id, error: { name: error.name, message: error.message } });
  } finally {
    dropped.delete(id);
  }
}

self.addEventListener("message", (event) => answer(event.data));
