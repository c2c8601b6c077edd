import { describe, expect, test } from "vitest";
import type { AnnotationValue, Point2, Point3 } from "../src/api/types";
import { indexToWorld, planeOf } from "../src/engine/geometry";
import { boxAround, crossingOf, reachingTo, sidesOf, withRectangle } from "../src/journal/box";
import { curveThrough, lineOf, planeOfValue, pointsOn, showsOn } from "../src/journal/figures";
import { cheapestWays, edgeCosts } from "../src/journal/livewire";
import { spansOf, statistics } from "../src/journal/measure";
import type { Place } from "../src/place";
import { manifest } from "./manifest";

const ct = manifest({}, 8); // 0.8 mm between rows, 0.4 between columns, 2.5 between slices, 40 × 50
const plane = planeOf(ct, 3);
const at = (index: number | null, own = planeOf(ct, index ?? 0)): Place => ({
  manifest: ct,
  plane: own,
  matrix: [1, 0, 0, 1, 0, 0],
  index,
  cut: null,
  near: index ?? 0,
});
const value = (part: Partial<AnnotationValue>): AnnotationValue => ({
  kind: "length",
  label: "lesion",
  series: ct.series.id,
  state: "present",
  note: "",
  origin: { from: "reader" },
  ...part,
});

describe("boxes", () => {
  const corners = (
    [
      [10, 10],
      [30, 10],
      [30, 20],
      [10, 20],
    ] as Point2[]
  ).map((p) => indexToWorld(plane, p));
  const box = boxAround(corners, plane, 2.5);
  const mark = value({ kind: "box", points_patient_mm: box, sop: ct.frames.sop[3], frame: 1 });
  const slices = (points: Point3[]) =>
    ct.frames.sop.flatMap((_, i) => (crossingOf(points, planeOf(ct, i)).length ? [i] : []));

  test("a new one is as deep as its slice and shows there alone", () => {
    expect(sidesOf(box)[0]).toBeCloseTo(8, 9);
    expect(sidesOf(box)[1]).toBeCloseTo(8, 9);
    expect(sidesOf(box)[2]).toBeCloseTo(2.5, 9);
    expect(slices(box)).toEqual([3]);
    expect(showsOn(mark, at(3))).toBe(true);
    expect(showsOn(mark, at(4))).toBe(false);
  });
  test("it reaches to a slice above, to one below, and back again", () => {
    const higher = reachingTo(box, planeOf(ct, 5), 1.25);
    expect(slices(higher)).toEqual([3, 4, 5]);
    const both = reachingTo(higher, planeOf(ct, 2), 1.25);
    expect(slices(both)).toEqual([2, 3, 4, 5]);
    expect(sidesOf(both)[2]).toBeCloseTo(10, 9);
    expect(slices(reachingTo(both, planeOf(ct, 4), 1.25))).toEqual([2, 3, 4]);
  });
  test("its rectangle on a slice changes, its depth stays", () => {
    const wider = [...corners];
    wider[1] = indexToWorld(plane, [40, 10]);
    wider[2] = indexToWorld(plane, [40, 20]);
    const next = withRectangle(box, plane, wider);
    expect(sidesOf(next)[0]).toBeCloseTo(12, 9);
    expect(sidesOf(next)[2]).toBeCloseTo(2.5, 9);
    expect(slices(next)).toEqual([3]);
  });
  test("a sagittal plane crosses it in a rectangle of height and depth", () => {
    const origin = indexToWorld(plane, [20, 0]);
    const sagittal = { ...plane, origin, row: [0, 1, 0] as Point3, column: [0, 0, 1] as Point3 };
    const crossing = crossingOf(reachingTo(box, planeOf(ct, 5), 1.25), sagittal);
    expect(crossing).toHaveLength(4);
    const [a, b, c] = crossing;
    expect(
      [Math.hypot(...a.map((v, i) => v - b[i])), Math.hypot(...b.map((v, i) => v - c[i]))].sort(),
    ).toEqual([expect.closeTo(7.5, 9), expect.closeTo(8, 9)]);
  });
  test("an oblique plane crosses it in a polygon that lies on that plane", () => {
    const s = Math.SQRT1_2;
    const middle = indexToWorld(plane, [20, 15]);
    const askew = { ...plane, origin: middle, row: [s, s, 0] as Point3, column: [0, 0, 1] as Point3 };
    const crossing = crossingOf(box, askew);
    expect(crossing.length).toBeGreaterThan(2);
    for (const p of crossing) expect((p[0] - middle[0]) * s - (p[1] - middle[1]) * s).toBeCloseTo(0, 9);
  });
});

