/** Credentials out of pasted text: JSON of AssumeRole or of the command line, environment lines, an XML answer. */

const NAMES = {
  accessKeyId: ["AccessKeyId", "access_key_id", "accessKeyId", "OSS_ACCESS_KEY_ID", "MOSSAIC_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_ID"],
  accessKeySecret: ["AccessKeySecret", "access_key_secret", "accessKeySecret", "OSS_ACCESS_KEY_SECRET", "MOSSAIC_ACCESS_KEY_SECRET", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
  securityToken: ["SecurityToken", "security_token", "securityToken", "stsToken", "OSS_SESSION_TOKEN", "MOSSAIC_SECURITY_TOKEN", "ALIBABA_CLOUD_SECURITY_TOKEN"],
};

/**
 * @param {string} text
 * @returns {{accessKeyId: string, accessKeySecret: string, securityToken?: string} | null}  null when id or secret is not in it
 */
export function fromPaste(text) {
  const found = {};
  for (const [field, names] of Object.entries(NAMES)) {
    for (const name of names) found[field] ??= valueOf(text, name);
  }
  return found.accessKeyId && found.accessKeySecret ? found : null;
}

/** `"Name": "value"`, `NAME=value`, `Name: value`, `<Name>value</Name>`. */
function valueOf(text, name) {
  const expression = new RegExp(`\\b${name}\\b["']?\\s*[:=>]\\s*["']?([^"'\\s<,]+)`);
  return expression.exec(text)?.[1];
}
