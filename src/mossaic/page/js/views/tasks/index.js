// Tasks: `/b/BUCKET/tasks`.

import { addWords } from "../../ui/i18n.js";
import { route } from "../../ui/router.js";
import { registerTab } from "../../ui/shell.js";
import { words } from "../../words/tasks.js";
import { tasksView } from "./view.js";

/** @param {{uploads: import("../../upload/uploads.js").Uploads}} world */
export default function register({ uploads }) {
  addWords("tasks", words);
  route("/b/:bucket/tasks", ({ bucket }, outlet, { signal }) => {
    outlet.append(tasksView({ bucket, uploads, signal }));
  });
  registerTab({ id: "tasks", label: "tasks.tab", path: "/b/:bucket/tasks", icon: "tasks", order: 30 });
}
