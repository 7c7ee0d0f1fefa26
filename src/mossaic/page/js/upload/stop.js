// How a step ends that somebody stopped: with an error that means no failure.

export const stopped = () => new DOMException("stopped", "AbortError");

/** @param {any} error */
export const isStopped = (error) => error?.name === "AbortError" || error?.kind === "aborted";

/** Resolves after `ms`; rejects when `signal` is aborted. */
export function sleep(ms, signal) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(stopped());
    const leave = () => {
      clearTimeout(timer);
      reject(stopped());
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", leave);
      resolve();
    }, ms);
    signal?.addEventListener("abort", leave, { once: true });
  });
}
