// All uploads of this page: what is going on, what was left by an earlier visit, and limits they share. No DOM in here.

/**
 * @typedef {object} Item  A file to be sent.
 * @property {File} file
 * @property {string} key  the object key
 * @property {FileSystemFileHandle} [handle]  kept in IndexedDB, so that a later visit can go on without picking the file again
 *
 * @typedef {object} UploadOptions
 * @property {"auto"|number} [partSize]  bytes; "auto": 8 MiB, more where a file would have over 2,000 parts
 * @property {number} [parallel]  parts at once, 4
 * @property {Record<string, string>} [headers]  Cache-Control, Content-Disposition, Content-Encoding, Expires, x-oss-…
 * @property {string} [storageClass]  Standard, IA, Archive…
 * @property {Record<string, string>} [tags]
 * @property {Record<string, string>} [meta]  without the prefix x-oss-meta-
 * @property {string} [mime]  default: the file's type
 * @property {boolean} [forbidOverwrite]
 * @property {"replace"|"refuse"|"rename"|"skip"} [conflict]  where the key is taken: "refuse" is forbidOverwrite; "rename": name (1).txt …;
 *     "skip": done at once when the object has this very content (`result.skipped`), else replaced
 * @property {{url: string, host?: string, body: string, contentType?: string, customValue?: Record<string, string>}} [callback]
 * @property {string} [acl]  private, public-read…
 * @property {boolean|"md5"} [verify]  true: CRC-64 of every part and of the object (MD5 where the server tells no CRC); "md5": both of every part
 *
 * @typedef {object} Overall
 * @property {number} sent  bytes, of all tasks that are not gone
 * @property {number} total
 * @property {number} speed  bytes a second, 0 while nothing moves
 * @property {number|null} eta  seconds; null: not known yet
 * @property {number} active  checking, sending, completing or offline
 * @property {number} waiting
 * @property {number} done
 * @property {number} failed
 */

export class Uploads {
  /** @param {{oss: object, session: object, storeName?: string}} world  oss: module namespace of core/oss.js */
  constructor({ oss, session, storeName = "mossaic" }) {}

  /** Live<Task[]>, in the order they were added. Members: tasks, overall (Live<Overall>), bandwidth (Live<number>, bytes a second, 0 = none), jobs (Live<number>). */

  /**
   * @param {Item[]} items
   * @param {{bucket: string, options?: UploadOptions}} where
   * @returns {import("./task.js").Task[]}
   */
  add(items, { bucket, options }) {}

  /** What earlier visits of this page left unfinished, of this endpoint and principal. @returns {Promise<import("./task.js").Task[]>} */
  async restore() {}

  /**
   * Go on with an upload that somebody else began: the CLI, the SDK, ali-oss, another browser. Kept parts are proved against `file`.
   * Without `file` the task waits in state needs-file.
   * @param {{bucket: string, key: string, uploadId: string, file?: File, handle?: FileSystemFileHandle, checkpoint?: object, options?: UploadOptions}} found
   * @returns {import("./task.js").Task}
   */
  adopt(found) {}

  /** The task of a checkpoint (text or object) as ali-oss, the SDK or `mossaic uploads export` writes it. Throws Problem kind "invalid". */
  fromCheckpoint(json, { bucket, file, handle } = {}) {}

  pauseAll() {}
  resumeAll() {}
  /** Take finished and aborted tasks off the list. */
  clearDone() {}
  /** Take one task that does not run off the list; what it stored stays on the server and can be restored. */
  remove(task) {}
}
