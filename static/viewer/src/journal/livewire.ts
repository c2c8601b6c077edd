/**
 * The cheapest way over an image from an anchor to any other voxel, where edges are cheap: Dijkstra's search
 * over the eight neighbours of each voxel, in whole costs, so that a ring of lists serves as its queue.
 */
import type { Point2 } from "../api/types";

export interface Values {
  data: ArrayLike<number>;
  rows: number;
  columns: number;
  colour: boolean;
}

/** Voxels on either side of an anchor that a search covers: beyond, the wire runs straight. */
export const REACH = 128;
const DEAREST = 60;
const CHEAPEST = 2;
/** A step across a corner is longer by √2: costs are counted in fifths to say so in whole numbers. */
const STRAIGHT = 5;
const ACROSS = 7;

/**
 * What a step onto each voxel costs: little on a strong edge, much on even ground. By the gradient's size
 * (Sobel), against the strongest but for the top one in a hundred, so that one metal edge doesn't hide the rest.
 */
export function edgeCosts({ data, rows, columns, colour }: Values): Uint8Array {
  const grey = colour
    ? Float32Array.from({ length: rows * columns }, (_, i) => data[3 * i] + data[3 * i + 1] + data[3 * i + 2])
    : data;
  const size = new Float32Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    // Beyond the border lies what lies on it.
    const above = Math.max(0, r - 1) * columns;
    const here = r * columns;
    const below = Math.min(rows - 1, r + 1) * columns;
    for (let c = 0; c < columns; c++) {
      const w = Math.max(0, c - 1);
      const e = Math.min(columns - 1, c + 1);
      const dx =
        grey[above + e] +
        2 * grey[here + e] +
        grey[below + e] -
        grey[above + w] -
        2 * grey[here + w] -
        grey[below + w];
      const dy =
        grey[below + w] +
        2 * grey[below + c] +
        grey[below + e] -
        grey[above + w] -
        2 * grey[above + c] -
        grey[above + e];
      size[here + c] = Math.sqrt(dx * dx + dy * dy);
    }
  }
  const strong = strongest(size);
  const costs = new Uint8Array(size.length);
  for (let i = 0; i < size.length; i++) {
    const even = 1 - Math.min(1, size[i] / strong);
    costs[i] = CHEAPEST + Math.round((DEAREST - CHEAPEST) * even * even);
  }
  return costs;
}

function strongest(size: Float32Array): number {
  const step = Math.max(1, Math.floor(size.length / 20_000));
  const some: number[] = [];
  for (let i = 0; i < size.length; i += step) if (size[i] > 0) some.push(size[i]);
  some.sort((a, b) => a - b);
  return some[Math.floor(some.length * 0.99)] || 1;
}

export interface Ways {
  /** Voxel by voxel from behind the anchor to the point itself; null where the search did not reach. */
  pathTo(point: Point2): Point2[] | null;
}

/** @param anchor index coordinates; it and every point counts as the voxel it lies in */
export function cheapestWays(costs: Uint8Array, rows: number, columns: number, anchor: Point2): Ways {
  const inside = ([x, y]: Point2): Point2 => [
    Math.min(columns - 1, Math.max(0, Math.round(x))),
    Math.min(rows - 1, Math.max(0, Math.round(y))),
  ];
  const [ax, ay] = inside(anchor);
  const left = Math.max(0, ax - REACH);
  const top = Math.max(0, ay - REACH);
  const width = Math.min(columns - 1, ax + REACH) - left + 1;
  const height = Math.min(rows - 1, ay + REACH) - top + 1;
  const total = new Uint32Array(width * height).fill(0xffffffff);
  const from = new Int32Array(width * height).fill(-1);
  const lists = ACROSS * DEAREST + 1; // no step costs more, so no more lists are ever in use
  const queue: number[][] = Array.from({ length: lists }, () => []);
  const start = (ay - top) * width + (ax - left);
  total[start] = 0;
  queue[0].push(start);
  let waiting = 1;
  for (let cost = 0; waiting > 0; cost++) {
    const list = queue[cost % lists];
    while (list.length) {
      const here = list.pop() as number;
      waiting--;
      if (total[here] !== cost) continue; // a cheaper way was found meanwhile
      const x = here % width;
      const y = (here - x) / width;
      for (let dy = -1; dy <= 1; dy++) {
        for (let dx = -1; dx <= 1; dx++) {
          const nx = x + dx;
          const ny = y + dy;
          if ((!dx && !dy) || nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
          const next = ny * width + nx;
          const step = costs[(ny + top) * columns + nx + left] * (dx && dy ? ACROSS : STRAIGHT);
          if (cost + step >= total[next]) continue;
          total[next] = cost + step;
          from[next] = here;
          queue[(cost + step) % lists].push(next);
          waiting++;
        }
      }
    }
  }
  return {
    pathTo(point) {
      const [px, py] = inside(point);
      if (px < left || py < top || px >= left + width || py >= top + height) return null;
      const path: Point2[] = [];
      for (let at = (py - top) * width + (px - left); at !== start && at >= 0; at = from[at])
        path.push([(at % width) + left, Math.floor(at / width) + top]);
      return path.reverse();
    },
  };
}
