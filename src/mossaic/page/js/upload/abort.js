// Abort until the server lists nothing: a part that was in flight may land after the first one.

import { toProblem } from "../core/problem.js";
import { sleep } from "./stop.js";

const MOST_TRIES = 10;

export async function abortUntilGone({ wire, line }, place, uploadId) {
  for (let tries = 1; ; tries += 1) {
    try {
      await wire.abort(place, uploadId);
      if (!(await wire.exists(place, uploadId))) return;
    } catch (error) {
      const problem = toProblem(error);
      if (!problem.retryable || tries >= MOST_TRIES) throw problem;
      if (problem.status === 0) await line.up();
    }
    if (tries >= MOST_TRIES) throw toProblem(new Error("the upload is still listed"));
    await sleep(200 * tries);
  }
}
