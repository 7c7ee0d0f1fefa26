/** Downloads by the browser itself: a short-lived signed address, so that an object of any size passes the page by. */

import { presign } from "../../core/oss.js";
import { h } from "../../ui/dom.js";
import { headObject } from "../object/facts.js";
import { attachment, fileName } from "./keys.js";

const VALID_S = 3600; // a download that is resumed asks again with the same address

/**
 * Begin a download. It is asked for first whether there is anything to get: a refused address would replace the page.
 * @param {{bucket: string, key: string, versionId?: string}} what
 */
export async function download({ bucket, key, versionId }) {
  await headObject({ bucket, key, versionId });
  const name = fileName(key);
  const query = { "response-content-disposition": attachment(name) };
  if (versionId) query.versionId = versionId;
  const href = await presign({ bucket, key, method: "GET", expiresS: VALID_S, query });
  const anchor = h("a", { href, download: name, hidden: true });
  document.body.append(anchor);
  anchor.click();
  anchor.remove();
}
