/**
 * The brush, exactly. A stroke is a polyline in index coordinates. A voxel is painted if and only if its
 * centre lies within the radius (<=, in millimetres on the slice, or pixels when uncalibrated) of that
 * polyline, and, for the threshold brush, its value lies within the range, both ends included.
 */
import type { Point2 } from "../api/types";

export interface Grid {
  rows: number;
  columns: number;
  row_mm: number; // between rows
  column_mm: number; // between columns
}

export interface Box {
  left: number;
  top: number;
  right: number; // inclusive
  bottom: number;
}

// A centre that lies on the circle belongs to it; this is below any spacing and above rounding.
const ON_THE_EDGE_MM = 1e-9;

function distanceSquared(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length > 0 ? Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  const ex = x - (ax + t * dx);
  const ey = y - (ay + t * dy);
  return ex * ex + ey * ey;
}

/**
 * Paints one piece of a stroke into a mask (rows × columns, one byte a voxel).
 * @param within which voxels may change, by offset; every voxel when absent
 * @returns the box of voxels that changed, or null
 */
export function paintPiece(
  mask: Uint8Array,
  grid: Grid,
  from: Point2,
  to: Point2,
  radiusMm: number,
  value: 0 | 1,
  within?: (offset: number) => boolean,
): Box | null {
  const { rows, columns, row_mm, column_mm } = grid;
  const reach = radiusMm + ON_THE_EDGE_MM;
  const limit = reach * reach;
  const left = Math.max(0, Math.ceil(Math.min(from[0], to[0]) - reach / column_mm));
  const right = Math.min(columns - 1, Math.floor(Math.max(from[0], to[0]) + reach / column_mm));
  const top = Math.max(0, Math.ceil(Math.min(from[1], to[1]) - reach / row_mm));
  const bottom = Math.min(rows - 1, Math.floor(Math.max(from[1], to[1]) + reach / row_mm));
  const ax = from[0] * column_mm;
  const ay = from[1] * row_mm;
  const bx = to[0] * column_mm;
  const by = to[1] * row_mm;
  let box: Box | null = null;
  for (let row = top; row <= bottom; row++) {
    for (let column = left; column <= right; column++) {
      const offset = row * columns + column;
      if (mask[offset] === value) continue;
      if (distanceSquared(column * column_mm, row * row_mm, ax, ay, bx, by) > limit) continue;
      if (within && !within(offset)) continue;
      mask[offset] = value;
      box = grow(box, column, row);
    }
  }
  return box;
}

export function paintStroke(
  mask: Uint8Array,
  grid: Grid,
  stroke: Point2[],
  radiusMm: number,
  value: 0 | 1,
  within?: (offset: number) => boolean,
): void {
  if (stroke.length === 1) paintPiece(mask, grid, stroke[0], stroke[0], radiusMm, value, within);
  for (let i = 1; i < stroke.length; i++) {
    paintPiece(mask, grid, stroke[i - 1], stroke[i], radiusMm, value, within);
  }
}

function grow(box: Box | null, column: number, row: number): Box {
  if (!box) return { left: column, right: column, top: row, bottom: row };
  box.left = Math.min(box.left, column);
  box.right = Math.max(box.right, column);
  box.top = Math.min(box.top, row);
  box.bottom = Math.max(box.bottom, row);
  return box;
}
