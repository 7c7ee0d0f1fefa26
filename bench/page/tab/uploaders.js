// One function an uploader: sends the picked file to the origin that served this page, and resolves when the object is complete.
// Each is set up by `ready` before the clock starts.

const BUCKET = "bench-bucket";
const KEY = "folder/upload.bin";
const KEYS = { accessKeyId: "benchkeyid000000", accessKeySecret: "benchsecret0000000000000000000000", securityToken: "benchtoken" };
const file = () => document.querySelector("#file").files[0];

/** @typedef {{partSize: number, parallel: number}} Job */

const makers = {
  /** ali-oss as its documents show it. @param {Job} job */
  async aliOss({ partSize, parallel }) {
    const client = new globalThis.OSS({
      endpoint: location.origin,
      region: "oss-cn-hangzhou",
      accessKeyId: KEYS.accessKeyId,
      accessKeySecret: KEYS.accessKeySecret,
      stsToken: KEYS.securityToken,
      bucket: BUCKET,
      authorizationV4: true,
      sldEnable: true,
      timeout: 120_000,
      refreshSTSToken: async () => KEYS,
      refreshSTSTokenInterval: 3_600_000,
    });
    return () => client.multipartUpload(KEY, file(), { partSize, parallel });
  },

  /** uppy sends the parts of one file one after the other; 5 MiB are its least. Signing costs it nothing here. @param {Job} job */
  async uppy({ partSize }) {
    const { Uppy, AwsS3 } = await import("/uppy.mjs");
    const uppy = new Uppy({ autoProceed: false });
    uppy.use(AwsS3, {
      shouldUseMultipart: true,
      getChunkSize: () => partSize,
      signRequest: async ({ key, uploadId, partNumber, method }) => {
        const query = new URLSearchParams();
        if (method === "POST" && !uploadId) query.set("uploads", "");
        if (uploadId) query.set("uploadId", uploadId);
        if (partNumber) query.set("partNumber", String(partNumber));
        return { url: `${location.origin}/${BUCKET}/${key}?${query}` };
      },
    });
    uppy.addFile({ name: "upload.bin", type: "application/octet-stream", data: file(), source: "bench" });
    return async () => {
      const { failed } = await uppy.upload();
      if (failed.length) throw new Error(String(failed[0].error));
    };
  },

  /** The engine with what it does by itself. @param {Job} job */
  mossaic: (job) => engine(job, true),

  mossaicMd5: (job) => engine(job, "md5"),

  /** What the browser can do at most: no signature, no check, no retry. @param {Job} job */
  async bareXhr({ partSize, parallel }) {
    return async () => {
      const url = `${location.origin}/${BUCKET}/${KEY}`;
      const begun = await bare("POST", `${url}?uploads=`);
      const uploadId = /<UploadId>(.*?)<\/UploadId>/.exec(begun)[1];
      const count = Math.ceil(file().size / partSize);
      let next = 1;
      const lane = async () => {
        while (next <= count) {
          const number = next;
          next += 1;
          await bare("PUT", `${url}?partNumber=${number}&uploadId=${uploadId}`, file().slice((number - 1) * partSize, number * partSize));
        }
      };
      await Promise.all(Array.from({ length: parallel }, lane));
      const list = Array.from({ length: count }, (_, at) => `<Part><PartNumber>${at + 1}</PartNumber></Part>`);
      await bare("POST", `${url}?uploadId=${uploadId}`, `<CompleteMultipartUpload>${list.join("")}</CompleteMultipartUpload>`);
    };
  },
};

async function engine({ partSize, parallel }, verify) {
  const [{ Uploads }, oss, { session }] = await Promise.all([
    import("/-/console/js/upload/uploads.js"),
    import("/-/console/js/core/oss.js"),
    import("/-/console/js/core/session.js"),
  ]);
  session.adopt({ ...KEYS, endpoint: location.origin });
  const uploads = new Uploads({ oss, session });
  return () =>
    new Promise((resolve, reject) => {
      const [task] = uploads.add([{ file: file(), key: KEY }], { bucket: BUCKET, options: { partSize, parallel, verify } });
      task.watch(() => {
        if (task.state === "done") resolve();
        if (task.state === "failed") reject(task.problem);
      });
    });
}

function bare(method, url, body = null) {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.onload = () => (xhr.status < 300 ? resolve(xhr.responseText) : reject(new Error(`${method}: ${xhr.status}`)));
    xhr.onerror = () => reject(new Error(`${method}: no answer`));
    xhr.send(body);
  });
}

window.ready = async (name, job) => {
  window.upload = await makers[name](job);
};

/** Seconds. */
window.measured = async () => {
  const began = performance.now();
  await window.upload();
  return (performance.now() - began) / 1000;
};
