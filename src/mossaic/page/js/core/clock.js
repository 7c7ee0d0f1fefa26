/** The server's time: signatures are made with it, and what expires is measured by it. */

let skewMs = 0;

/** How far the server is ahead of this machine, in milliseconds. */
export const skew = () => skewMs;

/** @returns {Date} */
export const now = () => new Date(Date.now() + skewMs);

/**
 * @param {string | number | Date} serverTime  as an answer told it
 * @returns {boolean}  whether there was anything to correct
 */
export function correct(serverTime) {
  const found = new Date(serverTime).getTime() - Date.now();
  if (Number.isNaN(found) || Math.abs(found - skewMs) < 5000) return false;
  skewMs = found;
  return true;
}
