import { describe, expect, test } from "vitest";
import type { AnnotationValue, Kind, Manifest, Point2 } from "../src/api/types";
import { indexToScoord, indexToWorld, planeOf } from "../src/engine/geometry";
import { maskAreaMm2, maskVolumeMl, measure, statistics } from "../src/journal/measure";
import { measuredText } from "../src/ui/words";
import { finding, manifest } from "./manifest";

function mark(kind: Kind, points: Point2[], of: Manifest): AnnotationValue {
  const plane = planeOf(of, 0);
  return {
    kind,
    label: "nodule",
    series: of.series.id,
    state: "present",
    note: "",
    origin: { from: "reader" },
    ...(plane.kind === "patient"
      ? { points_patient_mm: points.map((point) => indexToWorld(plane, point)) }
      : { points_image: points.map(indexToScoord) }),
  };
}
const numbers = (kind: Kind, points: Point2[], of: Manifest) =>
  measure(mark(kind, points, of), planeOf(of, 0));

describe("on 0.8 × 0.4 mm spacing", () => {
  const ct = manifest();
  test("a length across columns and one across rows", () => {
    expect(
      numbers(
        "length",
        [
          [0, 0],
          [10, 0],
        ],
        ct,
      ).length,
    ).toBeCloseTo(4, 10);
    expect(
      numbers(
        "length",
        [
          [0, 0],
          [0, 10],
        ],
        ct,
      ).length,
    ).toBeCloseTo(8, 10);
    expect(
      numbers(
        "length",
        [
          [0, 0],
          [10, 10],
        ],
        ct,
      ).length,
    ).toBeCloseTo(Math.hypot(4, 8), 10);
  });
  test("two axes: the longer is the long one, whichever was drawn first", () => {
    const m = numbers(
      "bidirectional",
      [
        [10, 10],
        [20, 10],
        [15, 0],
        [15, 20],
      ],
      ct,
    );
    expect(m.length).toBeCloseTo(16, 10);
    expect(m.short).toBeCloseTo(4, 10);
    expect(measuredText(m)).toBe("16.0 × 4.0 mm");
  });
  test("an ellipse and a polygon in square millimetres", () => {
    expect(
      numbers(
        "ellipse",
        [
          [0, 10],
          [20, 10],
          [10, 0],
          [10, 20],
        ],
        ct,
      ).area,
    ).toBeCloseTo((Math.PI * 8 * 16) / 4, 9);
    expect(
      numbers(
        "polygon",
        [
          [0, 0],
          [10, 0],
          [10, 10],
          [0, 10],
        ],
        ct,
      ).area,
    ).toBeCloseTo(32, 9);
  });
  test("an oblique plane changes no number", () => {
    const s = Math.SQRT1_2;
    const oblique = manifest({ orientation: [s, s, 0, 0, 0, -1] });
    expect(
      numbers(
        "length",
        [
          [0, 0],
          [10, 10],
        ],
        oblique,
      ).length,
    ).toBeCloseTo(Math.hypot(4, 8), 9);
    expect(
      numbers(
        "polygon",
        [
          [0, 0],
          [10, 0],
          [10, 10],
          [0, 10],
        ],
        oblique,
      ).area,
    ).toBeCloseTo(32, 9);
  });
  test("voxels as area and volume; no distance between slices, no volume", () => {
    expect(maskAreaMm2(100, planeOf(ct, 0))).toBeCloseTo(32, 10);
    expect(maskVolumeMl(1000, planeOf(ct, 0), 2.5)).toBeCloseTo(0.8, 10);
    expect(maskVolumeMl(1000, planeOf(ct, 0), null)).toBeNull();
  });
});

describe("where millimetres are not known", () => {
  test("a projection without spacing is measured in pixels, and says so", () => {
    const xa = manifest({
      geometry: "image",
      orientation: null,
      spacing: { row_mm: null, column_mm: null, source: "none" },
    });
    const m = numbers(
      "length",
      [
        [0, 0],
        [3, 4],
      ],
      xa,
    );
    expect([m.length, m.unit]).toEqual([5, "px"]);
    expect(measuredText(m)).toBe("5.0 px");
    expect(maskAreaMm2(10, planeOf(xa, 0))).toBeNull();
  });
  const projection = (source: "imager" | "estimated", row_mm = 0.2) =>
    manifest({ geometry: "image", orientation: null, spacing: { row_mm, column_mm: 0.2, source } });
  const line: [number, number][] = [
    [0, 0],
    [30, 40],
  ];
  test("spacing at the detector alone gives pixels: the server keeps no millimetres either", () => {
    const m = numbers("length", line, projection("imager"));
    expect([m.length, m.unit, m.estimate]).toEqual([50, "px", false]);
    expect(measuredText(m)).toBe("50.0 px");
    expect(maskAreaMm2(10, planeOf(projection("imager"), 0))).toBeNull();
  });
  test("oblong pixels of a detector keep their shape on the screen and are counted as pixels", () => {
    const plane = planeOf(projection("imager", 0.4), 0);
    expect([plane.row_mm, plane.column_mm]).toEqual([2, 1]);
    expect(numbers("length", line, projection("imager", 0.4)).length).toBe(50);
  });
  test("a projection that estimates its magnification gives millimetres, marked as an estimate", () => {
    const m = numbers("length", line, projection("estimated"));
    expect(m.estimate).toBe(true);
    expect(measuredText(m)).toBe("≈ 10.0 mm");
  });
  test("a finding that spoils millimetres turns them into pixels", () => {
    const doubtful = { ...projection("estimated"), findings: [finding("millimetres")] };
    expect(numbers("length", line, doubtful).unit).toBe("px");
  });
});

test("mean and deviation are of the voxels whose centre lies inside", () => {
  const ct = manifest();
  const square = mark(
    "polygon",
    [
      [1.5, 1.5],
      [3.5, 1.5],
      [3.5, 3.5],
      [1.5, 3.5],
    ],
    ct,
  );
  const found = statistics(square, planeOf(ct, 0), (column, row) => column * 10 + row);
  expect(found?.voxels).toBe(4); // columns 2, 3 × rows 2, 3
  expect(found?.mean).toBeCloseTo(27.5, 10);
  expect(found?.deviation).toBeCloseTo(Math.sqrt((5.5 ** 2 + 4.5 ** 2) / 2), 10);
  const disc = mark(
    "ellipse",
    [
      [20, 20],
      [30, 20],
      [25, 17.5],
      [25, 22.5],
    ],
    ct,
  ); // a circle of 2 mm
  let inside = 0;
  for (let r = 0; r < 40; r++) {
    for (let c = 0; c < 50; c++) if (Math.hypot((c - 25) * 0.4, (r - 20) * 0.8) <= 2) inside++;
  }
  expect(statistics(disc, planeOf(ct, 0), () => 1)?.voxels).toBe(inside);
});
