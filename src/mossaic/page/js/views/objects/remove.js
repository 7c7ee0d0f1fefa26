/** Deleting objects and versions: many in one request, singly where the many cannot be told apart or named. */

import { call, children, xml } from "../../core/oss.js";
import { toProblem } from "../../core/problem.js";
import { groups, some, stopped } from "./batch.js";
import { fitsXml, xmlText } from "./keys.js";

const AT_ONCE = 500; // keys of one request; the service takes 1000, half keeps progress visible
const SINGLY = 6;

/** Delete one object (in a bucket with versions: put a delete marker on it) or one version for good. */
export function removeOne({ bucket, key, versionId, signal }) {
  const query = versionId ? { versionId } : undefined;
  return call({ method: "DELETE", object: key, query }, { bucket, signal });
}

/**
 * Delete everything that `items` gives; each is {key, versionId?, size?}.
 * @param {string} bucket
 * @param {AsyncIterable<{key: string, versionId?: string, size?: number}>|Iterable<any>} items
 * @param {{account: import("./batch.js").Account, signal?: AbortSignal}} how
 */
export async function removeMany(bucket, items, { account, signal }) {
  try {
    for await (const group of groups(items, AT_ONCE)) {
      if (signal?.aborted || account.value.stopped) break;
      await removeGroup(bucket, group, { account, signal });
    }
    if (signal?.aborted) account.stops(stopped());
  } catch (error) {
    account.stops(toProblem(error));
  } finally {
    account.ends();
  }
}

async function removeGroup(bucket, group, { account, signal }) {
  const together = group.filter((item) => fitsXml(item.key));
  const alone = group.filter((item) => !fitsXml(item.key));
  if (together.length === 1) alone.push(...together.splice(0));
  if (together.length) alone.push(...(await tryTogether(bucket, together, { account, signal })));
  if (alone.length) await removeSingly(bucket, alone, { account, signal });
}

/** What has to be tried one by one: the service refuses a request as a whole when one of its keys is refused. */
async function tryTogether(bucket, group, { account, signal }) {
  account.starts(group[0].key);
  const list = group.map(({ key, versionId }) => {
    const version = versionId ? `<VersionId>${xmlText(versionId)}</VersionId>` : "";
    return `<Object><Key>${xmlText(key)}</Key>${version}</Object>`;
  });
  const content = `<?xml version="1.0" encoding="UTF-8"?><Delete><Quiet>false</Quiet>${list.join("")}</Delete>`;
  let doc;
  try {
    const params = { method: "POST", subres: "delete", query: { "encoding-type": "url" }, content };
    const answer = await call({ ...params, headers: { "Content-Type": "application/xml" } }, { bucket, signal });
    doc = xml(answer.data);
  } catch (error) {
    const problem = toProblem(error);
    if (!["denied", "invalid", "unknown"].includes(problem.kind)) throw problem;
    return group;
  }
  return notDeleted(doc, group, account);
}

function notDeleted(doc, group, account) {
  const name = ({ Key, VersionId }) => `${decodeURIComponent(Key.replace(/\+/g, "%20"))}\0${VersionId ?? ""}`;
  const gone = new Set(children(doc, "Deleted").map(name));
  return group.filter((item) => {
    if (!gone.has(`${item.key}\0${item.versionId ?? ""}`)) return true;
    account.done(item.key, item.size ?? 0);
    return false;
  });
}

function removeSingly(bucket, group, { account, signal }) {
  const work = async (item) => {
    await removeOne({ bucket, key: item.key, versionId: item.versionId, signal });
    return { bytes: item.size ?? 0 };
  };
  return some(group, work, { account, parallel: SINGLY, signal });
}