describe("marks on cuts", () => {
  const cut = { origin: [-90, -60, 0] as Point3, row: [0, 1, 0] as Point3, column: [0, 0, 1] as Point3 };
  const mark = value({
    plane: cut,
    points_patient_mm: [
      [-90, -50, 12],
      [-90, -46, 15],
    ],
  });
  const shown = (origin: Point3) => at(null, { ...plane, ...cut, origin, row_mm: 0.4, column_mm: 0.4 });
  test("show on the same plane, however it lies within it, and on no other", () => {
    expect(showsOn(mark, shown([-90, -80, 5]))).toBe(true);
    expect(showsOn(mark, shown([-89, -80, 5]))).toBe(false);
    expect(showsOn(mark, at(3))).toBe(false);
  });
  test("are measured on square pixels as fine as the images", () => {
    expect(planeOfValue(mark, ct)?.row_mm).toBe(0.4);
    expect(pointsOn(mark, shown([-90, -60, 0]))[1][0]).toBeCloseTo(35, 9);
  });
});

test("a slice's mark shows on a cut along that slice", () => {
  const mark = value({
    sop: ct.frames.sop[3],
    frame: 1,
    points_patient_mm: [
      [-99, -79, 17.5],
      [-95, -79, 17.5],
    ],
  });
  expect(showsOn(mark, at(null, plane))).toBe(true);
  expect(showsOn(mark, at(null, planeOf(ct, 4)))).toBe(false);
});

test("a curve runs through its own points and ends where it begins", () => {
  const points: Point2[] = [
    [10, 10],
    [30, 12],
    [25, 30],
  ];
  const curve = curveThrough(points);
  expect(curve).toHaveLength(48);
  expect([curve[0], curve[16], curve[32]]).toEqual(points);
  const [line] = lineOf("spline", points, plane);
  expect(line.at(-1)).toEqual(line[0]);
});

describe("values inside a region", () => {
  const values = (c: number, r: number) => 100 * r + c;
  test("a rectangle counts the voxels whose centre it holds, with their lowest and highest", () => {
    const corners: Point2[] = [
      [1.5, 2.5],
      [4.5, 2.5],
      [4.5, 4.5],
      [1.5, 4.5],
    ];
    const mark = value({ kind: "rectangle", points_patient_mm: corners.map((p) => indexToWorld(plane, p)) });
    const found = statistics(mark, plane, values);
    expect(found?.voxels).toBe(6);
    expect([found?.minimum, found?.maximum, found?.mean]).toEqual([302, 404, 353]);
    expect(found?.deviation).toBeCloseTo(Math.sqrt(2500 + 2 / 3), 9);
  });
  test("a circle is round in millimetres, not in voxels", () => {
    const circle: Point2[] = [
      [25, 20],
      [25, 25],
    ]; // 4 mm
    let voxels = 0;
    for (let r = 0; r < 40; r++)
      for (let c = 0; c < 50; c++) if (Math.hypot((c - 25) * 0.4, (r - 20) * 0.8) <= 4 + 1e-9) voxels++;
    const spans = [...spansOf("circle", circle, plane)];
    expect(spans.reduce((n, [, from, to]) => n + to - from + 1, 0)).toBe(voxels);
  });
  test("a line that turns back on itself counts as even and odd", () => {
    const eight: Point2[] = [
      [1.5, 1.5],
      [9.5, 9.5],
      [9.5, 1.5],
      [1.5, 9.5],
    ];
    const inside = (c: number, r: number) => {
      let odd = false;
      for (let i = 0, j = 3; i < 4; j = i++) {
        const [xi, yi] = eight[i];
        const [xj, yj] = eight[j];
        if (yi > r !== yj > r && c < ((xj - xi) * (r - yi)) / (yj - yi) + xi) odd = !odd;
      }
      return odd;
    };
    const spans = [...spansOf("polygon", eight, plane)];
    for (let r = 0; r < 12; r++)
      for (let c = 0; c < 12; c++)
        expect(spans.some(([row, from, to]) => row === r && c >= from && c <= to)).toBe(inside(c, r));
  });
});

describe("the live wire", () => {
  // A bright disc of radius 12 on dark ground.
  const [rows, columns] = [60, 60];
  const data = Float32Array.from({ length: rows * columns }, (_, i) =>
    Math.hypot((i % columns) - 30, Math.floor(i / columns) - 30) <= 12 ? 100 : 0,
  );
  const costs = edgeCosts({ data, rows, columns, colour: false });
  test("runs along the edge between two clicks on it", () => {
    const path = cheapestWays(costs, rows, columns, [42, 30]).pathTo([30, 42]) ?? [];
    expect(path.at(-1)).toEqual([30, 42]);
    expect(path.length).toBeGreaterThan(10);
    for (const [x, y] of path) expect(Math.abs(Math.hypot(x - 30, y - 30) - 12)).toBeLessThan(1.6);
  });
  test("goes from voxel to neighbouring voxel, and says where it does not reach", () => {
    const ways = cheapestWays(new Uint8Array(600 * 600).fill(9), 600, 600, [0, 0]);
    const path: Point2[] = [[0, 0], ...(ways.pathTo([20, 7]) ?? [])];
    path.slice(1).forEach(([x, y], i) => {
      expect(Math.max(Math.abs(x - path[i][0]), Math.abs(y - path[i][1]))).toBe(1);
    });
    expect(ways.pathTo([500, 500])).toBeNull();
  });
});
