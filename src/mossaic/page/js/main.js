/** The console: sign-in, or the frame with the views of all areas. */

import * as oss from "./core/oss.js";
import { session } from "./core/session.js";
import { startShell } from "./ui/shell.js";
import { Uploads } from "./upload/uploads.js";
import "./words/ui.js";

import buckets from "./views/buckets/index.js";
import callbacks from "./views/callbacks/index.js";
import links from "./views/links/index.js";
import object from "./views/object/index.js";
import objects from "./views/objects/index.js";
import settings from "./views/settings/index.js";
import { startSignIn } from "./views/signin/index.js";
import tasks from "./views/tasks/index.js";
import transfers from "./views/transfers/index.js";
import upload from "./views/upload/index.js";

const uploads = new Uploads({ oss, session });
for (const register of [buckets, objects, object, upload, transfers, tasks, settings, callbacks, links]) register({ session, uploads });

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
