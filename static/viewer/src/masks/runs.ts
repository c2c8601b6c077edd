/**
 * The parts of a mask, by its runs: a run is a row's stretch of equal voxels, and a mask has hundreds of times fewer
 * runs than voxels. Runs that touch by a face belong to one part (union-find). Pure.
 */
import type { Pace } from "./pace";

export interface Runs {
  /** From and to (not included), as offsets into the data, in raster order. */
  starts: Int32Array;
  ends: Int32Array;
  /** By run: the number of its part, from 1, in the order of the parts' first voxels. */
  parts: Int32Array;
  /** Voxels by part; [0] is unused. */
  sizes: number[];
}

/** Runs of one value, row by row; never across the end of a row. */
function found(data: Uint8Array, width: number, value: number): { starts: number[]; ends: number[] } {
  const starts: number[] = [];
  const ends: number[] = [];
  for (let at = data.indexOf(value); at >= 0; at = data.indexOf(value, at)) {
    const rowEnd = (Math.floor(at / width) + 1) * width;
    const other = data.indexOf(1 - value, at);
    const end = other < 0 || other > rowEnd ? rowEnd : other;
    starts.push(at);
    ends.push(end);
    at = end;
    if (at >= data.length) break;
  }
  return { starts, ends };
}

/**
 * @param data bytes, 0 or 1, slice after slice of height × width
 * @param through whether slices hang together, too
 */
export async function runsOf(
  data: Uint8Array,
  width: number,
  height: number,
  value: 0 | 1,
  through: boolean,
  pace: Pace,
): Promise<Runs> {
  const { starts, ends } = found(data, width, value);
  const n = starts.length;
  const parent = Int32Array.from({ length: n }, (_, i) => i);
  const root = (i: number): number => {
    let r = i;
    while (parent[r] !== r) r = parent[r];
    for (let k = i; parent[k] !== r; ) [k, parent[k]] = [parent[k], r];
    return r;
  };
  // The earlier run stays the root: parts are numbered by their first voxel.
  const join = (a: number, b: number) => {
    const [p, q] = [root(a), root(b)];
    if (p < q) parent[q] = p;
    else parent[p] = q;
  };
  /** Joins every run with those at `back` voxels before it: both lists are in order, one walk does. */
  const link = async (back: number, sameSlice: boolean) => {
    const area = width * height;
    let j = 0;
    for (let i = 0; i < n; i++) {
      if (i % 65536 === 65535) {
        const wait = pace(i / n / 2);
        if (wait) await wait;
      }
      const from = starts[i] - back;
      if (from < 0 || (sameSlice && Math.floor(starts[i] / area) !== Math.floor(from / area))) continue;
      const to = ends[i] - back;
      while (j < n && ends[j] <= from) j++;
      for (let k = j; k < n && starts[k] < to; k++) join(k, i);
    }
  };
  await link(width, true);
  if (through) await link(width * height, false);
  const parts = new Int32Array(n);
  const sizes = [0];
  for (let i = 0; i < n; i++) {
    const r = root(i);
    if (r === i) {
      parts[i] = sizes.length;
      sizes.push(0);
    } else parts[i] = parts[r];
    sizes[parts[i]] += ends[i] - starts[i];
  }
  return { starts: Int32Array.from(starts), ends: Int32Array.from(ends), parts, sizes };
}
