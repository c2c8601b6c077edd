import { describe, expect, it } from "vitest";
import { heat } from "../src/plots/agreement";
import { fan, type Progress } from "../src/plots/progress";
import { date, filled, nearest, shortDay } from "../src/plots/shared";

const PROGRESS: Progress = {
  total: 100,
  done: 40,
  due: null,
  weeks: [
    { day: "2026-01-05", done: 0 },
    { day: "2026-02-02", done: 40 },
  ],
  forecast: { day: "2026-03-16", earliest: "2026-03-04", latest: "2026-04-03" },
  words: { label: "", plan: "", done: "", at: "", forecast: "" },
  language: "en",
};

describe("the fan of a forecast", () => {
  it("opens at today's count and closes at the total on the earliest and the latest day", () => {
    expect(fan(PROGRESS).map(({ day, low, high }) => [day.toISOString().slice(0, 10), low, high])).toEqual([
      ["2026-02-02", 40, 40],
      ["2026-03-04", 70, 100],
      ["2026-04-03", 100, 100],
    ]);
  });
  it("is none without a forecast", () => {
    expect(fan({ ...PROGRESS, forecast: undefined })).toEqual([]);
  });
});

describe("what a pointer shows", () => {
  const points = [
    { x: 0, y: 0, text: "a" },
    { x: 10, y: 100, text: "b" },
  ];
  it("is the nearest value", () => {
    expect(nearest(points, 9, 10)).toBe(0);
    expect(nearest(points, 9, 80)).toBe(1);
  });
  it("is the nearest to the side, if asked so", () => {
    expect(nearest(points, 9, 10, true)).toBe(1);
  });
  it("is nothing where nothing is", () => {
    expect(nearest([], 1, 1)).toBe(-1);
  });
});

describe("heat", () => {
  it("is warm under the limit and grey from it on", () => {
    expect([0.7, 0.79, 0.8, 0.86, 0.95].map((dice) => heat(dice, 0.8))).toEqual([
      "var(--heat-0)",
      "var(--heat-1)",
      "var(--heat-2)",
      "var(--heat-3)",
      "var(--heat-4)",
    ]);
  });
});

describe("words", () => {
  it("are filled in, and keep what is unknown", () => {
    expect(filled("{n} of {total} {what}", { n: 3, total: 4 })).toBe("3 of 4 {what}");
  });
  it("name the year of a day in another year", () => {
    expect(shortDay(date("2026-03-23"), "en-GB", date("2026-01-01"))).toBe("23 Mar");
    expect(shortDay(date("2027-03-23"), "en-GB", date("2026-01-01"))).toBe("23 Mar 2027");
  });
});
