// Keeps the screen on while something is sent: a phone that sleeps stops its uploads. Browsers allow it in secure contexts only.

export class Awake {
  constructor() {
    this.wanted = false;
    this.lock = null;
    document.addEventListener("visibilitychange", () => this.take()); // the browser lets go of it when the page is hidden
  }

  /** @param {boolean} wanted */
  want(wanted) {
    if (this.wanted === wanted) return;
    this.wanted = wanted;
    if (wanted) this.take();
    else this.release();
  }

  async take() {
    if (!this.wanted || this.lock || !navigator.wakeLock || document.visibilityState !== "visible") return;
    try {
      const lock = await navigator.wakeLock.request("screen");
      lock.addEventListener("release", () => {
        if (this.lock === lock) this.lock = null;
      });
      this.lock = lock;
      if (!this.wanted) this.release();
    } catch {
      // A low battery or a setting forbids it; uploads go on without.
    }
  }

  release() {
    this.lock?.release();
    this.lock = null;
  }
}
