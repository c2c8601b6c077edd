import { describe, expect, test } from "vitest";
import { apply, cameraOf, fitted, indexToCanvas, invert, pan, zoomAt } from "../src/engine/camera";
import {
  against,
  cross,
  dot,
  edgeLetters,
  frameIndex,
  hangingPose,
  indexToScoord,
  indexToWorld,
  letters,
  nearestFrame,
  type Pose,
  planeOf,
  scoordToIndex,
  sliceDistance,
  slicePosition,
  UPRIGHT,
  worldToIndex,
} from "../src/engine/geometry";
import { manifest } from "./manifest";

const s = Math.SQRT1_2;

describe("from index to patient and back", () => {
  test("a column is column_mm wide and a row row_mm high, on spacing that differs", () => {
    const plane = planeOf(manifest(), 0);
    expect(indexToWorld(plane, [0, 0])).toEqual([-100, -80, 10]);
    const [x, y, z] = indexToWorld(plane, [10, 5]);
    expect(x).toBeCloseTo(-100 + 10 * 0.4, 12);
    expect(y).toBeCloseTo(-80 + 5 * 0.8, 12);
    expect(z).toBe(10);
  });

  test("an oblique slice goes there and back", () => {
    const plane = planeOf(manifest({ orientation: [s, s, 0, 0, 0, -1] }), 2);
    const back = worldToIndex(plane, indexToWorld(plane, [12.25, 33.5]));
    expect(back[0]).toBeCloseTo(12.25, 10);
    expect(back[1]).toBeCloseTo(33.5, 10);
  });

  test("an image without position is a plane of its own, SCOORD half a pixel off the index", () => {
    const plane = planeOf(manifest({ geometry: "image", orientation: null }), 0);
    expect(plane.kind).toBe("image");
    expect(indexToScoord([0, 0])).toEqual([0.5, 0.5]);
    expect(scoordToIndex(indexToScoord([3, 4]))).toEqual([3, 4]);
  });

  test("a frame that differs from its series says so itself", () => {
    const odd = manifest({ overrides: { "1": { spacing: { row_mm: 2, column_mm: 3, source: "pixel" } } } });
    expect(planeOf(odd, 1).row_mm).toBe(2);
    expect(planeOf(odd, 0).row_mm).toBe(0.8);
  });

  test("without calibration a pixel counts one, and is no millimetre", () => {
    const plane = planeOf(manifest({ spacing: { row_mm: null, column_mm: null, source: "none" } }), 0);
    expect([plane.row_mm, plane.column_mm, plane.calibration]).toEqual([1, 1, "none"]);
  });
});

describe("letters on the edges", () => {
  const axial = planeOf(manifest(), 0);
  const at = (pose: Partial<Pose>) => edgeLetters(axial, { ...UPRIGHT, ...pose });
  test("an axial slice as it comes", () => {
    expect(at({})).toEqual({ left: "R", right: "L", top: "A", bottom: "P" });
  });
  test("mirrored left to right", () => {
    expect(at({ flipHorizontal: true })).toEqual({ left: "L", right: "R", top: "A", bottom: "P" });
  });
  test("mirrored top to bottom", () => {
    expect(at({ flipVertical: true })).toEqual({ left: "R", right: "L", top: "P", bottom: "A" });
  });
  test("turned right by 90°, the top goes to the right", () => {
    expect(at({ rotation: 90 })).toEqual({ left: "P", right: "A", top: "R", bottom: "L" });
  });
  test("mirrored, then turned", () => {
    expect(at({ flipHorizontal: true, rotation: 90 })).toEqual({
      left: "P",
      right: "A",
      top: "L",
      bottom: "R",
    });
  });
  test("coronal and sagittal", () => {
    const coronal = planeOf(manifest({ orientation: [1, 0, 0, 0, 0, -1] }), 0);
    expect(edgeLetters(coronal, UPRIGHT)).toEqual({ left: "R", right: "L", top: "H", bottom: "F" });
    const sagittal = planeOf(manifest({ orientation: [0, 1, 0, 0, 0, -1] }), 0);
    expect(edgeLetters(sagittal, UPRIGHT)).toEqual({ left: "A", right: "P", top: "H", bottom: "F" });
  });
  test("an oblique direction names the strongest first, and an image without position has none", () => {
    expect(letters([0.9, 0.4, 0.05])).toBe("LP");
    expect(edgeLetters(planeOf(manifest({ geometry: "image", orientation: null }), 0), UPRIGHT)).toBeNull();
  });
});

describe("slices", () => {
  test("the distance between slices is taken along the normal", () => {
    expect(sliceDistance(manifest())).toBeCloseTo(2.5, 12);
    const tilted = manifest();
    tilted.frames.position = [0, 1, 2, 3].map((i) => [0, 7 * i, 2 * i]);
    expect(sliceDistance(tilted)).toBeCloseTo(2, 12);
  });
  test("one slice, or slices on top of each other, have no distance", () => {
    expect(sliceDistance(manifest({}, 1))).toBeNull();
    const piled = manifest();
    piled.frames.position = piled.frames.position!.map(() => [0, 0, 0]);
    expect(sliceDistance(piled)).toBeNull();
  });
  test("a frame is found by its UID and number, and by a point near it", () => {
    expect(frameIndex(manifest(), "1.2.3.2", 1)).toBe(2);
    expect(frameIndex(manifest(), "1.2.3.2", 2)).toBe(-1);
    expect(nearestFrame(manifest(), [30, 4, 16.1])).toBe(2);
  });
  test("the position is named after the axis it runs along", () => {
    expect(slicePosition(planeOf(manifest(), 1))).toEqual({ axis: "z", mm: 12.5 });
  });
});

