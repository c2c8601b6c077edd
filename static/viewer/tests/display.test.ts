import { describe, expect, it } from "vitest";
import { change, curveOf, framesOfCurve, laidOut, whyNoCurve } from "../src/engine/curve";
import type { Pixels } from "../src/engine/decode";
import { dragged, heights, histogram } from "../src/engine/histogram";
import { magnified } from "../src/engine/lens";
import { sameInStack } from "../src/engine/stacks";
import { nextRate } from "../src/store/display";
import { manifest } from "./manifest";

describe("a histogram", () => {
  it("counts every value once and leaves rare ones at the ends out of its range", () => {
    const values = Int16Array.from({ length: 10_000 }, (_, i) => (i === 0 ? 30_000 : i % 100));
    const found = histogram(values, 50)!;
    expect([found.low, found.high]).toEqual([0, 99]);
    expect(found.counts.reduce((a, b) => a + b)).toBe(9_999);
    expect(Math.max(...heights(found))).toBe(1);
  });

  it("is there for an image of one value, and not for one without any", () => {
    const flat = histogram(new Uint8Array(50).fill(7), 10)!;
    expect([flat.low, flat.high]).toEqual([6, 8]);
    expect(histogram(new Float32Array(3).fill(Number.NaN))).toBeNull();
  });

  it("lets either end of the window be dragged, never through the other", () => {
    const window = { width: 400, center: 40 };
    expect(dragged(window, "high", 340, 1)).toEqual({ width: 500, center: 90 });
    expect(dragged(window, "low", -60, 1)).toEqual({ width: 300, center: 90 });
    expect(dragged(window, "low", 900, 1)).toEqual({ width: 1, center: 239.5 });
    expect(dragged(window, "both", 10, 1)).toEqual({ width: 400, center: 10 });
  });
});

describe("a magnifier", () => {
  const pixels: Pixels = {
    data: Int16Array.of(0, 100, 200, 300),
    colour: false,
    rows: 2,
    columns: 2,
    minimum: 0,
    maximum: 300,
  };
  const grey = (smooth: boolean, inverted = false) => {
    const to = new Uint8ClampedArray(8 * 8 * 4);
    // Four pixels of the lens a voxel: the lens's left top corner is the image's.
    magnified(pixels, [0.25, 0, 0, 0.25, -0.5, -0.5], { low: 0, width: 300, inverted, smooth }, 8, to);
    return (x: number, y: number) => to[(y * 8 + x) * 4];
  };

  it("shows each voxel as a field, or what lies between them", () => {
    const fields = grey(false);
    expect([fields(0, 0), fields(3, 0), fields(4, 0), fields(3, 7), fields(7, 7)]).toEqual([
      0, 0, 85, 170, 255,
    ]);
    const smooth = grey(true);
    expect(smooth(3, 0)).toBeGreaterThan(20);
    expect(smooth(3, 0)).toBeLessThan(smooth(4, 0));
    expect(grey(false, true)(0, 0)).toBe(255);
  });

  it("is black outside of the image", () => {
    const to = new Uint8ClampedArray(4);
    magnified(pixels, [1, 0, 0, 1, 5, 5], { low: 0, width: 1, inverted: true, smooth: true }, 1, to);
    expect([...to]).toEqual([0, 0, 0, 255]);
  });
});

describe("the mean of an outline over the phases", () => {
  const phases = (seconds = true) => {
    const made = manifest({}, 6);
    made.frames.position = made.frames.sop.map((_, i) => [-100, -80, 10 + 2.5 * (i % 3)]);
    made.frames.intercept.fill(0);
    made.phases = [
      { label: "Phase 1", first: 0, count: 3, ...(seconds && { seconds: 0 }) },
      { label: "Phase 2", first: 3, count: 3, ...(seconds && { seconds: 90 }) },
    ];
    return made;
  };
  const mark = {
    kind: "ellipse" as const,
    sop: "1.2.3.1",
    frame: 1,
    points_patient_mm: [
      [-98, -76, 12.5],
      [-94, -76, 12.5],
      [-96, -79, 12.5],
      [-96, -73, 12.5],
    ] as [number, number, number][],
  };
  const filled = (value: number): Pixels => ({
    data: new Int16Array(40 * 50).fill(value),
    colour: false,
    rows: 40,
    columns: 50,
    minimum: value,
    maximum: value,
  });

  it("is taken at the same place of each, in the seconds of the file", () => {
    const made = phases();
    expect(framesOfCurve(mark, made)).toEqual([1, 4]);
    const points = curveOf(mark, made, (index) => filled(index === 1 ? 100 : 150));
    expect(points.map(({ seconds, found }) => [seconds, found?.mean, found?.deviation])).toEqual([
      [0, 100, 0],
      [90, 150, 0],
    ]);
    expect(change(points, 0)).toBeNull();
    expect(change(points, 1)).toBe(50);
    expect(laidOut(points, 200, 60)).toEqual([
      [0, 60],
      [200, 0],
    ]);
  });

  it("waits for images that are not here", () => {
    const points = curveOf(mark, phases(false), (index) => (index === 1 ? filled(3) : null));
    expect(points[1].found).toBeNull();
    expect(laidOut(points, 10, 10)).toEqual([[0, 5], null]);
    expect(change(points, 1)).toBeNull();
  });

  it("leaves out phases that don't reach this place", () => {
    const made = phases();
    made.frames.position![4] = [-100, -80, 80];
    made.frames.position![3] = [-100, -80, 70];
    made.frames.position![5] = [-100, -80, 90];
    expect(framesOfCurve(mark, made)).toEqual([1]);
  });

  it("needs phases and an outline", () => {
    expect(whyNoCurve(mark, phases())).toBeNull();
    expect(whyNoCurve(mark, manifest())).toContain("no phases");
    expect(whyNoCurve({ ...mark, kind: "length" }, phases())).toContain("outline");
    expect(whyNoCurve({ ...mark, sop: "9" }, phases())).toContain("one image");
  });
});

it("a phase is reached by its number", () => {
  const made = manifest({}, 4);
  made.frames.position = [0, 1, 0, 1].map((z) => [0, 0, z]);
  made.phases = [
    { label: "a", first: 0, count: 2 },
    { label: "b", first: 2, count: 2 },
  ];
  expect([sameInStack(made, 1, 1), sameInStack(made, 1, 2), sameInStack(made, 1, 7)]).toEqual([1, 3, 1]);
});

it("playing gets faster and slower in steps, and stays within them", () => {
  expect([nextRate(15, 1), nextRate(15, -1), nextRate(60, 1), nextRate(13, 1), nextRate(1, -1)]).toEqual([
    20, 12, 60, 15, 1,
  ]);
});
