/** Where readers agree on an image or a cut: what one of them painted, what some, what all. Pure. */
import type { Point2 } from "../api/types";
import type { Patch } from "../engine/maskcut";
import { outline } from "../journal/outline";

/** The outlines of what one reader alone painted, and of what several did but not all; index coordinates. */
export interface Regions {
  one: Point2[][];
  some: Point2[][];
}

/** The smallest piece of an image that holds all these. */
function frameOf(patches: Patch[]): Omit<Patch, "mask"> {
  const left = Math.min(...patches.map((patch) => patch.left));
  const top = Math.min(...patches.map((patch) => patch.top));
  const right = Math.max(...patches.map((patch) => patch.left + patch.columns));
  const bottom = Math.max(...patches.map((patch) => patch.top + patch.rows));
  return { left, top, rows: bottom - top, columns: right - left };
}

/** How many of the masks each voxel lies in: rows × columns counts of the piece that holds them all. */
export function votes(patches: Patch[]): Omit<Patch, "mask"> & { counts: Uint8Array } {
  const frame = frameOf(patches);
  const counts = new Uint8Array(frame.rows * frame.columns);
  for (const { left, top, rows, columns, mask } of patches) {
    for (let row = 0; row < rows; row++) {
      const to = (row + top - frame.top) * frame.columns + left - frame.left;
      for (let column = 0; column < columns; column++) counts[to + column] += mask[row * columns + column];
    }
  }
  return { ...frame, counts };
}

/** Several marks of one reader are one mask: a voxel in two of them is that reader's one vote. */
export function united(patches: Patch[]): Patch | null {
  if (patches.length < 2) return patches[0] ?? null;
  const { counts, ...frame } = votes(patches);
  return { ...frame, mask: counts.map((count) => Math.min(count, 1)) };
}

/**
 * @param patches one a reader who painted here
 * @param of how many readers vote, those without a voxel among them
 */
export function agreement(patches: Patch[], of: number): Regions {
  if (!patches.length) return { one: [], some: [] };
  const { counts, left, top, rows, columns } = votes(patches);
  const ringsWhere = (is: (count: number) => boolean): Point2[][] =>
    outline(
      counts.map((count) => Number(is(count))),
      rows,
      columns,
    ).map((ring) => ring.map(([x, y]): Point2 => [x + left, y + top]));
  return {
    one: of > 1 ? ringsWhere((count) => count === 1) : [],
    some: ringsWhere((count) => count > 1 && count < of),
  };
}
