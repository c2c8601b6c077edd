/**
 * One-click lesion. From the voxel that was clicked, every voxel nearby gets a price: the smallest difference from
 * the lesion's value that a way to it, from voxel to voxel, has to put up with. All voxels up to a price make a
 * region, so a wheel can change the price and see the region at once. Pure.
 */
import type { Box } from "./block";

export interface Field {
  box: Box;
  width: number;
  height: number;
  depth: number;
  /** Price by voxel, 0 to STEPS; STEPS + 1 where no way leads. */
  prices: Uint16Array;
  /** Voxels that cost at most so much. */
  counts: Uint32Array;
  /** The value of the lesion around the click, and what one step of price is in the same units. */
  value: number;
  step: number;
}

export const STEPS = 400;

export interface Source {
  width: number;
  height: number;
  depth: number;
  box: Box;
  column_mm: number;
  row_mm: number;
  at_mm: Float64Array;
  /** depth × height × width values. */
  values: Float32Array;
}

const median = (values: number[]): number => {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
};

/** The lesion's value: the median of what lies right around the click, so that noise and one dot don't decide. */
export function valueAround(source: Source, x: number, y: number, z: number): number {
  const found: number[] = [];
  for (let k = Math.max(0, z - 1); k <= Math.min(source.depth - 1, z + 1); k++)
    for (let j = Math.max(0, y - 1); j <= Math.min(source.height - 1, y + 1); j++)
      for (let i = Math.max(0, x - 1); i <= Math.min(source.width - 1, x + 1); i++)
        if (k === z || (i === x && j === y))
          found.push(source.values[(k * source.height + j) * source.width + i]);
  return median(found);
}

/**
 * @param seed column, row and slice of the click within the source
 * @param reach_mm nothing further from the click than this belongs to the lesion
 */
export function priced(source: Source, seed: [number, number, number], reach_mm: number): Field {
  const { width, height, depth, values } = source;
  const [sx, sy, sz] = seed;
  const area = width * height;
  const value = valueAround(source, sx, sy, sz);
  const start = sz * area + sy * width + sx;
  let most = 0;
  const apart = new Float32Array(values.length);
  const near = reach_mm * reach_mm;
  for (let z = 0; z < depth; z++) {
    const w = source.at_mm[z] - source.at_mm[sz];
    for (let y = 0; y < height; y++) {
      const v = (y - sy) * source.row_mm;
      for (let x = 0; x < width; x++) {
        const u = (x - sx) * source.column_mm;
        const i = z * area + y * width + x;
        if (u * u + v * v + w * w > near) apart[i] = -1;
        else {
          apart[i] = Math.abs(values[i] - value);
          if (apart[i] > most) most = apart[i];
        }
      }
    }
  }
  const step = most / STEPS || 1;
  const prices = new Uint16Array(values.length).fill(STEPS + 1);
  // Voxels waiting, by price: prices are few, so buckets do for a queue.
  const waiting: number[][] = Array.from({ length: STEPS + 1 }, () => []);
  const offer = (i: number, way: number) => {
    if (apart[i] < 0) return;
    const price = Math.max(way, Math.min(STEPS, Math.ceil(apart[i] / step - 1e-6)));
    if (price >= prices[i]) return;
    prices[i] = price;
    waiting[price].push(i);
  };
  // The click itself is free: it says "this is lesion", whatever its own value.
  prices[start] = 0;
  waiting[0].push(start);
  const counts = new Uint32Array(STEPS + 1);
  for (let price = 0; price <= STEPS; price++) {
    const queue = waiting[price];
    for (let head = 0; head < queue.length; head++) {
      const i = queue[head];
      if (prices[i] !== price) continue;
      counts[price]++;
      const x = i % width;
      const y = Math.floor((i % area) / width);
      if (x > 0) offer(i - 1, price);
      if (x < width - 1) offer(i + 1, price);
      if (y > 0) offer(i - width, price);
      if (y < height - 1) offer(i + width, price);
      if (i >= area) offer(i - area, price);
      if (i + area < values.length) offer(i + area, price);
    }
    waiting[price] = [];
    if (price) counts[price] += counts[price - 1];
  }
  return { box: source.box, width, height, depth, prices, counts, value, step };
}

/**
 * Where to begin: within the longest stretch over which the region hardly grows, before it runs out into what lies
 * around; there, half way between the lesion's value and what surrounds it, as an edge is read. The reader turns
 * it from there.
 */
export function suggested(field: Field, source: Source): number {
  const { counts } = field;
  const all = counts[STEPS];
  let best = { from: 1, to: 1, score: -1 };
  for (let from = 1; from < STEPS; from++) {
    if (counts[from] < LEAST_VOXELS || counts[from] > all * 0.7) continue;
    let to = from;
    // Growing by a quarter is the rim filling up; growing by more is another tissue.
    while (to + 1 <= STEPS && counts[to + 1] <= counts[from] * 1.25) to++;
    if (counts[to] > all * 0.9) continue;
    const score = Math.log((to + 2) / (from + 1)) + (to - from) / STEPS;
    if (score > best.score) best = { from, to, score };
  }
  const around = surroundings(field, source, Math.round((best.from + best.to) / 2));
  if (around === null) return Math.round((best.from + best.to) / 2);
  const half = Math.round(Math.abs(around - field.value) / 2 / field.step);
  return Math.max(best.from, Math.min(best.to, half));
}

const LEAST_VOXELS = 8;

/** The median of the values right outside a region; null where it has no outside. */
function surroundings(field: Field, source: Source, price: number): number | null {
  const { prices, width, height, depth } = field;
  const area = width * height;
  const found: number[] = [];
  for (let z = 0; z < depth; z++)
    for (let y = 2; y < height - 2; y++)
      for (let x = 2; x < width - 2; x++) {
        const i = z * area + y * width + x;
        if (prices[i] <= price) continue;
        // Two voxels away: the one between holds a bit of both tissues.
        const near = [i - 2, i + 2, i - 2 * width, i + 2 * width].some((j) => prices[j] <= price);
        if (near) found.push(source.values[i]);
      }
  return found.length ? median(found) : null;
}

/** The region at a price, without the cavities that noise leaves in it: bytes as the field has voxels. */
export function regionAt(field: Field, price: number): Uint8Array {
  const { prices, width, height, depth } = field;
  const region = new Uint8Array(prices.length);
  for (let i = 0; i < region.length; i++) region[i] = prices[i] <= price ? 1 : 0;
  const area = width * height;
  // A hole of one voxel in its slice is noise.
  for (let z = 0; z < depth; z++)
    for (let y = 1; y < height - 1; y++)
      for (let x = 1; x < width - 1; x++) {
        const i = z * area + y * width + x;
        if (!region[i] && region[i - 1] && region[i + 1] && region[i - width] && region[i + width])
          region[i] = 1;
      }
  return region;
}
