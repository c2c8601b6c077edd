/**
 * Exact Euclidean distances in millimetres (Felzenszwalb and Huttenlocher's lower envelope of parabolas, one axis
 * after the other), for voxels of any shape and slices at any distance.
 */
import type { Cube } from "./block";
import type { Pace } from "./pace";

/** Further than anything in a body: where there is nothing to be near to. */
export const FAR = 1e12;

/** Lower envelope along one line: squared distances `f` of samples at places `x`, into `out`. */
function envelope(
  n: number,
  f: Float64Array,
  x: Float64Array,
  out: Float64Array,
  tops: Int32Array,
  bounds: Float64Array,
): void {
  let k = -1;
  for (let q = 0; q < n; q++) {
    if (f[q] >= FAR) continue;
    let s = Number.NEGATIVE_INFINITY;
    while (k >= 0) {
      const p = tops[k];
      s = (f[q] + x[q] * x[q] - (f[p] + x[p] * x[p])) / (2 * (x[q] - x[p]));
      if (s > bounds[k]) break;
      k--;
      s = Number.NEGATIVE_INFINITY;
    }
    k++;
    tops[k] = q;
    bounds[k] = s;
  }
  if (k < 0) {
    out.fill(FAR, 0, n);
    return;
  }
  const last = k;
  k = 0;
  for (let q = 0; q < n; q++) {
    while (k < last && bounds[k + 1] < x[q]) k++;
    const p = tops[k];
    const away = x[q] - x[p];
    out[q] = away * away + f[p];
  }
}

/**
 * @param value distances to the nearest voxel with this value (1: to the mask, 0: to what lies outside it)
 * @param through false: within each slice alone
 * @returns squared mm by voxel of the cube; FAR where no voxel has the value
 */
export async function squaredDistances(
  cube: Omit<Cube, "box">,
  value: 0 | 1,
  through: boolean,
  pace: Pace,
): Promise<Float32Array> {
  const { width, height, depth, data } = cube;
  const out = new Float32Array(data.length);
  const most = Math.max(width, height, depth);
  const f = new Float64Array(most);
  const g = new Float64Array(most);
  const tops = new Int32Array(most);
  const bounds = new Float64Array(most);
  const xs = Float64Array.from({ length: width }, (_, i) => i * cube.column_mm);
  const ys = Float64Array.from({ length: height }, (_, i) => i * cube.row_mm);
  const upward = depth < 2 || cube.at_mm[depth - 1] >= cube.at_mm[0] ? 1 : -1;
  const zs = Float64Array.from(cube.at_mm, (at) => at * upward);
  for (let z = 0; z < depth; z++) {
    const wait = pace((z / depth) * (through ? 0.6 : 1));
    if (wait) await wait;
    const slice = z * height * width;
    for (let y = 0; y < height; y++) {
      const line = slice + y * width;
      for (let x = 0; x < width; x++) f[x] = data[line + x] === value ? 0 : FAR;
      envelope(width, f, xs, g, tops, bounds);
      for (let x = 0; x < width; x++) out[line + x] = g[x];
    }
    for (let x = 0; x < width; x++) {
      for (let y = 0; y < height; y++) f[y] = out[slice + y * width + x];
      envelope(height, f, ys, g, tops, bounds);
      for (let y = 0; y < height; y++) out[slice + y * width + x] = g[y];
    }
  }
  if (!through || depth < 2) return out;
  const area = width * height;
  for (let y = 0; y < height; y++) {
    const wait = pace(0.6 + 0.4 * (y / height));
    if (wait) await wait;
    for (let x = 0; x < width; x++) {
      const from = y * width + x;
      for (let z = 0; z < depth; z++) f[z] = out[z * area + from];
      envelope(depth, f, zs, g, tops, bounds);
      for (let z = 0; z < depth; z++) out[z * area + from] = g[z];
    }
  }
  return out;
}