describe("the camera", () => {
  const plane = planeOf(manifest(), 0);
  const area = { width: 622, height: 400, inset: 22 };

  test("a fitted slice lies inside the image area, millimetres square", () => {
    const sight = fitted(plane, area, UPRIGHT);
    const matrix = indexToCanvas(plane, sight, area);
    const [left, top] = apply(matrix, [-0.5, -0.5]);
    const [right, bottom] = apply(matrix, [49.5, 39.5]);
    expect(top).toBeCloseTo(0, 9);
    expect(bottom).toBeCloseTo(400, 9);
    expect(left + right).toBeCloseTo(600, 9);
    expect(matrix[0] / matrix[3]).toBeCloseTo(0.4 / 0.8, 12);
  });

  test("there and back through every pose", () => {
    for (const rotation of [0, 90, 180, 270] as const) {
      for (const flipHorizontal of [false, true]) {
        for (const flipVertical of [false, true]) {
          const sight = fitted(plane, area, { rotation, flipHorizontal, flipVertical });
          const matrix = indexToCanvas(plane, sight, area);
          const back = apply(invert(matrix), apply(matrix, [7, 31]));
          expect(back[0]).toBeCloseTo(7, 9);
          expect(back[1]).toBeCloseTo(31, 9);
          const { viewUp, viewPlaneNormal } = cameraOf(plane, sight, area);
          const right = cross(viewUp, viewPlaneNormal);
          // The renderer's right hand has to be ours: the patient's direction along screen x.
          const step = apply(invert(matrix), [area.width, 0]);
          const from = apply(invert(matrix), [0, 0]);
          const a = indexToWorld(plane, from);
          const b = indexToWorld(plane, step);
          expect(dot(right, [b[0] - a[0], b[1] - a[1], b[2] - a[2]])).toBeGreaterThan(0);
        }
      }
    }
  });

  test("the voxel under the cursor stays there while zooming, and follows the hand while panning", () => {
    const sight = fitted(plane, area, { rotation: 90, flipHorizontal: true, flipVertical: false });
    const under = apply(invert(indexToCanvas(plane, sight, area)), [123, 77]);
    const zoomed = zoomAt(plane, sight, area, 1.7, [123, 77]);
    const still = apply(indexToCanvas(plane, zoomed, area), under);
    expect(still[0]).toBeCloseTo(123, 8);
    expect(still[1]).toBeCloseTo(77, 8);
    const moved = apply(indexToCanvas(plane, pan(sight, 10, -4), area), under);
    expect(moved[0]).toBeCloseTo(133, 8);
    expect(moved[1]).toBeCloseTo(73, 8);
  });
});

describe("hanging", () => {
  const lettersOf = (orientation: number[]) => {
    const plane = planeOf(manifest({ orientation }), 0);
    return edgeLetters(plane, hangingPose(plane));
  };
  test("a slice that comes as a reader wants it stays as it comes", () => {
    expect(hangingPose(planeOf(manifest(), 0))).toEqual(UPRIGHT);
  });
  test.each([
    [[1, 0, 0, 0, -1, 0], { left: "R", right: "L", top: "A", bottom: "P" }],
    [[-1, 0, 0, 0, -1, 0], { left: "R", right: "L", top: "A", bottom: "P" }],
    [[0, 1, 0, 1, 0, 0], { left: "R", right: "L", top: "A", bottom: "P" }],
    [[-1, 0, 0, 0, 0, 1], { left: "R", right: "L", top: "H", bottom: "F" }],
    [[0, 0, 1, 0, -1, 0], { left: "A", right: "P", top: "H", bottom: "F" }],
  ])("rows and columns along %j", (orientation, edges) => {
    expect(lettersOf(orientation)).toEqual(edges);
  });
  test("what a reader turns or mirrors is told against that, not against the file", () => {
    const usual = hangingPose(planeOf(manifest({ orientation: [1, 0, 0, 0, -1, 0] }), 0));
    expect(against(usual, usual)).toEqual({ mirrored: false, turned: 0 });
    const turned = { ...usual, rotation: ((usual.rotation + 90) % 360) as Pose["rotation"] };
    expect(against(turned, usual)).toEqual({ mirrored: false, turned: 90 });
    expect(against({ ...usual, flipVertical: !usual.flipVertical }, usual).mirrored).toBe(true);
    expect(against({ rotation: 0, flipHorizontal: true, flipVertical: true }, UPRIGHT)).toEqual({
      mirrored: false,
      turned: 180,
    });
  });
});

test("a radiograph shows the letters that its file writes, turned and mirrored with it", () => {
  const plain = { geometry: "image" as const, orientation: null };
  const plane = planeOf(manifest({ ...plain, letters: ["L", "FP"] }), 0);
  expect(edgeLetters(plane, UPRIGHT)).toEqual({ left: "R", right: "L", top: "HA", bottom: "FP" });
  const mirrored: Pose = { ...UPRIGHT, flipHorizontal: true };
  expect(edgeLetters(plane, mirrored)).toEqual({ left: "L", right: "R", top: "HA", bottom: "FP" });
  // A quarter turn to the right: what was at the top is at the right.
  const turned: Pose = { ...UPRIGHT, rotation: 90 };
  expect(edgeLetters(plane, turned)).toEqual({ left: "FP", right: "HA", top: "R", bottom: "L" });
  expect(edgeLetters(planeOf(manifest(plain), 0), UPRIGHT)).toBeNull();
  const own = manifest({ ...plain, letters: ["L", "F"], overrides: { "1": { letters: ["A", "F"] } } });
  expect(edgeLetters(planeOf(own, 1), UPRIGHT)?.right).toBe("A");
});
