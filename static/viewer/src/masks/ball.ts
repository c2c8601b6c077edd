/**
 * The sphere brush, exactly. A stroke is a polyline in patient millimetres. A voxel of any slice is painted if
 * and only if its centre lies within the radius (<=) of that polyline; on a tilted stack, too.
 */
import type { Point3 } from "../api/types";
import { dot, normalOf, type Plane, sub, worldToIndex } from "../engine/geometry";

const ON_THE_EDGE_MM = 1e-9;

/**
 * Paints one piece of a stroke into one slice.
 * @param mask rows × columns bytes of that slice
 * @param within which voxels may change, by offset; every voxel when absent
 * @returns whether a voxel changed
 */
export function paintBall(
  mask: Uint8Array,
  plane: Plane,
  from: Point3,
  to: Point3,
  radiusMm: number,
  value: 0 | 1,
  within?: (offset: number) => boolean,
): boolean {
  const { rows, columns, row_mm, column_mm } = plane;
  const reach = radiusMm + ON_THE_EDGE_MM;
  const limit = reach * reach;
  const normal = normalOf(plane);
  // In millimetres on the slice (u along a row, v down a column) and above it (w).
  const at = (p: Point3): Point3 => {
    const [c, r] = worldToIndex(plane, p);
    return [c * column_mm, r * row_mm, dot(sub(p, plane.origin), normal)];
  };
  const a = at(from);
  const b = at(to);
  if (Math.min(a[2], b[2]) > reach || Math.max(a[2], b[2]) < -reach) return false;
  const d = sub(b, a);
  const length = dot(d, d);
  const left = Math.max(0, Math.ceil((Math.min(a[0], b[0]) - reach) / column_mm));
  const right = Math.min(columns - 1, Math.floor((Math.max(a[0], b[0]) + reach) / column_mm));
  const top = Math.max(0, Math.ceil((Math.min(a[1], b[1]) - reach) / row_mm));
  const bottom = Math.min(rows - 1, Math.floor((Math.max(a[1], b[1]) + reach) / row_mm));
  let changed = false;
  for (let row = top; row <= bottom; row++) {
    const v = row * row_mm - a[1];
    for (let column = left; column <= right; column++) {
      const offset = row * columns + column;
      if (mask[offset] === value) continue;
      const u = column * column_mm - a[0];
      const t = length > 0 ? Math.min(1, Math.max(0, (u * d[0] + v * d[1] - a[2] * d[2]) / length)) : 0;
      const eu = u - t * d[0];
      const ev = v - t * d[1];
      const ew = -a[2] - t * d[2];
      if (eu * eu + ev * ev + ew * ew > limit) continue;
      if (within && !within(offset)) continue;
      mask[offset] = value;
      changed = true;
    }
  }
  return changed;
}

/**
 * A flat brush on a cut: paints the voxels of one slice that the cut passes through, within the radius of the
 * stroke as seen on the cut.
 * @param normal of the cut
 * @param half how far from the cut a centre may lie: half of a voxel's extent along the normal
 */
export function paintDisc(
  mask: Uint8Array,
  plane: Plane,
  from: Point3,
  to: Point3,
  normal: Point3,
  half: number,
  radiusMm: number,
  value: 0 | 1,
  within?: (offset: number) => boolean,
): boolean {
  const near = (offset: number): boolean => {
    const u = (offset % plane.columns) * plane.column_mm;
    const v = Math.floor(offset / plane.columns) * plane.row_mm;
    const p = [0, 1, 2].map((i) => plane.origin[i] + plane.row[i] * u + plane.column[i] * v) as Point3;
    const above = dot(sub(p, from), normal);
    if (above > half || above <= -half) return false;
    const foot = [0, 1, 2].map((i) => p[i] - above * normal[i]) as Point3;
    return awayFrom(foot, from, to) <= radiusMm + ON_THE_EDGE_MM && (!within || within(offset));
  };
  return paintBall(mask, plane, from, to, Math.hypot(radiusMm, half), value, near);
}

function awayFrom(p: Point3, a: Point3, b: Point3): number {
  const d = sub(b, a);
  const length = dot(d, d);
  const t = length > 0 ? Math.min(1, Math.max(0, dot(sub(p, a), d) / length)) : 0;
  return Math.hypot(p[0] - a[0] - t * d[0], p[1] - a[1] - t * d[1], p[2] - a[2] - t * d[2]);
}
