'use strict';

// What applications do with ali-oss, once for Node and for the browser. Every flow takes
// `world` {OSS, options, source(file) -> what multipartUpload takes, emit(event)} and its
// arguments, and returns a value that survives JSON.

(function expose(root) {
  function client(world, more) {
    return new world.OSS(Object.assign({}, world.options, more));
  }

  function forJson(checkpoint) {
    // A copy: the client goes on writing into its own.
    return JSON.parse(JSON.stringify(Object.assign({}, checkpoint, { file: undefined })));
  }

  function finished(result) {
    return {
      name: result.name,
      bucket: result.bucket,
      etag: result.etag,
      data: result.data,
      status: result.res.status,
      headers: result.res.headers,
    };
  }

  function bytesOf(world) {
    return typeof Buffer === 'undefined' ? world.OSS.Buffer : Buffer;
  }

  function never() {
    return new Promise(() => {});
  }

  function asArray(value) {
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value : [value];
  }

  async function failure(promise) {
    try {
      await promise;
    } catch (error) {
      return described(error);
    }
    throw new Error('this call was expected to fail');
  }

  function described(error) {
    return {
      name: error.name,
      message: error.message,
      code: error.code,
      status: error.status,
      requestId: error.requestId,
      hostId: error.hostId,
      ecCode: error.ecCode,
      partNum: error.partNum,
    };
  }

  const flows = {
    /** The plain use: upload with progress, from nothing or from a checkpoint. */
    async upload(world, { key, file, options, checkpoint }) {
      const progress = [];
      const source = await world.source(file);
      const watched = Object.assign({}, options, {
        progress: async (fraction, current) => {
          progress.push({ fraction, done: current ? current.doneParts.length : null });
          await world.emit({ event: 'progress', fraction, checkpoint: current ? forJson(current) : null });
        },
      });
      if (checkpoint) watched.checkpoint = Object.assign({}, checkpoint, { file: source });
      const result = await client(world).multipartUpload(key, source, watched);
      return Object.assign({ progress }, finished(result));
    },

    /** cancel() after `after` parts; the checkpoint is what the page would keep. */
    async cancelled(world, { key, file, options, after }) {
      const uploader = client(world);
      let kept = null;
      const error = await failure(
        uploader.multipartUpload(
          key,
          await world.source(file),
          Object.assign({}, options, {
            progress: async (fraction, current) => {
              kept = current;
              if (current && current.doneParts.length >= after) uploader.cancel();
            },
          }),
        ),
      );
      return { error, checkpoint: forJson(kept) };
    },

    /** Stands still after `after` parts until the process or the tab is killed. */
    async stalled(world, { key, file, options, after }) {
      return client(world).multipartUpload(
        key,
        await world.source(file),
        Object.assign({}, options, {
          parallel: 1,
          progress: async (fraction, current) => {
            if (current.doneParts.length < after) return;
            await world.emit({ event: 'stalled', checkpoint: forJson(current) });
            await never();
          },
        }),
      );
    },

    /** listParts and listUploads from the progress callback while the upload goes on. */
    async listing(world, { key, file, options, after }) {
      const tasks = client(world);
      let seen = null;
      const result = await client(world).multipartUpload(
        key,
        await world.source(file),
        Object.assign({}, options, {
          parallel: 1,
          progress: async (fraction, current) => {
            if (!current || seen || current.doneParts.length < after) return;
            const parts = await tasks.listParts(key, current.uploadId);
            const uploads = await tasks.listUploads({ 'max-uploads': 100 });
            seen = {
              checkpoint: forJson(current),
              parts: asArray(parts.parts),
              isTruncated: parts.isTruncated,
              uploads: uploads.uploads,
            };
          },
        }),
      );
      const left = await tasks.listUploads({ 'max-uploads': 100 });
      return Object.assign({ seen, left: left.uploads }, finished(result));
    },

    /** abortMultipartUpload by a second client during the upload, and what each call says after it. One
     * part at a time: the part after the abort is the one that is told. */
    async aborted(world, { key, file, options, after }) {
      const tasks = client(world);
      let uploadId = null;
      let abortStatus = null;
      const error = await failure(
        client(world).multipartUpload(
          key,
          await world.source(file),
          Object.assign({}, options, {
            parallel: 1,
            progress: async (fraction, current) => {
              if (abortStatus || !current || current.doneParts.length < after) return;
              uploadId = current.uploadId;
              abortStatus = (await tasks.abortMultipartUpload(key, uploadId)).res.status;
            },
          }),
        ),
      );
      return {
        error,
        uploadId,
        abortStatus,
        again: await failure(tasks.abortMultipartUpload(key, uploadId)),
        list: await failure(tasks.listParts(key, uploadId)),
        part: await failure(tasks.uploadPart(key, uploadId, 1, await world.source(file), 0, 102400)),
        complete: await failure(
          tasks.completeMultipartUpload(key, uploadId, [{ number: 1, etag: '"0123456789ABCDEF0123456789ABCDEF"' }]),
        ),
        uploads: (await tasks.listUploads({ 'max-uploads': 100 })).uploads,
      };
    },

    /** Same client, same button: abortMultipartUpload also raises the cancel flag of its own client. */
    async abortedByItself(world, { key, file, options, after }) {
      const uploader = client(world);
      let abortion = null;
      const error = await failure(
        uploader.multipartUpload(
          key,
          await world.source(file),
          Object.assign({}, options, {
            progress: async (fraction, current) => {
              if (abortion || !current || current.doneParts.length < after) return;
              abortion = uploader.abortMultipartUpload(current.name, current.uploadId);
              await abortion;
            },
          }),
        ),
      );
      return { error, abortStatus: (await abortion).res.status };
    },

    /** The seven calls one at a time; `completeHeaders` go to Complete only. */
    async steps(world, { key, file, partSize, size, initOptions, completeOptions }) {
      const uploader = client(world);
      const source = await world.source(file);
      const started = await uploader.initMultipartUpload(key, initOptions);
      const done = [];
      for (let number = 1; (number - 1) * partSize < size; number += 1) {
        const start = (number - 1) * partSize;
        const part = await uploader.uploadPart(key, started.uploadId, number, source, start, Math.min(start + partSize, size));
        done.push({ number, etag: part.etag });
      }
      const result = await uploader.completeMultipartUpload(key, started.uploadId, done, completeOptions);
      return Object.assign({ uploadId: started.uploadId, parts: done }, finished(result));
    },

    async complete(world, { key, uploadId, parts, options }) {
      return finished(await client(world).completeMultipartUpload(key, uploadId, parts, options));
    },

    async head(world, { key }) {
      const result = await client(world).head(key);
      return { status: result.status, meta: result.meta, headers: result.res.headers };
    },

    async tags(world, { key }) {
      return (await client(world).getObjectTagging(key)).tag;
    },

    /** Bytes come back as base64: the browser build answers a Buffer shim. */
    async get(world, { key, headers }) {
      const result = await client(world).get(key, { headers });
      const bytes = bytesOf(world).from(result.content);
      return { status: result.res.status, headers: result.res.headers, base64: bytes.toString('base64') };
    },

    async put(world, { key, file, options }) {
      const result = await client(world).put(key, await world.source(file), options);
      return { name: result.name, status: result.res.status, headers: result.res.headers, data: result.data };
    },

    /** A copy in one call, and one by parts. */
    async copied(world, { key, bucket, size, partSize }) {
      const copier = client(world);
      const whole = await copier.copy(`${key}-whole`, key);
      const parts = await copier.multipartUploadCopy(
        `${key}-parts`,
        { sourceKey: key, sourceBucketName: bucket, startOffset: 0, endOffset: size },
        { partSize },
      );
      return { whole: whole.data.etag, parts: parts.etag };
    },

    async appended(world, { key, files }) {
      let position = 0;
      for (const file of files) {
        const answer = await client(world).append(key, await world.source(file), { position });
        position = Number(answer.nextAppendPosition);
      }
      return { position };
    },

    async remove(world, { key }) {
      return { status: (await client(world).delete(key)).res.status };
    },

    async list(world, { prefix }) {
      const result = await client(world).list({ prefix, 'max-keys': 100 });
      return (result.objects || []).map((object) => ({ name: object.name, size: object.size, etag: object.etag }));
    },

    async signedUrl(world, { key, options }) {
      const signer = client(world);
      if (!world.options.authorizationV4) return { url: signer.signatureUrl(key, options) };
      return { url: await signer.signatureUrlV4(options.method || 'GET', options.expires, {}, key) };
    },

    /** STS.assumeRole of ali-oss, then the temporary triple in a client. */
    async assumeRole(world, { endpoint, role, policy, session }) {
      const sts = new world.OSS.STS({
        accessKeyId: world.options.accessKeyId,
        accessKeySecret: world.options.accessKeySecret,
        endpoint,
      });
      const answer = await sts.assumeRole(role, policy, 900, session);
      return answer.credentials;
    },
  };

  const exported = { flows, described };
  if (typeof module === 'object' && module.exports) module.exports = exported;
  else root.mossaicFlows = exported;
})(typeof window === 'undefined' ? globalThis : window);
