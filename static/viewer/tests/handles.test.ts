import { expect, test } from "vitest";
import type { Point2 } from "../src/api/types";
import { planeOf } from "../src/engine/geometry";
import { movedHandle } from "../src/journal/handles";
import { manifest } from "./manifest";

const plane = planeOf(manifest(), 0); // 0.8 mm between rows, 0.4 between columns
const mm = (a: Point2, b: Point2): Point2 => [(b[0] - a[0]) * 0.4, (b[1] - a[1]) * 0.8];
const dot = (a: Point2, b: Point2) => a[0] * b[0] + a[1] * b[1];

test("the short axis stays at a right angle in millimetres, whichever end moves", () => {
  const points: Point2[] = [
    [10, 10],
    [30, 10],
    [20, 5],
    [20, 15],
  ];
  for (const handle of [0, 1, 2, 3]) {
    const next = movedHandle("bidirectional", points, handle, [33.3, 21.7], plane);
    expect(dot(mm(next[0], next[1]), mm(next[2], next[3]))).toBeCloseTo(0, 9);
  }
});

test("an ellipse keeps its centre, the other axis its length, and both their right angle", () => {
  const points: Point2[] = [
    [10, 20],
    [30, 20],
    [20, 16],
    [20, 24],
  ];
  const next = movedHandle("ellipse", points, 1, [28, 26], plane);
  expect([(next[0][0] + next[1][0]) / 2, (next[0][1] + next[1][1]) / 2]).toEqual([20, 20]);
  expect(dot(mm(next[0], next[1]), mm(next[2], next[3]))).toBeCloseTo(0, 9);
  expect(Math.hypot(...mm(next[2], next[3]))).toBeCloseTo(6.4, 9);
});

test("the end of a length goes where the hand goes, the other stays", () => {
  const next = movedHandle(
    "length",
    [
      [1, 2],
      [3, 4],
    ],
    1,
    [9, 9],
    plane,
  );
  expect(next).toEqual([
    [1, 2],
    [9, 9],
  ]);
});

test("a circle follows its centre whole, and grows by its rim", () => {
  const points: Point2[] = [
    [20, 20],
    [30, 20],
  ];
  expect(movedHandle("circle", points, 0, [25, 22], plane)).toEqual([
    [25, 22],
    [35, 22],
  ]);
  expect(movedHandle("circle", points, 1, [20, 40], plane)).toEqual([
    [20, 20],
    [20, 40],
  ]);
});

test("a rectangle that stands askew keeps its opposite corner and its right angles in millimetres", () => {
  const turned = (x: number, y: number): Point2 => {
    const [c, s] = [Math.cos(0.4), Math.sin(0.4)];
    return [20 + (c * x - s * y) / 0.4, 20 + (s * x + c * y) / 0.8];
  };
  const points = [turned(0, 0), turned(8, 0), turned(8, 4), turned(0, 4)];
  for (const handle of [0, 1, 2, 3]) {
    const next = movedHandle("rectangle", points, handle, [51.3, 44.1], plane);
    expect(next[handle]).toEqual([51.3, 44.1]);
    const opposite = (handle + 2) % 4;
    expect(next[opposite]).toEqual(points[opposite]);
    for (const i of [0, 1, 2, 3]) {
      const [a, b, c] = [next[i], next[(i + 1) % 4], next[(i + 2) % 4]];
      expect(dot(mm(a, b), mm(b, c))).toBeCloseTo(0, 9);
    }
  }
});
