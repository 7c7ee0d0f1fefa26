/** The details of one object. */

import { route } from "../../ui/router.js";
import "../../words/object.js";
import { objectView } from "./view.js";

export default function register() {
  route("/b/:bucket/object/*key", objectView);
}
