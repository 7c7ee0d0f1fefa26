import { quoted } from "./literals.js";

/** @param {import("../record.js").Evidence} call */
export const node = (call) => `// verify-callback.mjs: needs Node.js 18 or newer, nothing else.
import { verify } from "node:crypto";

// The key is taken from here only: whoever calls you can name any URL. Keep the slash at the end.
const TRUSTED = ${quoted(call.trusted)};
const keys = new Map();

async function publicKey(url) {
  if (!keys.has(url)) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(\`\${url} answered \${answer.status}\`);
    keys.set(url, await answer.text());
  }
  return keys.get(url);
}

/** target: path and query of the request line (req.url); headers: req.headers; body: a Buffer, not parsed. */
export async function isGenuine(target, headers, body) {
  const keyUrl = Buffer.from(headers["x-oss-pub-key-url"] ?? "", "base64").toString();
  if (!keyUrl.startsWith(TRUSTED)) return false;
  const signature = Buffer.from(headers.authorization ?? "", "base64");
  const at = (target + "?").indexOf("?");
  let path;
  try {
    path = decodeURIComponent(target.slice(0, at));
  } catch {
    return false;
  }
  const signed = Buffer.concat([Buffer.from(path + target.slice(at) + "\\n"), body]);
  return verify("RSA-MD5", signed, await publicKey(keyUrl), signature);
}

// ---- the callback of ${call.at} -------------------------------------------
const target = ${quoted(call.target)};
const headers = {
  "x-oss-pub-key-url": ${quoted(call.keyUrlHeader)},
  authorization: ${quoted(call.signature)},
};
const body = Buffer.from(${quoted(call.body)});

const genuine = await isGenuine(target, headers, body);
console.log(genuine ? "genuine" : "NOT genuine");
process.exitCode = genuine ? 0 : 1;
`;
