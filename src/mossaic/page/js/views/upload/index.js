// Upload: `/b/BUCKET/upload/PREFIX`.

import { addWords } from "../../ui/i18n.js";
import { route } from "../../ui/router.js";
import { registerTab } from "../../ui/shell.js";
import { words } from "../../words/upload.js";
import { takeDropped } from "../objects/handover.js";
import { tidyPrefix } from "./plan.js";
import { uploadView } from "./view.js";

/** @param {{uploads: import("../../upload/uploads.js").Uploads}} world */
export default function register({ uploads }) {
  addWords("upload", words);
  const view = ({ bucket, prefix = "" }, outlet, { signal }) => {
    const dropped = takeDropped(bucket);
    outlet.append(uploadView({ bucket, prefix: tidyPrefix(dropped?.prefix ?? prefix), uploads, signal, dropped: dropped?.found }));
  };
  route("/b/:bucket/upload", view);
  route("/b/:bucket/upload/*prefix", view);
  registerTab({ id: "upload", label: "upload.tab", path: "/b/:bucket/upload/", icon: "upload", order: 20 });
}
