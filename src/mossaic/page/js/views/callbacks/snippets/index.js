/** Snippets that verify one recorded callback, by language. */
import { go } from "./go.js";
import { java } from "./java.js";
import { node } from "./node.js";
import { php } from "./php.js";
import { python } from "./python.js";

/** @type {{id: string, name: string, file: string, write: (call: import("../record.js").Evidence) => string}[]} */
export const LANGUAGES = [
  { id: "python", name: "Python", file: "verify_callback.py", write: python },
  { id: "node", name: "Node.js", file: "verify-callback.mjs", write: node },
  { id: "go", name: "Go", file: "verify_callback.go", write: go },
  { id: "java", name: "Java", file: "VerifyCallback.java", write: java },
  { id: "php", name: "PHP", file: "verify_callback.php", write: php },
];
