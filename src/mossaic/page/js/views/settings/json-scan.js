/**
 * A JSON reader that knows where everything stands, so that a mistake can be shown at its line and column.
 * @typedef {{type: "object"|"array"|"string"|"number"|"true"|"false"|"null", start: number, end: number,
 *   value?: unknown, items?: Node[], members?: {key: Node, value: Node}[]}} Node
 */

const LITERALS = ["true", "false", "null"];
const NUMBER = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const DEEPEST = 100;

/** Thrown by the reader; `code` is a word for t(), `offset` counts characters from 0. */
export class JsonFault extends Error {
  /** @param {string} code @param {number} offset @param {object} [params] */
  constructor(code, offset, params = {}) {
    super(code);
    Object.assign(this, { code, offset, params });
  }
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
  }

  blank() {
    while (/[ \t\r\n]/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  fault(code, params, at = this.at) {
    return new JsonFault(at >= this.text.length ? "ends" : code, at, params);
  }

  value() {
    this.blank();
    const sign = this.text[this.at];
    if (sign === "{") return this.nested(() => this.object());
    if (sign === "[") return this.nested(() => this.array());
    if (sign === '"') return this.string();
    if (sign === "-" || /\d/.test(sign ?? "")) return this.number();
    const word = LITERALS.find((one) => this.text.startsWith(one, this.at));
    if (!word) throw this.fault(sign === "'" ? "singleQuote" : "value", { found: sign });
    this.at += word.length;
    return { type: word, start: this.at - word.length, end: this.at, value: JSON.parse(word) };
  }

  nested(read) {
    this.depth += 1;
    if (this.depth > DEEPEST) throw this.fault("deep");
    const node = read();
    this.depth -= 1;
    return node;
  }

  number() {
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (!found) throw this.fault("number");
    return this.took("number", found[0], Number(found[0]));
  }

  string() {
    STRING.lastIndex = this.at;
    const found = STRING.exec(this.text);
    if (!found) throw this.stringFault();
    return this.took("string", found[0], JSON.parse(found[0]));
  }

  stringFault() {
    let at = this.at + 1;
    while (at < this.text.length && this.text[at] !== '"') {
      if (this.text[at] < " ") return this.fault("stringOpen", {}, this.at);
      if (this.text[at] === "\\") {
        if (!/^\\(["\\/bfnrt]|u[0-9a-fA-F]{4})/.test(this.text.slice(at, at + 6))) return this.fault("escape", {}, at);
        at += 1;
      }
      at += 1;
    }
    return new JsonFault("stringOpen", this.at);
  }

  took(type, source, value) {
    const start = this.at;
    this.at += source.length;
    return { type, start, end: this.at, value };
  }

  array() {
    const start = this.at;
    const items = [];
    this.each("]", () => items.push(this.value()));
    return { type: "array", start, end: this.at, items };
  }

  object() {
    const start = this.at;
    const members = [];
    this.each("}", () => {
      if (this.text[this.at] !== '"') throw this.fault("name", { found: this.text[this.at] });
      const key = this.string();
      this.blank();
      if (this.text[this.at] !== ":") throw this.fault("colon");
      this.at += 1;
      if (members.some((one) => one.key.value === key.value)) {
        throw new JsonFault("twice", key.start, { name: key.value });
      }
      members.push({ key, value: this.value() });
    });
    return { type: "object", start, end: this.at, members };
  }

  /** What stands between a bracket and its `close`, separated by commas. */
  each(close, read) {
    this.at += 1;
    this.blank();
    if (this.text[this.at] === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      this.blank();
      read();
      this.blank();
      const sign = this.text[this.at];
      if (sign !== "," && sign !== close) throw this.fault("comma", { close, found: sign });
      this.at += 1;
      if (sign === close) return;
      const comma = this.at - 1;
      this.blank();
      if (this.text[this.at] === close) throw new JsonFault("lastComma", comma);
    }
  }
}

/** @param {string} text @returns {Node} @throws {JsonFault} */
export function scanJson(text) {
  const reader = new Reader(text);
  const node = reader.value();
  reader.blank();
  if (reader.at < text.length) throw new JsonFault("after", reader.at);
  return node;
}

/** Line and column, both from 1. @param {string} text @param {number} offset */
export function placeOf(text, offset) {
  const before = text.slice(0, offset);
  const line = before.split("\n").length;
  return { line, column: offset - before.lastIndexOf("\n") };
}
