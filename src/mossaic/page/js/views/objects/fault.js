/** Why a key cannot be, in words. */

import { t } from "../../ui/i18n.js";
import { keyBytes, keyFault } from "./keys.js";

/** @param {string} key @returns {string|undefined} for a field's `validate` */
export function faultWords(key) {
  const fault = keyFault(key);
  if (!fault) return undefined;
  return t(`objects.fault.${fault}`, { bytes: keyBytes(key) });
}
