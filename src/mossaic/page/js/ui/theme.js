/** Light, dark, or as the system has it. A classic script in the head, so that the first paint is right already. */
"use strict";
(() => {
  const KEPT = "mossaic.theme";
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const read = () => {
    try {
      return localStorage.getItem(KEPT) ?? "auto";
    } catch {
      return "auto"; // storage may be forbidden
    }
  };
  let chosen = read();
  const show = () => {
    const resolved = chosen === "light" || chosen === "dark" ? chosen : dark.matches ? "dark" : "light";
    document.documentElement.dataset.theme = resolved;
  };
  dark.addEventListener("change", show);
  window.mossaicTheme = {
    get chosen() {
      return chosen;
    },
    /** @param {"auto"|"light"|"dark"} next */
    choose(next) {
      chosen = next;
      try {
        localStorage.setItem(KEPT, next);
      } catch {
        // it then holds for this visit only
      }
      show();
    },
  };
  show();
})();
