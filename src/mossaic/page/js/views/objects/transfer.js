/** Copying and moving many objects and whole folders, with an account of each object. */

import { copyObject, moveObject } from "./copy.js";
import { each } from "./batch.js";
import { nameOf, parentOf } from "./keys.js";
import { walk } from "./list.js";

/**
 * @typedef {{kind: "object"|"folder", key: string, size?: number}} Chosen
 * @typedef {{bucket: string, prefix: string, name?: string}} Target  name: for a single choice, its new name
 */

/**
 * Where a chosen thing goes: objects get a key, folders a prefix.
 * @param {Chosen} chosen
 * @param {Target} target
 */
export function targetKey(chosen, target) {
  const name = target.name ?? (chosen.kind === "folder" ? nameOf(chosen.key) : chosen.key.slice(parentOf(chosen.key).length));
  return target.prefix + name + (chosen.kind === "folder" && !name.endsWith("/") ? "/" : "");
}

/**
 * Why the transfer cannot be: "same" (onto itself), "inside" (a folder into itself) or null.
 * @param {string} bucket
 * @param {Chosen[]} chosen
 * @param {Target} target
 */
export function transferFault(bucket, chosen, target) {
  if (bucket !== target.bucket) return null;
  for (const one of chosen) {
    const to = targetKey(one, target);
    if (to === one.key) return "same";
    if (one.kind === "folder" && to.startsWith(one.key)) return "inside";
  }
  return null;
}

/** Every object of what was chosen, as {key, size, to}. */
async function* pairs(bucket, chosen, target, signal) {
  for (const one of chosen) {
    const to = targetKey(one, target);
    if (one.kind !== "folder") {
      yield { key: one.key, size: one.size ?? 0, to };
      continue;
    }
    for await (const row of walk({ bucket, prefix: one.key, signal })) {
      yield { key: row.key, size: row.size, to: to + row.key.slice(one.key.length) };
    }
  }
}

/**
 * @param {"copy"|"move"} mode
 * @param {{bucket: string, chosen: Chosen[], target: Target, overwrite: boolean}} order
 * @param {{account: import("./batch.js").Account, signal: AbortSignal, onBytes?: (key: string, done: number, total: number) => void}} how
 */
export function transfer(mode, { bucket, chosen, target, overwrite }, { account, signal, onBytes }) {
  const act = mode === "move" ? moveObject : copyObject;
  const work = async ({ key, to }) => {
    const how = { overwrite, signal, onBytes: (done, total) => onBytes?.(key, done, total) };
    const result = await act({ bucket, key }, { bucket: target.bucket, key: to }, how);
    if (result.aclUnknown) account.notes.add("acl");
    return { skipped: result.skipped, bytes: result.bytes };
  };
  return each(pairs(bucket, chosen, target, signal), work, { account, signal });
}
