/** From a closed line to the voxels whose centre it encloses. Pure. */
import type { Point2 } from "../api/types";

/**
 * Calls back with every run of voxels inside a closed line (even-odd; the last point joins the first).
 * A centre lies inside as the half-open rule says, so that neighbouring figures never share a voxel.
 * @param points index coordinates: integers at voxel centres
 * @param run row, first column, last column
 */
export function eachRunInside(
  points: readonly Point2[],
  rows: number,
  columns: number,
  run: (row: number, first: number, last: number) => void,
): void {
  if (points.length < 3) return;
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const [, y] of points) {
    if (y < low) low = y;
    if (y > high) high = y;
  }
  const crossings: number[] = [];
  for (let row = Math.max(0, Math.ceil(low)); row <= Math.min(rows - 1, Math.floor(high)); row++) {
    crossings.length = 0;
    for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
      const [xi, yi] = points[i];
      const [xj, yj] = points[j];
      if (yi > row !== yj > row) crossings.push(((xj - xi) * (row - yi)) / (yj - yi) + xi);
    }
    crossings.sort((a, b) => a - b);
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const first = Math.max(0, Math.ceil(crossings[i]));
      // A centre on the right-hand line lies outside, one on the left-hand line inside.
      const last = Math.min(columns - 1, Math.ceil(crossings[i + 1]) - 1);
      if (first <= last) run(row, first, last);
    }
  }
}

/** The voxels inside a closed line, rows × columns bytes. */
export function inside(points: readonly Point2[], rows: number, columns: number): Uint8Array {
  const mask = new Uint8Array(rows * columns);
  eachRunInside(points, rows, columns, (row, first, last) =>
    mask.fill(1, row * columns + first, row * columns + last + 1),
  );
  return mask;
}

export type Cut = "inside" | "outside" | "fill";

/** Scissors: a mask without what lies inside (or outside) a line, or with all that lies inside. Null: the same. */
export function scissored(mask: Uint8Array, region: Uint8Array, cut: Cut): Uint8Array | null {
  let out: Uint8Array | null = null;
  for (let i = 0; i < mask.length; i++) {
    const next =
      cut === "fill" ? mask[i] | region[i] : mask[i] & (cut === "inside" ? 1 - region[i] : region[i]);
    if (next === mask[i]) continue;
    out ??= mask.slice();
    out[i] = next;
  }
  return out;
}

/** The signed area that rings enclose tells outer ones from holes. */
export function isOuter(ring: readonly Point2[]): boolean {
  let twice = 0;
  ring.forEach(([x, y], i) => {
    const [nx, ny] = ring[(i + 1) % ring.length];
    twice += x * ny - nx * y;
  });
  return twice > 0;
}
