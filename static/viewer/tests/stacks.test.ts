import { expect, test } from "vitest";
import type { Point3 } from "../src/api/types";
import { inStack, sameInNext, stackAt, stacksOf, thickness } from "../src/engine/stacks";
import { encodeMask } from "../src/journal/rle";
import { scrollBy, scrollTo, stepPhase } from "../src/moving";
import { noteOf, unitsOf, whyOff } from "../src/spoilt";
import { type Mark, sliceKey } from "../src/store/marks";
import { presetsFor } from "../src/store/presets";
import { rangeFor, room, setPane } from "../src/store/room";
import { volumeOf } from "../src/ui/words";
import { finding, manifest } from "./manifest";

const at = (...z: number[]): Point3[] => z.map((one) => [0, 0, one]);
const dce = () => {
  const made = manifest({}, 7);
  made.frames.position = at(0, 2, 4, 0, 2, 4, 6);
  made.phases = [
    { label: "Phase 1, +0:00 min", first: 0, count: 3 },
    { label: "Phase 2, +1:35 min", first: 3, count: 4 },
  ];
  return made;
};

test("a series without phases is one stack", () => {
  expect(stacksOf(manifest())).toEqual([{ label: "", first: 0, count: 4, number: 1, of: 1 }]);
});

test("a frame knows its phase, and scrolling ends at the phase's last slice", () => {
  expect(stackAt(dce(), 4).label).toBe("Phase 2, +1:35 min");
  expect([inStack(dce(), 1, 5), inStack(dce(), 4, 0), inStack(dce(), 4, 99)]).toEqual([2, 3, 6]);
});

test("the next phase opens at the same place in the body, round and round", () => {
  expect(sameInNext(dce(), 1, 1)).toBe(4);
  expect(sameInNext(dce(), 4, 1)).toBe(1);
  expect(sameInNext(dce(), 6, -1)).toBe(2); // the place that comes closest
});

test("in the room the wheel never leaves the phase, and a step to the next keeps the zoom", () => {
  room.setState({ manifests: { one: dce() }, active: 0, layout: { rows: 1, columns: 1 }, linked: false });
  const sight = {
    centre: [1, 2] as [number, number],
    scale: 3,
    pose: { rotation: 0, flipHorizontal: false, flipVertical: false } as const,
  };
  setPane(0, { series: "one", wanted: 1, sight });
  scrollBy(9);
  expect(room.getState().panes[0].wanted).toBe(2);
  stepPhase(1);
  expect(room.getState().panes[0].wanted).toBe(5);
  expect(room.getState().panes[0].sight).toEqual(sight);
  scrollBy(-9);
  expect(room.getState().panes[0].wanted).toBe(3);
});

test("a stack in another plane is hung anew", () => {
  const mixed = manifest({ overrides: { "3": { orientation: [0, 1, 0, 0, 0, -1] } } });
  mixed.phases = [
    { label: "Axial", first: 0, count: 3 },
    { label: "Sagittal", first: 3, count: 1 },
  ];
  room.setState({ manifests: { one: mixed }, active: 0 });
  setPane(0, { series: "one", wanted: 0 });
  scrollTo(0, 3);
  expect(room.getState().panes[0].sight).toBeNull();
});

test("a slice stands for half the way to its neighbours, within its phase", () => {
  const uneven = manifest({}, 4);
  uneven.frames.position = at(0, 3.2, 6.5, 9.8);
  expect([0, 1, 3].map((i) => Number(thickness(uneven, i)?.toFixed(4)))).toEqual([3.2, 3.25, 3.3]);
  expect(thickness(dce(), 3)).toBe(2);
  expect(thickness(manifest({}, 1), 0)).toBeNull();
});

const segment = (slices: [string, number][]): Mark =>
  ({
    id: "a",
    voxels: slices.reduce((n, [, count]) => n + count, 0),
    slices: new Map(
      slices.map(([sop, voxels]) => [
        sliceKey(sop, 1),
        { sop, frame: 1, rle: encodeMask(new Uint8Array(4)), rows: 40, columns: 50, voxels },
      ]),
    ),
    value: {
      kind: "segment",
      label: "nodule",
      series: "one",
      state: "present",
      note: "",
      origin: { from: "reader" },
    },
  }) as unknown as Mark;

test("a volume is that of one phase; over two there is none, with the reason", () => {
  expect(
    volumeOf(
      segment([
        ["1.2.3.0", 10],
        ["1.2.3.1", 5],
      ]),
      dce(),
    ),
  ).toEqual({
    ml: expect.closeTo((15 * 0.8 * 0.4 * 2) / 1000, 10),
  });
  expect(
    volumeOf(
      segment([
        ["1.2.3.0", 10],
        ["1.2.3.4", 5],
      ]),
      dce(),
    ),
  ).toEqual({ why: "It lies in several phases." });
});

test("where a finding spoils volumes, its sentence stands in their place", () => {
  const tilted = { ...dce(), findings: [finding("volume")] };
  expect(volumeOf(segment([["1.2.3.0", 10]]), tilted)).toEqual({ why: "Something is wrong here." });
  expect(noteOf("brush", tilted)).toBe("No volume in mL: Something is wrong here.");
  expect(noteOf("brush", dce())).toBeNull();
});

test("a tool says that it measures in pixels, and why", () => {
  const flat = manifest({
    spacing: { row_mm: null, column_mm: null, source: "none" },
    findings: [finding("millimetres")],
  });
  expect(noteOf("length", flat)).toBe("In pixels: Something is wrong here.");
  expect(noteOf("length", manifest())).toBeNull();
  expect(whyOff("threshold", manifest())).toBeNull();
  expect(whyOff("threshold", manifest({ pixel: { ...manifest().pixel, samples: 3 } }))).toContain("colour");
});

test("values that a finding spoils have no unit, SUV has its own, and the range brush starts from it", () => {
  expect(unitsOf(manifest())).toBe("HU");
  expect(unitsOf(manifest({ findings: [finding("units")] }))).toBe("");
  expect(unitsOf(manifest({ units: "BQML", suv_factor: 2e-4 }))).toBe("SUVbw");
  expect(rangeFor(room.getState(), "SUVbw")).toEqual({ low: 2.5, high: null });
  expect(rangeFor(room.getState(), "")).toEqual({ low: null, high: null });
  expect(presetsFor("PT", false)).toEqual([]);
});
