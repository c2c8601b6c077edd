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
  // A circle's centre takes the whole circle along.
  if (kind === "circle" && handle === 0)
    next[1] = [points[1][0] + to[0] - points[0][0], points[1][1] + to[1] - points[0][1]];
  if ((kind === "rectangle" || kind === "box") && points.length === 4)
    return withCorner(points, handle, to, plane);
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

/** The opposite corner stays, the directions of the sides stay, and so do the right angles between them. */
function withCorner(points: Point2[], handle: number, to: Point2, plane: Plane): Point2[] {
  const [a, b, c] = [1, 2, 3].map((step) => (handle + step) % 4);
  const mm = ([x, y]: Point2): Point2 => [x * plane.column_mm, y * plane.row_mm];
  const fixed = mm(points[b]);
  const side = mm(points[a]);
  const size = Math.hypot(side[0] - fixed[0], side[1] - fixed[1]);
  if (!size) return points;
  const u: Point2 = [(side[0] - fixed[0]) / size, (side[1] - fixed[1]) / size];
  const arm = mm(to);
  const along = (arm[0] - fixed[0]) * u[0] + (arm[1] - fixed[1]) * u[1];
  const foot: Point2 = [fixed[0] + along * u[0], fixed[1] + along * u[1]];
  const back = ([x, y]: Point2): Point2 => [x / plane.column_mm, y / plane.row_mm];
  const next = [...points];
  next[handle] = to;
  next[a] = back(foot);
  next[c] = back([arm[0] - along * u[0], arm[1] - along * u[1]]);
  return next;
}
