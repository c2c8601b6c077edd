/** Changing the shape of a mask as a whole: margin, smoothing, islands, holes. Pure; all work on a cube. */
import type { Cube } from "./block";
import { squaredDistances } from "./distance";
import type { Pace } from "./pace";
import { runsOf } from "./runs";

/** A centre that lies on the rim belongs to it: above the rounding of the distances, below any spacing. */
const ON_THE_RIM_MM = 1e-4;

type Piece = Omit<Cube, "box">;

/**
 * Grown: a voxel is set if the centre of a set one lies within `mm` of its own. Shrunk (`mm` below 0): it stays
 * set if no unset one lies within. What lies beyond the images counts as neither.
 */
export async function margin(cube: Piece, mm: number, through: boolean, pace: Pace): Promise<Uint8Array> {
  const away = await squaredDistances(cube, mm > 0 ? 1 : 0, through, pace);
  const reach = Math.abs(mm) + ON_THE_RIM_MM;
  const limit = reach * reach;
  const data = new Uint8Array(cube.data.length);
  for (let i = 0; i < data.length; i++) {
    const near = away[i] <= limit;
    data[i] = (mm > 0 ? near : cube.data[i] === 1 && !near) ? 1 : 0;
  }
  return data;
}

/**
 * Smoothed: the mask is averaged with a Gaussian of standard deviation `mm`, cut at three of them, each slice
 * weighing as much as it is thick; a voxel is set where at least half of what lies around it was.
 */
export async function smoothed(
  cube: Piece,
  mm: number,
  thickness_mm: Float64Array,
  through: boolean,
  pace: Pace,
): Promise<Uint8Array> {
  const { width, height, depth } = cube;
  let values: Float32Array = Float32Array.from(cube.data);
  const area = width * height;
  const weigh = (d: number) => Math.exp(-(d * d) / (2 * mm * mm));
  // A line of samples averaged along one axis; places and weights differ from axis to axis.
  const along = async (
    n: number,
    lines: number,
    start: (line: number) => number,
    step: number,
    places: Float64Array,
    weights: Float64Array | null,
    share: [number, number],
  ) => {
    const next = new Float32Array(values.length);
    const kernels = Array.from({ length: n }, (_, q) => {
      const from: number[] = [];
      const by: number[] = [];
      let sum = 0;
      for (let p = 0; p < n; p++) {
        const d = Math.abs(places[p] - places[q]);
        if (d > 3 * mm + ON_THE_RIM_MM) continue;
        const w = weigh(d) * (weights?.[p] ?? 1);
        from.push(p);
        by.push(w);
        sum += w;
      }
      return { first: from[0], by: Float64Array.from(by, (w) => w / sum) };
    });
    for (let line = 0; line < lines; line++) {
      if (line % 64 === 0) {
        const wait = pace(share[0] + (share[1] - share[0]) * (line / lines));
        if (wait) await wait;
      }
      const at = start(line);
      for (let q = 0; q < n; q++) {
        const { first, by } = kernels[q];
        let sum = 0;
        for (let k = 0; k < by.length; k++) sum += values[at + (first + k) * step] * by[k];
        next[at + q * step] = sum;
      }
    }
    values = next;
  };
  const even = (n: number, mmEach: number) => Float64Array.from({ length: n }, (_, i) => i * mmEach);
  await along(width, height * depth, (line) => line * width, 1, even(width, cube.column_mm), null, [0, 0.35]);
  const column = (line: number) => Math.floor(line / width) * area + (line % width);
  await along(height, width * depth, column, width, even(height, cube.row_mm), null, [0.35, 0.7]);
  if (through && depth > 1)
    await along(depth, area, (line) => line, area, cube.at_mm, thickness_mm, [0.7, 1]);
  const data = new Uint8Array(values.length);
  for (let i = 0; i < data.length; i++) data[i] = values[i] >= 0.5 - 1e-6 ? 1 : 0;
  return data;
}

export interface Parts {
  /** By voxel: the number of its part, from 1; 0 where the value is another. */
  labels: Int32Array;
  /** Voxels by part; [0] is unused. */
  sizes: number[];
}

/** The parts of a mask (or of its background) that hang together by the faces of their voxels. */
export async function partsOf(
  cube: Pick<Cube, "width" | "height" | "data">,
  value: 0 | 1,
  through: boolean,
  pace: Pace,
): Promise<Parts> {
  const { starts, ends, parts, sizes } = await runsOf(
    cube.data,
    cube.width,
    cube.height,
    value,
    through,
    pace,
  );
  const labels = new Int32Array(cube.data.length);
  for (let i = 0; i < starts.length; i++) labels.fill(parts[i], starts[i], ends[i]);
  return { labels, sizes };
}

/** Only the part with the most voxels; the first of several. */
export async function largestPart(cube: Piece, through: boolean, pace: Pace): Promise<Uint8Array> {
  const { labels, sizes } = await partsOf(cube, 1, through, pace);
  let most = 1;
  for (let part = 2; part < sizes.length; part++) if (sizes[part] > sizes[most]) most = part;
  const data = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) data[i] = labels[i] !== 0 && labels[i] === most ? 1 : 0;
  return data;
}

/**
 * Without the parts that are smaller than `least`.
 * @param weights what a voxel of each slice counts, e.g. its mm³
 */
export async function withoutSmall(
  cube: Piece,
  least: number,
  weights: Float64Array,
  through: boolean,
  pace: Pace,
): Promise<Uint8Array> {
  const { labels, sizes } = await partsOf(cube, 1, through, pace);
  const area = cube.width * cube.height;
  const amounts = new Float64Array(sizes.length);
  for (let i = 0; i < labels.length; i++) amounts[labels[i]] += weights[Math.floor(i / area)];
  const data = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) data[i] = labels[i] && amounts[labels[i]] >= least - 1e-9 ? 1 : 0;
  return data;
}

/** Only the part that holds a voxel (or all but that part). */
export async function onePart(
  cube: Piece,
  voxel: number,
  keep: boolean,
  through: boolean,
  pace: Pace,
): Promise<Uint8Array> {
  const { labels } = await partsOf(cube, 1, through, pace);
  const own = labels[voxel];
  const data = new Uint8Array(labels.length);
  for (let i = 0; i < labels.length; i++) data[i] = labels[i] && (labels[i] === own) === keep ? 1 : 0;
  return data;
}

/**
 * Holes filled: background that no way within the slice (`through`: or through the slices) leads out of.
 * The cube must have a free border all around, or end where the images do.
 */
export async function withoutHoles(cube: Piece, through: boolean, pace: Pace): Promise<Uint8Array> {
  const { width, height, depth } = cube;
  const { labels, sizes } = await partsOf(cube, 0, through, pace);
  const open = new Uint8Array(sizes.length);
  const area = width * height;
  for (let z = 0; z < depth; z++) {
    for (let y = 0; y < height; y++) {
      const line = z * area + y * width;
      const rim = y === 0 || y === height - 1 || (through && (z === 0 || z === depth - 1));
      if (rim) for (let x = 0; x < width; x++) open[labels[line + x]] = 1;
      else open[labels[line]] = open[labels[line + width - 1]] = 1;
    }
  }
  const data = cube.data.slice();
  for (let i = 0; i < data.length; i++) if (labels[i] && !open[labels[i]]) data[i] = 1;
  return data;
}
