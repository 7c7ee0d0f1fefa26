// CRC-64 as OSS tells it in x-oss-hash-crc64ecma: CRC-64/XZ, of ECMA-182's polynomial, reflected. "123456789" gives 0x995DC9BBDF1939FA.
//
// JavaScript has no fast 64-bit integers, so that a value is kept in two halves of 32 bits, in tables as well; eight bytes go in one step (sixteen were slower: the tables then fill
// the nearest cache; BigInt tables were fifteen times slower).

const POLYNOMIAL_LOW = 0xd7870f42 | 0;
const POLYNOMIAL_HIGH = 0xc96c5795 | 0;
const SLICES = 8;

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** LOW[k * 256 + b], HIGH[…]: what byte b is worth with k bytes after it. */
const LOW = new Int32Array(SLICES * 256);
const HIGH = new Int32Array(SLICES * 256);

for (let byte = 0; byte < 256; byte += 1) {
  let low = byte;
  let high = 0;
  for (let bit = 0; bit < 8; bit += 1) {
    const odd = low & 1;
    low = (low >>> 1) | (high << 31);
    high >>>= 1;
    if (odd) {
      low ^= POLYNOMIAL_LOW;
      high ^= POLYNOMIAL_HIGH;
    }
  }
  LOW[byte] = low;
  HIGH[byte] = high;
}
for (let at = 256; at < SLICES * 256; at += 1) {
  const low = LOW[at - 256];
  const high = HIGH[at - 256];
  LOW[at] = ((low >>> 8) | (high << 24)) ^ LOW[low & 255];
  HIGH[at] = (high >>> 8) ^ HIGH[low & 255];
}

/** A CRC in the making. Where a block begins at a multiple of four in its buffer, it goes in four bytes at a time. */
export class Crc64 {
  constructor() {
    this.low = -1;
    this.high = -1;
  }

  /** @param {Uint8Array} bytes */
  update(bytes) {
    let at = 0;
    const steps = bytes.byteOffset % 4 === 0 && LITTLE_ENDIAN ? bytes.length >>> 3 : 0;
    if (steps) {
      this.steps(new Int32Array(bytes.buffer, bytes.byteOffset, steps * 2));
      at = steps * 8;
    }
    let { low, high } = this;
    for (; at < bytes.length; at += 1) {
      const byte = (low ^ bytes[at]) & 255;
      low = ((low >>> 8) | (high << 24)) ^ LOW[byte];
      high = (high >>> 8) ^ HIGH[byte];
    }
    this.low = low;
    this.high = high;
  }

  /** @param {Int32Array} words  an even number of them */
  steps(words) {
    let { low, high } = this;
    for (let at = 0; at < words.length; at += 2) {
      const a = words[at] ^ low;
      const b = words[at + 1] ^ high;
      low = LOW[1792 + (a & 255)] ^ LOW[1536 + ((a >>> 8) & 255)] ^ LOW[1280 + ((a >>> 16) & 255)] ^ LOW[1024 + (a >>> 24)]
        ^ LOW[768 + (b & 255)] ^ LOW[512 + ((b >>> 8) & 255)] ^ LOW[256 + ((b >>> 16) & 255)] ^ LOW[b >>> 24];
      high = HIGH[1792 + (a & 255)] ^ HIGH[1536 + ((a >>> 8) & 255)] ^ HIGH[1280 + ((a >>> 16) & 255)] ^ HIGH[1024 + (a >>> 24)]
        ^ HIGH[768 + (b & 255)] ^ HIGH[512 + ((b >>> 8) & 255)] ^ HIGH[256 + ((b >>> 16) & 255)] ^ HIGH[b >>> 24];
    }
    this.low = low;
    this.high = high;
  }

  /** @returns {bigint} 0 … 2**64 - 1 */
  value() {
    return (BigInt(~this.high >>> 0) << 32n) | BigInt(~this.low >>> 0);
  }
}

/** @param {Uint8Array} bytes @returns {bigint} */
export function crc64(bytes) {
  const sum = new Crc64();
  sum.update(bytes);
  return sum.value();
}

// --- the CRC of a whole from those of its pieces: a linear map, multiplied in BigInt, a few hundred steps a piece

const REFLECTED = 0xc96c5795d7870f42n;
const ONE = 1n << 63n; // x to the power of 0: reflected polynomials begin at the top

/** Product of two polynomials modulo CRC-64's. */
function times(a, b) {
  let product = 0n;
  let shifted = b;
  for (let bit = 63n; bit >= 0n; bit -= 1n) {
    if ((a >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ REFLECTED : shifted >> 1n;
  }
  return product;
}

const powers = [ONE >> 8n]; // [k]: what 2**k bytes more multiply a CRC by

function factorOf(length) {
  let factor = ONE;
  for (let bit = 0, left = length; left > 0; bit += 1, left = Math.floor(left / 2)) {
    if (bit === powers.length) powers.push(times(powers[bit - 1], powers[bit - 1]));
    if (left % 2) factor = times(factor, powers[bit]);
  }
  return factor;
}

/**
 * CRC-64 of pieces one after the other.
 * @param {{crc64: bigint, size: number}[]} pieces
 * @returns {bigint}
 */
export function joinCrc64(pieces) {
  const factors = new Map();
  let whole = 0n;
  for (const { crc64: crc, size } of pieces) {
    if (!factors.has(size)) factors.set(size, factorOf(size));
    whole = times(whole, factors.get(size)) ^ crc;
  }
  return whole;
}

/** The ETag that a service which makes no MD5s gives to these bytes. @param {bigint} crc64 @param {number} size */
export function crc64Etag(crc64, size) {
  const digits = (value) => value.toString(16).toUpperCase().padStart(16, "0");
  return `${digits(crc64)}${digits(size)}-0`;
}
