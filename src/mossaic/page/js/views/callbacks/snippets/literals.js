/** Texts as string literals of the languages that the snippets are written in. */

const code = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
// Marks that are invisible or turn the direction of the text round would make a snippet that reads otherwise than it runs.
const HIDDEN = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** JSON's own escapes are good for Python, JavaScript and Go. @param {string} text */
export const quoted = (text) => JSON.stringify(text).replace(HIDDEN, code);

/** Java decodes \u before it reads the literal; beyond ASCII, older compilers guess the encoding. @param {string} text */
export const javaQuoted = (text) =>
  JSON.stringify(text)
    .replace(/\\u00([01][0-9a-f])/g, (_, hex) => `\\${parseInt(hex, 16).toString(8).padStart(3, "0")}`)
    .replace(/[^\x00-\x7e]/g, code);

/** PHP's single quotes know two escapes and no variables. @param {string} text */
export const phpQuoted = (text) => `'${text.replace(/[\\']/g, "\\$&")}'`;
