/** The page behind an upload-request link: somebody without an account sends files. The link is the whole sign-in. */

import * as oss from "./core/oss.js";
import { session } from "./core/session.js";
import { Uploads } from "./upload/uploads.js";
import { Visit, keyOf } from "./views/drop/visit.js";
import { startDrop } from "./views/drop/page.js";
import "./words/ui.js";
import "./words/drop.js";

const host = document.getElementById("app");
let stop = () => {};

/** Another link in the same tab changes only the fragment. */
function begin() {
  stop();
  const visit = new Visit(keyOf(location.hash), session);
  const uploads = new Uploads({ oss, session, storeName: "mossaic-drop" });
  stop = startDrop(host, { visit, uploads });
}

addEventListener("hashchange", () => location.reload());
begin();
