// Puts the engine into a bare page and offers its calls to a test as window.bench.
(async () => {
  const [{ Uploads }, oss, { session }] = await Promise.all([
    import("/-/console/js/upload/uploads.js"),
    import("/-/console/js/core/oss.js"),
    import("/-/console/js/core/session.js"),
  ]);
  const input = document.createElement("input");
  input.type = "file";
  input.id = "file";
  input.multiple = true;
  document.body.append(input);
  const uploads = new Uploads({ oss, session });
  const history = new Map(); // task -> what it was seen to send, in order

  const watched = (task) => {
    const seen = { sent: [], states: [] };
    history.set(task, seen);
    task.watch(() => {
      seen.sent.push(task.sent);
      if (seen.states.at(-1) !== task.state) seen.states.push(task.state);
    });
    return uploads.tasks.value.indexOf(task);
  };
  const at = (number) => uploads.tasks.value[number];
  const problemOf = (problem) => problem && { kind: problem.kind, code: problem.code, message: problem.message };
  const caught = async (promise) => {
    try {
      await promise;
      return null;
    } catch (problem) {
      return problemOf(problem);
    }
  };

  window.bench = {
    at,
    uploads,
    oss,
    session,
    signIn: async (accessKeyId, accessKeySecret) => void (await session.signIn({ accessKeyId, accessKeySecret })),
    restoreSession: () => session.restore(),
    add(bucket, key, options) {
      const items = Array.from(input.files, (file, index) => ({ file, key: index ? `${key}-${index}` : key }));
      return uploads.add(items, { bucket, options }).map(watched)[0];
    },
    /** A file of the origin's own storage: one that has a handle. */
    async addStored(bucket, key, options, name) {
      const root = await navigator.storage.getDirectory();
      const handle = await root.getFileHandle(name, { create: true });
      const writable = await handle.createWritable();
      await writable.write(input.files[0]);
      await writable.close();
      const file = await handle.getFile();
      return uploads.add([{ file, key, handle }], { bucket, options }).map(watched)[0];
    },
    restore: async () => (await uploads.restore()).map(watched),
    adopt: (found) => watched(uploads.adopt({ ...found, file: input.files[0] })),
    fromCheckpoint: (json, more) => watched(uploads.fromCheckpoint(json, { ...more, file: input.files[0] })),
    provide: (number) => caught(at(number).provide(input.files[0])),
    act: (number, verb) => caught(at(number)[verb]()),
    checkpoint: (number) => at(number).checkpoint(),
    seen(number) {
      const task = at(number);
      const { state, sent, stored, total, speed, eta, partSize, retries, uploadId, result, checkedBytes, checkTotal, key } = task;
      const seen = history.get(task);
      const back = seen.sent.findIndex((bytes, index) => index > 0 && bytes < seen.sent[index - 1]);
      return {
        state, sent, stored, total, speed, eta, partSize, retries, uploadId, result, checkedBytes, checkTotal, key,
        parts: Array.from(task.parts), problem: problemOf(task.problem), states: seen.states, monotonic: back < 0,
      };
    },
  };
})();
