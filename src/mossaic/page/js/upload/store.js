// What has to outlive the page: unfinished uploads and their stored parts, in IndexedDB. No credentials, no bytes of files.
//
// uploads: {id, endpoint, principal, bucket, key, file, handle?, options, partSize, pieces?, uploadId, createdAt, completing?}
// parts: {id, number, offset, size, etag, crc64}, a row each, so that a part costs one small write however many there are.
// beats: {name, owner, at}, see locks.js.

const VERSION = 1;

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

const whole = (id) => IDBKeyRange.bound([id, 0], [id, Infinity]);

export class Store {
  /** @param {string} name */
  constructor(name) {
    this.name = name;
    this.opened = null;
  }

  open() {
    this.opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, VERSION);
      request.onupgradeneeded = () => {
        const database = request.result;
        database.createObjectStore("uploads", { keyPath: "id" });
        database.createObjectStore("parts", { keyPath: ["id", "number"] });
        database.createObjectStore("beats", { keyPath: "name" });
      };
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        // Another tab with a newer page wants to change the tables.
        request.result.onversionchange = () => {
          request.result.close();
          this.opened = null;
        };
        resolve(request.result);
      };
    });
    return this.opened;
  }

  /** One transaction; `work` gets the object stores. What cannot be stored (private windows, full disks) is only not there after a reload. */
  async with(names, mode, work) {
    try {
      const database = await this.open();
      const transaction = database.transaction(names, mode);
      const ended = new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      const result = work(...names.map((name) => transaction.objectStore(name)));
      const [value] = await Promise.all([result, ended]);
      return value;
    } catch (error) {
      if (mode === "readwrite" && error?.name === "DataCloneError") throw error;
      return undefined;
    }
  }

  /** @param {object} record  kept without its handle where the browser cannot store one */
  async save(record) {
    try {
      await this.with(["uploads"], "readwrite", (uploads) => done(uploads.put(record)));
    } catch {
      const { handle, ...bare } = record;
      await this.with(["uploads"], "readwrite", (uploads) => done(uploads.put(bare)));
    }
  }

  savePart(id, part) {
    return this.with(["parts"], "readwrite", (parts) => done(parts.put({ id, ...part })));
  }

  /** Parts that turned out not to be what they were taken for. */
  dropParts(id, numbers) {
    return this.with(["parts"], "readwrite", (parts) => Promise.all(numbers.map((number) => done(parts.delete([id, number])))));
  }

  forget(id) {
    return this.with(["uploads", "parts"], "readwrite", (uploads, parts) =>
      Promise.all([done(uploads.delete(id)), done(parts.delete(whole(id)))]),
    );
  }

  clearParts(id) {
    return this.with(["parts"], "readwrite", (parts) => done(parts.delete(whole(id))));
  }

  /** @returns {Promise<object[]>} */
  async records() {
    return (await this.with(["uploads"], "readonly", (uploads) => done(uploads.getAll()))) ?? [];
  }

  /** @returns {Promise<object[]>} */
  async partsOf(id) {
    return (await this.with(["parts"], "readonly", (parts) => done(parts.getAll(whole(id))))) ?? [];
  }

  /**
   * Write a heartbeat unless somebody else's is younger than `freshMs`. Answers who has it afterwards.
   * @returns {Promise<string|undefined>}
   */
  beat(name, owner, freshMs) {
    return this.with(["beats"], "readwrite", async (beats) => {
      const found = await done(beats.get(name));
      if (found && found.owner !== owner && Date.now() - found.at < freshMs) return found.owner;
      await done(beats.put({ name, owner, at: Date.now() }));
      return owner;
    });
  }

  quiet(name) {
    return this.with(["beats"], "readwrite", (beats) => done(beats.delete(name)));
  }
}
