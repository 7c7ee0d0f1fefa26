// Files from a picker or a drop, with paths and, where the browser has them, handles that survive a reload.

/**
 * @typedef {object} Found
 * @property {File|null} file  null for an empty folder
 * @property {string} path  "folder/name", "/" between, no leading slash; an empty folder ends in "/"
 * @property {FileSystemFileHandle} [handle]
 */

/** Ask for files, or a folder. [] when the person changed their mind. Call it from a click. @returns {Promise<Found[]>} */
export async function pick({ multiple = true, directory = false } = {}) {}

/** What was dropped, folders walked through. Call it in the drop event: the list is empty after it. @returns {Promise<Found[]>} */
export async function fromDrop(dataTransfer) {}

/** Of an <input type="file">, also with webkitdirectory. @returns {Found[]} */
export function fromInput(input) {}
