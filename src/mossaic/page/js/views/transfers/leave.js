// Leaving the page stops what is being sent: the browser asks first.

/** @param {import("../../upload/uploads.js").Uploads} uploads */
export function askBeforeLeaving(uploads) {
  window.addEventListener("beforeunload", (event) => {
    const { active = 0, waiting = 0 } = uploads.overall.value;
    if (!active && !waiting) return;
    event.preventDefault();
    event.returnValue = ""; // what browsers before 2023 look at
  });
}
