// One file on its way: its state, its steps, and what a person can do to it.

/**
 * @typedef {"waiting"|"checking"|"sending"|"paused"|"offline"|"completing"|"done"|"failed"|"cancelled"|"aborted"|"needs-file"} State
 *
 * @typedef {object} Result
 * @property {string} etag  bare
 * @property {string|null} crc64  decimal
 * @property {string} requestId
 * @property {string|null} versionId
 * @property {*} callback  what the callback's receiver answered (parsed JSON, or text), null without callback
 * @property {boolean} [found]  the answer to Complete was lost and the object was looked up
 * @property {boolean} [skipped]  the object was there already
 */

/** Fields are read only outside the engine. `watch` tells of changes, at most ten times a second but at once for a new state. */
export class Task {
  /**
   * Fields: id, bucket, key, file {name,size,lastModified,type}, options, state, sent (monotonic), stored (bytes), total, speed, eta (s or null),
   * partSize, parts (Uint8Array: 0 waiting, 1 sending, 2 stored, 3 trouble, 4 kept & proven), retries, uploadId (null before Initiate and for
   * a single PUT), problem (Problem or null), result (Result or null), checkedBytes, checkTotal (bytes of kept parts to be proved), handle
   * (bool: goes on without picking), createdAt (Date).
   */

  /** @param {(task: Task) => void} fn  called at once and on changes @param {{signal?: AbortSignal, now?: boolean}} [options] @returns {() => void} */
  watch(fn, { signal, now = true } = {}) {}

  /** Stop sending; parts that end within seconds are finished, others begin anew later. */
  pause() {}
  /** Go on after pause, cancel or failure. With a stored handle this asks for permission: call it from a click. */
  async resume() {}
  /** The same as resume, for a failed task. Where the upload is gone (problem.kind "missing"), it begins anew. */
  async retry() {}
  /** Stop at once; what is stored stays on the server and `resume` goes on. */
  cancel() {}
  /** Stop and free the parts on the server. Resolves when the server lists nothing. */
  async abort() {}
  /** The file of a task in needs-file (or a task whose file changed). Rejects with Problem kind "changed" for another file. */
  async provide(file, handle) {}
  /** JSON-safe, as mossaic.Checkpoint and ali-oss read it; null before the upload has an id. */
  checkpoint() {}
}
