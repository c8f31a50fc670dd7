// @ts-check
/**
 * Every word the page shows: one table a language, of the same shape, and the one in use.
 */
import { english } from "./messages/english.js";
import { faults, german, kinds } from "./messages/german.js";

/** The marking of every export, in one language so that it can be searched for. */
export const RESEARCH_USE = english.notice;

const TABLES = { en: english, de: german };

/** What each error that explains itself in English is about, in the other languages. */
const FAULTS = { en: null, de: faults };

/** What reference cells are called, which a model says in English, in the other languages. */
const KINDS = { en: null, de: kinds };

/** @typedef {keyof typeof TABLES} Language */

/** The words in use. */
export const t = { ...english };

/** The language of the page. @type {Language} */
export let language = "en";

/** The language to start with: the address's, else the browser's, else English. */
export function preferred() {
  const asked = new URLSearchParams(location.search).get("lang");
  const wanted = [asked ?? "", ...navigator.languages].map((tag) => tag.split("-")[0]);
  return /** @type {Language} */ (wanted.find((tag) => tag in TABLES) ?? "en");
}

/** Speaks another language, and puts its words into the page's own elements. @param {Language} wanted */
export function speak(wanted) {
  language = wanted;
  Object.assign(t, TABLES[wanted]);
  document.documentElement.lang = wanted;
  /** @param {Element} element @param {string} attribute */
  const word = (element, attribute) =>
    /** @type {any} */ (t)[element.getAttribute(attribute) ?? ""];
  for (const element of document.querySelectorAll("[data-text]")) {
    element.textContent = word(element, "data-text");
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", word(element, "data-label"));
  }
}

/** A reference cell's kind, part by part; a part that no table has stays. @param {string} kind */
export function kindInWords(kind) {
  const parts = kind.split(", ").map((part) => KINDS[language]?.[part] ?? part);
  return parts.join(", ");
}

/** A decision value with sign and two decimals. @param {number} value */
export function decisionValue(value) {
  const negative = value < 0 && Number(value.toFixed(2)) !== 0;
  return (negative ? "−" : "+") + number(Math.abs(value), 2);
}

/** A number with so many decimals. @param {number} value @param {number} digits */
export function number(value, digits) {
  return value.toFixed(digits).replace(".", t.decimal);
}

/** A share as a percentage with one decimal. @param {number} share */
export function percent(share) {
  return `${number(100 * share, 1)} %`;
}

/**
 * One sentence on what happened, the error's own English one where the page speaks another language and
 * it says more, and one on what to do.
 *
 * @param {{ code: string, message: string }} failure
 */
export function explain({ code, message }) {
  const own = message.charAt(0).toUpperCase() + message.slice(1).replace(/\.?$/, ".");
  const remedy = t.remedy[code] ?? "";
  if (t.what[code]) return { what: t.what[code], detail: "", remedy };
  const fault = FAULTS[language]?.[code];
  return fault ? { what: fault, detail: own, remedy } : { what: own, detail: "", remedy };
}

/** The same in one line. @param {{ code: string, message: string }} failure */
export function inWords(failure) {
  const { what, detail, remedy } = explain(failure);
  return [what, detail && `(${detail})`, remedy].filter(Boolean).join(" ");
}
