// Files from a picker or a drop, with paths and, where the browser has them, handles that survive a reload.

/**
 * @typedef {object} Found
 * @property {File|null} file  null for an empty folder
 * @property {string} path  "folder/name", "/" between, no leading slash; an empty folder ends in "/"
 * @property {FileSystemFileHandle} [handle]
 */

const byPath = (a, b) => (a.path < b.path ? -1 : Number(a.path > b.path));

/** Ask for files, or for a folder. [] when the person changed their mind. Call it from a click. @returns {Promise<Found[]>} */
export async function pick({ multiple = true, directory = false } = {}) {
  // Handles exist in Chromium, and in secure contexts only.
  if (directory ? window.showDirectoryPicker : window.showOpenFilePicker) {
    try {
      return directory ? await pickedFolder() : await pickedFiles(multiple);
    } catch (error) {
      if (error.name === "AbortError") return [];
      if (error.name !== "SecurityError" && error.name !== "NotAllowedError") throw error;
      // A frame of another origin may not open it; an input may.
    }
  }
  return pickByInput(multiple, directory);
}

async function pickedFiles(multiple) {
  const handles = await window.showOpenFilePicker({ multiple });
  return Promise.all(handles.map(async (handle) => ({ file: await handle.getFile(), path: handle.name, handle })));
}

async function pickedFolder() {
  const folder = await window.showDirectoryPicker({ mode: "read" });
  return (await walkHandle(folder, folder.name)).sort(byPath);
}

function pickByInput(multiple, directory) {
  const input = document.createElement("input");
  input.type = "file";
  input.multiple = multiple;
  input.webkitdirectory = directory;
  return new Promise((resolve) => {
    input.addEventListener("change", () => resolve(fromInput(input)), { once: true });
    input.addEventListener("cancel", () => resolve([]), { once: true });
    input.click();
  });
}

/** Of an <input type="file">, with webkitdirectory as well. @returns {Found[]} */
export function fromInput(input) {
  return Array.from(input.files ?? [], (file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/**
 * What was dropped, folders walked through. Call it in the drop event: the browser empties the list after it.
 * @param {DataTransfer} transfer @returns {Promise<Found[]>}
 */
export async function fromDrop(transfer) {
  const items = Array.from(transfer.items ?? []).filter((item) => item.kind === "file");
  // All have to be asked before the first wait.
  const asked = items.map((item) => ({
    handle: item.getAsFileSystemHandle?.().catch(() => null),
    entry: item.webkitGetAsEntry?.() ?? null,
    file: item.getAsFile(),
  }));
  if (!asked.length) return Array.from(transfer.files ?? [], (file) => ({ file, path: file.name }));
  const found = await Promise.all(asked.map(dropped));
  return found.flat().sort(byPath);
}

async function dropped({ handle: coming, entry, file }) {
  const handle = await coming;
  if (handle?.kind === "directory") return walkHandle(handle, handle.name);
  if (handle) return [{ file: file ?? (await handle.getFile()), path: handle.name, handle }];
  if (entry?.isDirectory) return walkEntry(entry, entry.name);
  return file ? [{ file, path: file.name }] : [];
}

async function walkHandle(folder, path) {
  const found = [];
  for await (const handle of folder.values()) {
    const inner = `${path}/${handle.name}`;
    if (handle.kind === "directory") found.push(...(await walkHandle(handle, inner)));
    else found.push({ file: await handle.getFile(), path: inner, handle });
  }
  return found.length ? found : [{ file: null, path: `${path}/` }];
}

/** Folders where there are no handles: Firefox, and plain http. */
async function walkEntry(folder, path) {
  const found = [];
  for (const entry of await entriesOf(folder)) {
    const inner = `${path}/${entry.name}`;
    if (entry.isDirectory) found.push(...(await walkEntry(entry, inner)));
    else found.push({ file: await new Promise((resolve, reject) => entry.file(resolve, reject)), path: inner });
  }
  return found.length ? found : [{ file: null, path: `${path}/` }];
}

/** Chromium tells a hundred entries at a time, until it tells none. */
async function entriesOf(folder) {
  const reader = folder.createReader();
  const all = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return all;
    all.push(...some);
  }
}
