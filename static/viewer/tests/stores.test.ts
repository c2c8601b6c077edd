import { expect, test } from "vitest";
import type { AnnotationValue, Read } from "../src/api/types";
import { encodeMask } from "../src/journal/rle";
import { applyObjects, makeMarks, maskOf, numbered, sliceKey } from "../src/store/marks";
import { presetsFor } from "../src/store/presets";
import { goTo, lockSentence, makeRoom, mayMark, nextBrush, setPane } from "../src/store/room";
import { manifest } from "./manifest";

const segment = (label: string): AnnotationValue => ({
  kind: "segment",
  label,
  series: "seriesseries",
  state: "present",
  note: "",
  origin: { from: "reader" },
});
const slice = (bits: number[]) => ({ rle: encodeMask(Uint8Array.from(bits)), rows: 2, columns: 2 });

test("overlapping segments keep their own voxels on the same slice", () => {
  const store = makeMarks();
  const where = { sop: "1.2", frame: 1 };
  applyObjects(
    [
      { object: { annotation: "a", ...where }, value: slice([1, 1, 0, 0]) },
      { object: { annotation: "b", ...where }, value: slice([0, 1, 1, 1]) },
      { object: { annotation: "a" }, value: segment("nodule") },
      { object: { annotation: "b" }, value: segment("nodule") },
    ],
    store,
  );
  const { marks } = store.getState();
  expect([...maskOf(marks.get("a")!.slices.get(sliceKey("1.2", 1))!)]).toEqual([1, 1, 0, 0]);
  expect([...maskOf(marks.get("b")!.slices.get(sliceKey("1.2", 1))!)]).toEqual([0, 1, 1, 1]);
  expect([marks.get("a")!.voxels, marks.get("b")!.voxels]).toEqual([2, 3]);
});

test("an erased slice is gone, its mark stays; what did not change keeps its identity", () => {
  const store = makeMarks();
  applyObjects(
    [
      { object: { annotation: "a" }, value: segment("nodule") },
      { object: { annotation: "b" }, value: segment("node") },
      { object: { annotation: "a", sop: "1.2", frame: 1 }, value: slice([1, 0, 0, 0]) },
    ],
    store,
  );
  const before = store.getState().marks.get("b");
  applyObjects([{ object: { annotation: "a", sop: "1.2", frame: 1 }, value: null }], store);
  expect(store.getState().marks.get("a")?.voxels).toBe(0);
  expect(store.getState().marks.get("b")).toBe(before);
});

test("marks are numbered within their label", () => {
  const store = makeMarks();
  applyObjects(
    ["nodule", "node", "nodule"].map((label, i) => ({
      object: { annotation: `${i}` },
      value: segment(label),
    })),
    store,
  );
  expect(numbered(store.getState().marks).map(({ number }) => number)).toEqual([1, 1, 2]);
});

test("scrolling stops at the first and the last slice", () => {
  const store = makeRoom();
  store.setState({ manifests: { seriesseries: manifest() } });
  setPane(0, { series: "seriesseries" }, store);
  expect(goTo(0, -5, store)).toBe(0);
  expect(goTo(0, 99, store)).toBe(3);
  expect(store.getState().panes[0].wanted).toBe(3);
  expect(store.getState().panes[1].wanted).toBe(0);
});

test("the brush steps through its sizes and stops at the ends", () => {
  expect(nextBrush(6, 1)).toBe(8);
  expect(nextBrush(6, -1)).toBe(5);
  expect(nextBrush(40, 1)).toBe(40);
  expect(nextBrush(1, -1)).toBe(1);
});

test("presets belong to the modality; SUV presets only where there is an SUV", () => {
  expect(presetsFor("CT", false).map(({ width, center }) => `${width}/${center}`)).toEqual([
    "400/40",
    "1500/-600",
    "150/90",
    "2500/480",
    "80/40",
    "350/50",
    "8/32",
  ]);
  expect(presetsFor("PT", true).map((preset) => preset.width)).toEqual([3, 5, 7, 10, 15]);
  expect(presetsFor("PT", false)).toEqual([]);
  expect(presetsFor("MR", false)).toEqual([]);
});

const read = (state: Read["state"], may_edit: boolean, capacity: Read["you"]["capacity"] = "reader") =>
  ({ state, you: { may_edit, capacity } }) as Read;

test("only the editing tab of a reader whose read is open may mark", () => {
  const store = makeRoom();
  store.setState({ read: read("in_progress", true), editing: "here" });
  expect(mayMark(store.getState())).toBe(true);
  store.setState({ editing: "elsewhere" });
  expect(mayMark(store.getState())).toBe(false);
  store.setState({ editing: "here", read: read("submitted", false) });
  expect(mayMark(store.getState())).toBe(false);
  store.setState({ read: read("submitted", true, "reviewer") });
  expect(mayMark(store.getState())).toBe(false);
});

test("a submitted read says why it can't be changed; a reviewer sees no such sentence", () => {
  expect(lockSentence(read("submitted", false))).toMatch(/submitted/);
  expect(lockSentence(read("accepted", false))).toMatch(/accepted/);
  expect(lockSentence(read("in_progress", true))).toBeNull();
  expect(lockSentence(read("submitted", false, "reviewer"))).toBeNull();
});
