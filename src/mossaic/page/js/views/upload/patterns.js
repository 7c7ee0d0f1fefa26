// Which files of a folder are wanted, by patterns on their path: the same language as `mossaic sync --include`.

/**
 * `*` and `?` stand for characters of one name, `[…]` for one of a set, `**` for any number of folders. A pattern without a slash
 * matches a name at any depth, one with a slash the path from the top; what matches a folder takes in all that is below it.
 * @param {{include?: string[], exclude?: string[]}} patterns
 * @returns {(path: string) => boolean}
 */
export function filter({ include = [], exclude = [] }) {
  const wanted = oneOf(include);
  const unwanted = oneOf(exclude);
  return (path) => (!wanted || wanted.test(path)) && !(unwanted && unwanted.test(path));
}

/** Patterns as people type them: one a line, or between commas. @param {string} text @returns {string[]} */
export function split(text) {
  return text.split(/[\n,]/).map((each) => each.trim()).filter((each) => each.replaceAll("/", "") !== "");
}

function oneOf(patterns) {
  return patterns.length ? new RegExp(`^(?:${patterns.map(expression).join("|")})$`, "su") : null;
}

function expression(pattern) {
  const path = pattern.replace(/^\/+|\/+$/g, "");
  const anywhere = path.includes("/") || pattern.startsWith("/") ? "" : "(?:.*/)?";
  const below = pattern.endsWith("/") ? "/.*" : "(?:/.*)?";
  return `(?:${anywhere}${translated(path)}${below})`;
}

const STEPS = [
  [/^\*\*\//, (_, before) => (before === "" || before.endsWith("/") ? "(?:.*/)?" : ".*/")],
  [/^\*\*/, () => ".*"],
  [/^\*/, () => "[^/]*"],
  [/^\?/, () => "[^/]"],
  [/^\[([!^]?)([^\]]+)\]/, ([, not, members]) => `(?!/)[${not ? "^" : ""}${members.replace(/[\\[\]^&~|]/g, "\\$&")}]`],
  [/^[^]/u, ([character]) => character.replace(/[\\^$.*+?()[\]{}|/-]/g, escaped)],
];

/** In a `u` expression only syntax characters may follow a backslash. */
function escaped(character) {
  return character === "-" ? "\\x2d" : `\\${character}`;
}

function translated(path) {
  let found = "";
  let at = 0;
  while (at < path.length) {
    const rest = path.slice(at);
    const [match, made] = firstStep(rest, path.slice(0, at));
    found += made;
    at += match.length;
  }
  return found;
}

function firstStep(rest, before) {
  for (const [shape, make] of STEPS) {
    const match = shape.exec(rest);
    if (match) return [match[0], make(match, before)];
  }
  throw new Error("unreachable: the last step matches any character");
}
