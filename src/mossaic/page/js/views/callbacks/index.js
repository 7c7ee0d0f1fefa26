/** The last upload callbacks of a bucket: what was sent, what came back, sending it again, and how to verify it. */
import { addWords } from "../../ui/i18n.js";
import { route } from "../../ui/router.js";
import { registerTab } from "../../ui/shell.js";
import { callbacksWords } from "../../words/callbacks.js";
import { show } from "./list.js";

export default function register() {
  addWords("callbacks", callbacksWords);
  route("/b/:bucket/callbacks", show);
  registerTab({ id: "callbacks", label: "callbacks.tab", path: "/b/:bucket/callbacks", icon: "callback", order: 70 });
}
