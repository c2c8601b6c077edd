/** How a shape follows one of its handles. Pure: index coordinates in, index coordinates out. */
import type { Kind, Point2 } from "../api/types";
import type { Plane } from "../engine/geometry";

/** The short axis stands at a right angle on the long one, in millimetres. */
export function squared(long: [Point2, Point2], from: Point2, to: Point2, plane: Plane): Point2 {
  const dx = (long[1][0] - long[0][0]) * plane.column_mm;
  const dy = (long[1][1] - long[0][1]) * plane.row_mm;
  const length = Math.hypot(dx, dy) || 1;
  const [nx, ny] = [-dy / length, dx / length];
  const t = (to[0] - from[0]) * plane.column_mm * nx + (to[1] - from[1]) * plane.row_mm * ny;
  return [from[0] + (t * nx) / plane.column_mm, from[1] + (t * ny) / plane.row_mm];
}

export function movedHandle(
  kind: Kind,
  points: Point2[],
  handle: number,
  to: Point2,
  plane: Plane,
): Point2[] {
  const next = points.map((point) => [...point] as Point2);
  next[handle] = to;
  if (kind === "bidirectional") {
    const long: [Point2, Point2] = [next[0], next[1]];
    if (handle < 2) next[3] = squared(long, next[2], next[3], plane);
    else next[handle] = squared(long, next[5 - handle], to, plane);
  }
  if (kind === "ellipse") {
    // The opposite end mirrors through the centre; the other axis keeps its length and its right angle.
    const centre: Point2 = [(points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2];
    const first = handle < 2 ? 0 : 2;
    const second = first === 0 ? 2 : 0;
    next[handle === first ? first + 1 : first] = [2 * centre[0] - to[0], 2 * centre[1] - to[1]];
    const mm = ([c, r]: Point2): Point2 => [c * plane.column_mm, r * plane.row_mm];
    const a = mm(points[second]);
    const b = mm(points[second + 1]);
    const half = Math.hypot(a[0] - b[0], a[1] - b[1]) / 2;
    const from = mm(next[first]);
    const till = mm(next[first + 1]);
    const length = Math.hypot(till[0] - from[0], till[1] - from[1]) || 1;
    const [nx, ny] = [-(till[1] - from[1]) / length, (till[0] - from[0]) / length];
    next[second] = [centre[0] - (nx * half) / plane.column_mm, centre[1] - (ny * half) / plane.row_mm];
    next[second + 1] = [centre[0] + (nx * half) / plane.column_mm, centre[1] + (ny * half) / plane.row_mm];
  }
  return next;
}
