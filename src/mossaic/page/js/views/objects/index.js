/** The Objects view of the console. */

import { route, go } from "../../ui/router.js";
import { registerDock, registerTab } from "../../ui/shell.js";
import "../../words/objects.js";
import { folderPath } from "./keys.js";
import { savesDock } from "./saves-dock.js";
import { objectsView } from "./view.js";

export default function register() {
  route("/b/:bucket/objects/*prefix", objectsView);
  route("/b/:bucket/objects", ({ bucket }) => go(folderPath(bucket), { replace: true }));
  route("/b/:bucket", ({ bucket }) => go(folderPath(bucket), { replace: true }));
  registerTab({ id: "objects", label: "objects.tab", path: "/b/:bucket/objects/", icon: "folder", order: 10, match: ["object"] });
  registerDock(savesDock);
}
