/**
 * Masks on their way into the journal. A mask is one plane of bytes a frame; whatever a tool changes, on one
 * slice or on three hundred, becomes one group of edits that undo takes back at once.
 */
import type { AnnotationValue, ObjectRef, ObjectValue } from "../api/types";
import { encodeMask } from "../journal/rle";
import { journal } from "../session";
import { type Mark, maskOf } from "../store/marks";

/** One frame of a mask: `mask` holds rows × columns bytes, row by row, 1 where a voxel is set. */
export interface Slice {
  sop: string;
  frame: number;
  rows: number;
  columns: number;
  mask: Uint8Array;
}

/** By `sliceKey(sop, frame)`. */
export type Slices = Map<string, Slice>;

/** What becomes of one annotation: its value where it is new or changed, and its new planes. */
export interface MaskChange {
  annotation: string;
  value?: AnnotationValue | null;
  slices: ReadonlyMap<string, Slice>;
}

type Change = { object: ObjectRef; value: ObjectValue };

/** An empty plane is no plane. */
export function planeValue({ rows, columns, mask }: Slice): ObjectValue {
  return mask.includes(1) ? { rle: encodeMask(mask), rows, columns } : null;
}

/** One group in the journal, however many slices and annotations it touches; values come before their planes. */
export function commitMasks(changes: MaskChange[]): void {
  const all: Change[] = [];
  for (const { annotation, value } of changes) {
    if (value !== undefined && value !== null) all.push({ object: { annotation }, value });
  }
  for (const { annotation, slices } of changes) {
    for (const slice of slices.values()) {
      const object = { annotation, sop: slice.sop, frame: slice.frame };
      all.push({ object, value: planeValue(slice) });
    }
  }
  journal.commit(all);
}

/**
 * @param create the value of a new segment; null where the annotation exists
 * @param changed the whole new plane of every slice that changed
 */
export function commitSlices(
  annotation: string,
  create: AnnotationValue | null,
  changed: ReadonlyMap<string, Slice>,
): void {
  commitMasks([{ annotation, value: create, slices: changed }]);
}

/** A slice to paint on: a copy of what the mark has there, or an empty one. */
export function sliceOf(mark: Mark | undefined, key: string, blank: Omit<Slice, "mask">): Slice {
  const here = mark?.slices.get(key);
  return { ...blank, mask: here ? maskOf(here).slice() : new Uint8Array(blank.rows * blank.columns) };
}
