import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { dayText, LANGUAGES, setLanguage, t, tn } from "../src/words";
import { es } from "../src/words/es";

const SOURCE = join(__dirname, "..", "src");
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
const ONE = new RegExp(`(?<![\\w.])t\\(\\s*(${QUOTED})`, "g");
const COUNTED = new RegExp(`(?<![\\w.])tn\\(\\s*[^"]*?,\\s*(${QUOTED}),\\s*(${QUOTED})`, "g");

function files(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return path === join(SOURCE, "words") ? [] : files(path);
    return /\.tsx?$/.test(entry.name) ? [path] : [];
  });
}

const sources = files(SOURCE).map((path) => readFileSync(path, "utf8"));
const single = sources.flatMap((text) =>
  [...text.matchAll(ONE)].map((found) => JSON.parse(found[1]) as string),
);
const counted = sources.flatMap((text) =>
  [...text.matchAll(COUNTED)].map((found) => JSON.parse(found[2]) as string),
);
const blanks = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();

afterEach(() => setLanguage("en"));

describe.each([["es", es]])("the catalogue %s", (_, catalogue) => {
  it("has every text that the room says", () => {
    expect(single.length + counted.length).toBeGreaterThan(500); // the search itself works
    expect(single.filter((text) => !(text in catalogue))).toEqual([]);
    expect(counted.filter((text) => typeof catalogue[text] !== "object")).toEqual([]);
  });

  it("fills the same blanks as the English", () => {
    for (const [english, entry] of Object.entries(catalogue)) {
      if (typeof entry === "string") expect(blanks(entry), english).toEqual(blanks(english));
      // "One comment" may leave its number out.
      else expect(blanks(english), english).toEqual(expect.arrayContaining(blanks(entry.one ?? "")));
    }
  });
});

describe("a text", () => {
  it("is English where nothing else is asked for", () => {
    expect(t("slice {n}", { n: 3 })).toBe("slice 3");
    expect(tn(1, "{n} slice", "{n} slices")).toBe("1 slice");
    expect(dayText("2026-03-04")).toBe("4 Mar 2026");
    setLanguage("tlh");
    expect(t("Undo")).toBe("Undo");
  });

  it("is in the reader's language, whichever region they come from", () => {
    setLanguage("es-MX");
    expect(t("slice {n}", { n: 3 })).toBe("corte 3");
    expect(tn(1, "{n} slice", "{n} slices")).toBe("1 corte");
    expect(tn(2, "{n} slice", "{n} slices")).toBe("2 cortes");
    expect(dayText("2026-03-04")).toBe("4 mar 2026");
  });

  it("that no catalogue has is said in English", () => {
    setLanguage("es");
    expect(t("A text of tomorrow, {n}", { n: 1 })).toBe("A text of tomorrow, 1");
  });
});

it("the room offers the languages that it has", () => {
  for (const [code] of LANGUAGES) {
    setLanguage(code);
    expect(t("Undo")).toBe(code === "en" ? "Undo" : es.Undo);
  }
});
