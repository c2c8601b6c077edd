/** The marks of the read as the page shows them: annotations, and their mask slices by frame. */
import { createStore } from "zustand/vanilla";
import type { AnnotationValue, AnswerValue, ObjectRef, ObjectValue } from "../api/types";
import { isPlane } from "../journal/objects";
import { countMask, decodeMask } from "../journal/rle";

export interface MaskSlice {
  sop: string;
  frame: number;
  rle: string;
  rows: number;
  columns: number;
  voxels: number;
}

export interface Mark {
  id: string;
  value: AnnotationValue;
  /** Mask slices by `sop|frame`; empty for anything but a segment. */
  slices: ReadonlyMap<string, MaskSlice>;
  voxels: number;
}

export interface Marks {
  marks: ReadonlyMap<string, Mark>;
  /** By the id that follows from question and subject; see forms/ids.ts. */
  answers: ReadonlyMap<string, AnswerValue>;
}

export const makeMarks = () => createStore<Marks>(() => ({ marks: new Map(), answers: new Map() }));
export const marks = makeMarks();

export const sliceKey = (sop: string, frame: number): string => `${sop}|${frame}`;

/** Lays changed objects into the store; everything untouched keeps its identity, so nothing else redraws. */
export function applyObjects(changed: { object: ObjectRef; value: ObjectValue }[], store = marks): void {
  const next = new Map(store.getState().marks);
  // Annotations first: a slice of an annotation that is only now created has to find it.
  for (const { object, value } of changed) {
    if (isPlane(object)) continue;
    const old = next.get(object.annotation);
    if (!value) next.delete(object.annotation);
    else if ("answer" in value) continue;
    else if (!("rle" in value)) {
      next.set(object.annotation, {
        id: object.annotation,
        value,
        slices: old?.slices ?? new Map(),
        voxels: old?.voxels ?? 0,
      });
    }
  }
  const touched = new Map<string, Map<string, MaskSlice>>();
  for (const { object, value } of changed) {
    if (!isPlane(object)) continue;
    const mark = next.get(object.annotation);
    if (!mark) continue;
    let slices = touched.get(object.annotation);
    if (!slices) {
      slices = new Map(mark.slices);
      touched.set(object.annotation, slices);
    }
    const key = sliceKey(object.sop, object.frame);
    if (value && "rle" in value) {
      if (slices.get(key)?.rle === value.rle) continue;
      const voxels = countMask(value.rle, value.rows * value.columns);
      slices.set(key, { sop: object.sop, frame: object.frame, ...value, voxels });
    } else slices.delete(key);
  }
  for (const [id, slices] of touched) {
    const mark = next.get(id)!;
    let voxels = 0;
    for (const slice of slices.values()) voxels += slice.voxels;
    next.set(id, { ...mark, slices, voxels });
  }
  store.setState({ marks: next });
  applyAnswers(changed, store);
}

function applyAnswers(changed: { object: ObjectRef; value: ObjectValue }[], store: typeof marks): void {
  const before = store.getState().answers;
  const news = changed.filter(
    ({ object, value }) => !isPlane(object) && (value ? "answer" in value : before.has(object.annotation)),
  );
  if (!news.length) return;
  const next = new Map(before);
  for (const { object, value } of news) {
    if (value && "answer" in value) next.set(object.annotation, value);
    else next.delete(object.annotation);
  }
  store.setState({ answers: next });
}

const unpacked = new Map<string, Uint8Array>();
const MOST_UNPACKED = 96;

/** One byte a voxel. Shared and cached: copy before painting. */
export function maskOf(slice: Pick<MaskSlice, "rle" | "rows" | "columns">): Uint8Array {
  const key = `${slice.rows}x${slice.columns}:${slice.rle}`;
  let mask = unpacked.get(key);
  if (!mask) {
    mask = decodeMask(slice.rle, slice.rows * slice.columns);
    if (unpacked.size >= MOST_UNPACKED) unpacked.delete(unpacked.keys().next().value!);
    unpacked.set(key, mask);
  }
  return mask;
}

/** Marks in the order they are listed, each with its number within its label. */
export function numbered(all: ReadonlyMap<string, Mark>): { mark: Mark; number: number }[] {
  const counts = new Map<string, number>();
  return [...all.values()].map((mark) => {
    const number = (counts.get(mark.value.label) ?? 0) + 1;
    counts.set(mark.value.label, number);
    return { mark, number };
  });
}
