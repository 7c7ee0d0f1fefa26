// The requests of an upload, one try each where a step has its own idea of another; core/oss.js signs and sends them. CRC-64 values are BigInts here.

const big = (text) => (text ? BigInt(text) : null);
const upper = (etag) => etag.toUpperCase();

const stored = (answer) => ({ ...answer, etag: upper(answer.etag), crc64: big(answer.crc64), versionId: answer.versionId || null });

/**
 * @typedef {{bucket: string, key: string}} Place
 * @typedef {{etag: string, crc64: bigint|null, requestId: string, versionId: string|null, callback: string|null}} Stored
 */
export class Wire {
  /** @param {object} oss  module namespace of core/oss.js */
  constructor(oss) {
    this.oss = oss;
  }

  /** @param {Place} place @returns {Promise<string>} the upload id */
  async initiate({ bucket, key }, headers) {
    return (await this.oss.initiate({ bucket, key, headers, retry: false })).uploadId;
  }

  /** @param {Place} place @param {{uploadId: string, number: number, body: Blob, headers: object, signal: AbortSignal, onUpload: (sent: number) => void}} part */
  async part({ bucket, key }, { number, ...part }) {
    return stored(await this.oss.uploadPart({ bucket, key, partNumber: number, retry: false, ...part }));
  }

  /** @param {Place} place @returns {Promise<Stored>} */
  async put({ bucket, key }, asked) {
    return stored(await this.oss.put({ bucket, key, retry: false, ...asked }));
  }

  /** @param {Place} place @returns {Promise<Stored>} */
  async complete({ bucket, key }, asked) {
    return stored(await this.oss.complete({ bucket, key, retry: false, ...asked }));
  }

  abort({ bucket, key }, uploadId) {
    return this.oss.abort({ bucket, key, uploadId });
  }

  /** Whether the upload is there. Asked by listing where that is allowed: a browser logs every 404 as an error. @param {Place} place */
  async exists({ bucket, key }, uploadId) {
    try {
      for (let next = {}; next; ) {
        const page = await this.oss.listUploads({ bucket, prefix: key, ...next });
        if (page.uploads.some((upload) => upload.uploadId === uploadId)) return true;
        next = page.next;
      }
      return false;
    } catch (problem) {
      if (problem.status !== 403) throw problem;
    }
    try {
      await this.oss.listParts({ bucket, key, uploadId });
      return true;
    } catch (problem) {
      if (problem.code === "NoSuchUpload") return false;
      throw problem;
    }
  }

  /** @param {Place} place @returns {Promise<{number: number, size: number, etag: string, crc64: bigint|null}[]>} */
  async listParts({ bucket, key }, uploadId, signal) {
    const listed = await this.oss.listParts({ bucket, key, uploadId, signal, retry: false });
    return listed.map((part) => ({ ...part, etag: upper(part.etag), crc64: big(part.crc64) }));
  }

  /** @param {Place} place null: no such object, or not for us to see */
  async head({ bucket, key }) {
    try {
      const found = await this.oss.head({ bucket, key });
      if (!found) return null;
      const { headers } = found;
      return { ...stored(found), size: found.size, requestId: headers.get("x-oss-request-id") ?? "", versionId: headers.get("x-oss-version-id") ?? null };
    } catch (problem) {
      if (problem.status === 403) return null;
      throw problem;
    }
  }

  /** Whether anything answers there, be it a refusal. @param {Place & {uploadId: string|null}} place */
  async reaches({ bucket, key, uploadId }) {
    try {
      const query = { "max-parts": "1" };
      const asked = uploadId ? { method: "GET", object: key, subres: { uploadId }, query } : { method: "HEAD", object: key };
      await this.oss.call(asked, { bucket, retry: false, idleMs: 10_000, operation: "probe" });
      return true;
    } catch (problem) {
      return problem.status > 0 || !["offline", "network", "timeout"].includes(problem.kind);
    }
  }
}
