/** The console: sign-in, or the frame with the views of all areas. */

import * as oss from "./core/oss.js";
import { session } from "./core/session.js";
import { startShell } from "./ui/shell.js";
import { Uploads } from "./upload/uploads.js";
import "./words/ui.js";

import { startSignIn } from "./views/signin/index.js";

// Tolerant while the areas are being written, so that one does not hide the others; static imports in the end.
const AREAS = ["buckets", "objects", "object", "upload", "transfers", "tasks", "settings", "callbacks", "links"];
const uploads = new Uploads({ oss, session });
for (const area of AREAS) {
  try {
    (await import(`./views/${area}/index.js`)).default({ session, uploads });
  } catch (error) {
    console.warn(`area ${area}: ${error}`);
  }
}

const host = document.getElementById("app");
let shown = null; // "signin", or who is signed in
let leave = () => {};

/** Renewals change the session, too; only another person changes what is on the page. */
function show(is) {
  const next = is ? `${is.endpoint} ${is.principal?.arn}` : "signin";
  if (next === shown) return;
  shown = next;
  leave();
  leave = is ? startShell(host, { session, uploads }) : startSignIn(host, { session });
}

await session.restore();
session.live.watch(show);
