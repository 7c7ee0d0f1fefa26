/** How much a choice holds, counted while one looks on; it stops at a bound and says so. */

import { live } from "../../ui/live.js";
import { toProblem } from "../../core/problem.js";
import { walk, walkVersions } from "./list.js";

export const COUNT_LIMIT = 20_000; // objects; more are "more than"

/**
 * @typedef {{objects: number, bytes: number, markers: number, counting: boolean, capped: boolean, problem: any}} Counted
 */

/**
 * @param {{bucket: string, chosen: {kind: string, key: string, size?: number}[], versions?: boolean, signal: AbortSignal, limit?: number}} what
 *   versions: count every version of everything that begins with the key
 * @returns {import("../../ui/live.js").Live<Counted>}
 */
export function count({ bucket, chosen, versions = false, signal, limit = COUNT_LIMIT }) {
  const counted = live({ objects: 0, bytes: 0, markers: 0, counting: true, capped: false, problem: null });
  run(counted, { bucket, chosen, versions, signal, limit });
  return counted;
}

async function run(counted, { bucket, chosen, versions, signal, limit }) {
  const sum = { objects: 0, bytes: 0, markers: 0 };
  let shown = performance.now();
  const add = (row) => {
    if (row.kind === "marker") sum.markers += 1;
    else sum.objects += 1;
    sum.bytes += row.size ?? 0;
    if (performance.now() - shown < 100) return;
    shown = performance.now();
    counted.update((now) => ({ ...now, ...sum }));
  };
  try {
    for (const one of chosen) {
      for await (const row of contents(bucket, one, versions, signal)) {
        add(row);
        if (sum.objects + sum.markers < limit) continue;
        counted.update((now) => ({ ...now, ...sum, counting: false, capped: true }));
        return;
      }
    }
    counted.update((now) => ({ ...now, ...sum, counting: false }));
  } catch (error) {
    if (!signal.aborted) counted.update((now) => ({ ...now, ...sum, counting: false, problem: toProblem(error) }));
  }
}

/** Everything that a choice stands for. */
export async function* contents(bucket, one, versions, signal) {
  if (one.versionId) yield one;
  else if (one.kind === "folder") yield* versions ? walkVersions({ bucket, prefix: one.key, signal }) : walk({ bucket, prefix: one.key, signal });
  else if (!versions) yield one;
  else for await (const row of walkVersions({ bucket, prefix: one.key, signal })) if (row.key === one.key) yield row;
}
