/** Sizes, times and shares for people. */

import { intl, number, t } from "./i18n.js";

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * "0 B", "812 B", "1.5 KiB", "120 MiB": three digits that count.
 * @param {number} n
 */
export function bytes(n) {
  if (!Number.isFinite(n) || n < 0) return "–";
  let power = 0;
  let left = n;
  while (left >= 1023.5 && power < UNITS.length - 1) {
    left /= 1024;
    power += 1;
  }
  const digits = power === 0 || left >= 99.95 ? 0 : left >= 9.995 ? 1 : 2;
  return `${number(left, { maximumFractionDigits: digits })}\u00a0${UNITS[power]}`;
}

/** All the bytes: "12,345,678 bytes". */
export const exactBytes = (n) => t("ui.bytes", { n });

/** @param {number} n bytes a second */
export const rate = (n) => (Number.isFinite(n) && n >= 0 ? `${bytes(n)}/s` : "–");

/**
 * "8 s", "2 min 5 s", "3 h 20 min", "4 d 2 h": the two largest units.
 * @param {number} s
 */
export function duration(s) {
  if (!Number.isFinite(s) || s < 0) return "–";
  const whole = Math.max(0, Math.round(s));
  const pieces = [["d", 86_400], ["h", 3600], ["min", 60], ["s", 1]];
  const first = pieces.findIndex(([, size]) => whole >= size);
  if (first < 0) return unit(0, "s");
  const [name, size] = pieces[first];
  const rest = pieces[first + 1];
  const second = rest ? Math.floor((whole % size) / rest[1]) : 0;
  return [unit(Math.floor(whole / size), name), second ? unit(second, rest[0]) : null].filter(Boolean).join(" ");
}

const unit = (n, name) => `${number(n)}\u00a0${t(`ui.unit.${name}`)}`;

/**
 * "just now", "5 minutes ago", "in 2 days".
 * @param {Date} date
 * @param {Date} [now]
 */
export function ago(date, now = new Date()) {
  const s = Math.round((date.getTime() - now.getTime()) / 1000);
  const size = Math.abs(s);
  if (size < 45) return t("ui.now");
  const steps = [["minute", 60, 3600], ["hour", 3600, 86_400], ["day", 86_400, 86_400 * 30], ["month", 86_400 * 30.44, 86_400 * 365], ["year", 86_400 * 365.25, Infinity]];
  const [name, seconds] = steps.find(([, , below]) => size < below);
  const count = Math.sign(s) * Math.max(1, Math.round(size / seconds));
  return intl("RelativeTimeFormat", { numeric: "auto" }).format(count, name);
}

/** "26 Nov 2026, 15:50:22" in the reader's own time zone. @param {Date} date */
export const dateTime = (date) => (Number.isNaN(date.getTime()) ? "–" : intl("DateTimeFormat", { dateStyle: "medium", timeStyle: "medium" }).format(date));

/** "26 Nov 2026, 15:50", for tables. @param {Date} date */
export const shortDateTime = (date) => (Number.isNaN(date.getTime()) ? "–" : intl("DateTimeFormat", { dateStyle: "medium", timeStyle: "short" }).format(date));

/** "15:50". @param {Date} date */
export const clock = (date) => intl("DateTimeFormat", { timeStyle: "short" }).format(date);

/** 0…1 as "42%"; 100% only when all is there. @param {number} x */
export function percent(x) {
  if (!Number.isFinite(x)) return "–";
  const whole = x >= 1 ? 1 : Math.min(Math.max(0, x), 0.99);
  return number(Math.floor(whole * 100 + 1e-9) / 100, { style: "percent" });
}
