/**
 * What the room says, in the reader's language. English is the key; the other languages are one file each.
 * A language is added by a file like es.ts, a line in CATALOGUES, and its name in LANGUAGES here and in the server's settings.
 */
import { es } from "./es";

/** A sentence, or its forms by plural category ("one", "other", ...). */
export type Entry = string | Partial<Record<Intl.LDMLPluralRule, string>>;
export type Catalogue = Record<string, Entry>;
type Values = Record<string, string | number>;

const CATALOGUES: Record<string, Catalogue> = { es };

/** Code and name, each in its own words; the server's list must have them, too. */
export const LANGUAGES: [string, string][] = [
  ["en", "English"],
  ["es", "Español"],
];

let language = "en";
let catalogue: Catalogue = {};
let plural = new Intl.PluralRules(language);

/** The page says its language in <html lang>; an unknown one is English. */
export function setLanguage(wanted: string): void {
  const short = wanted.toLowerCase().split("-")[0];
  language = short in CATALOGUES ? short : "en";
  catalogue = CATALOGUES[language] ?? {};
  plural = new Intl.PluralRules(language);
}

if (typeof document !== "undefined") setLanguage(document.documentElement.lang);

export const currentLanguage = (): string => language;

const filled = (sentence: string, values: Values): string =>
  sentence.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));

const said = (english: string, key: string, n: number): string => {
  const entry = catalogue[key] ?? english;
  return typeof entry === "string" ? entry : (entry[plural.select(n)] ?? entry.other ?? english);
};

/** A text in the reader's language: t("Slice {n} of {count}", { n: 3, count: 80 }). */
export const t = (english: string, values: Values = {}): string =>
  filled(said(english, english, Number(values.n ?? 0)), values);

/** A text that depends on a number, which is {n} in it: tn(count, "{n} edit", "{n} edits"). The key is the last. */
export const tn = (n: number, one: string, other: string, values: Values = {}): string =>
  filled(said(n === 1 ? one : other, other, n), { n, ...values });

/** "14 Mar 2026" from a date as the server writes it, year-month-day. */
export function dayText(date: string): string {
  const [year, month, day] = date.split("-").map(Number);
  const formatter = new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, {
    day: "numeric",
    month: "short",
    year: "numeric",
    timeZone: "UTC",
  });
  return formatter.format(new Date(Date.UTC(year, month - 1, day)));
}
