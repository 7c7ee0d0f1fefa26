/** Words in English and Chinese, and numbers as the language writes them. */

import { live } from "./live.js";

const KEPT = "mossaic.lang";
const words = { en: new Map(), zh: new Map() };

/** @type {import("./live.js").Live<"en"|"zh">} the language in use; it is kept for the next visit */
export const lang = live(firstLanguage());
export const LANGUAGES = Object.freeze({ en: "English", zh: "简体中文" });

function firstLanguage() {
  const kept = readKept();
  if (kept === "en" || kept === "zh") return kept;
  const wanted = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) ?? "en";
  return wanted.toLowerCase().startsWith("zh") ? "zh" : "en";
}

function readKept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null; // storage may be forbidden
  }
}

/** @param {"en"|"zh"} next */
export function setLang(next) {
  try {
    localStorage.setItem(KEPT, next);
  } catch {
    // it then holds for this visit only
  }
  lang.set(next);
}

lang.watch((now) => {
  document.documentElement.lang = now === "zh" ? "zh-CN" : "en";
});

/** The tag that Intl wants. */
export const locale = () => (lang.value === "zh" ? "zh-CN" : "en-GB");

/**
 * Adds the words of an area: `addWords("upload", {en: {title: "Upload", files: {one: "{n} file", other: "{n} files"}}, zh: {…}})`.
 * Nested objects make dotted keys; an object with `other` is a plural, chosen by the parameter `n`.
 * @param {string} area
 * @param {{en: object, zh: object}} both
 */
export function addWords(area, both) {
  for (const tag of ["en", "zh"]) flatten(words[tag], area, both[tag] ?? {});
}

function flatten(into, stem, value) {
  if (typeof value === "string" || "other" in value) into.set(stem, value);
  else for (const [key, inner] of Object.entries(value)) flatten(into, `${stem}.${key}`, inner);
}

function find(key) {
  const found = words[lang.value].get(key) ?? words.en.get(key);
  if (found === undefined) console.error(`no words for ${key}`); // a fault of ours; tests stop at it
  return found ?? key;
}

const pluralRules = {};
function choose(entry, n) {
  if (typeof entry === "string") return entry;
  const rules = (pluralRules[lang.value] ??= new Intl.PluralRules(locale()));
  return entry[rules.select(Number(n))] ?? entry.other;
}

/** Whether there are words for `key`. */
export const has = (key) => words.en.has(key);

/**
 * The words for `key` in the language in use, with `{name}` replaced by parameters; numbers are grouped.
 * @param {string} key
 * @param {Record<string, any>} [params]
 * @returns {string}
 */
export function t(key, params = {}) {
  return choose(find(key), params.n).replace(/\{(\w+)\}/g, (whole, name) => (name in params ? shown(params[name]) : whole));
}

/**
 * Like `t`, but parameters may be nodes: the answer is a list of strings and nodes for `h`.
 * @param {string} key
 * @param {Record<string, any>} [params]
 * @returns {(string|Node)[]}
 */
export function rich(key, params = {}) {
  return choose(find(key), params.n)
    .split(/(\{\w+\})/)
    .filter((piece) => piece !== "")
    .map((piece) => {
      const name = /^\{(\w+)\}$/.exec(piece)?.[1];
      if (name === undefined || !(name in params)) return piece;
      return params[name] instanceof Node ? params[name] : shown(params[name]);
    });
}

const shown = (value) => (typeof value === "number" ? number(value) : String(value));

/** Keys whose words are missing in one language, or differ in their parameters. For tests. */
export function untranslated() {
  const names = (entry) => [...new Set(JSON.stringify(entry ?? "").match(/\{\w+\}/g) ?? [])].sort().join();
  const keys = new Set([...words.en.keys(), ...words.zh.keys()]);
  return [...keys].filter((key) => !words.en.has(key) || !words.zh.has(key) || names(words.en.get(key)) !== names(words.zh.get(key)));
}

const formats = new Map();
/** An Intl formatter, made once a language. `kind` is "NumberFormat", "DateTimeFormat", "RelativeTimeFormat" or "ListFormat". */
export function intl(kind, options = {}) {
  const id = `${locale()}|${kind}|${JSON.stringify(options)}`;
  if (!formats.has(id)) formats.set(id, new Intl[kind](locale(), options));
  return formats.get(id);
}

/** @param {number} value @param {Intl.NumberFormatOptions} [options] */
export const number = (value, options) => intl("NumberFormat", options).format(value);
