/** The line in which one image's plane cuts another's: what a reader sees of the one while looking at the other. */
import type { Point2, Point3 } from "../api/types";
import { cross, dot, indexToWorld, normalOf, type Plane, sub, worldToIndex } from "./geometry";

/** Planes closer to parallel than about 6° don't cut each other in any line that would help. */
const LEAST_SINE = 0.1;

/**
 * Where the image `there` lies in the image `here`: two points, index coordinates [column, row] of `here`, clipped
 * to the pixels of both. null where the planes are parallel, don't meet within the images, or have no place in the
 * patient. Whether both share a frame of reference is the caller's to know.
 */
export function crossing(here: Plane, there: Plane): [Point2, Point2] | null {
  if (here.kind !== "patient" || there.kind !== "patient") return null;
  const normal = normalOf(here);
  if (Math.hypot(...cross(normal, normalOf(there))) < LEAST_SINE) return null;
  const [right, bottom] = [there.columns - 0.5, there.rows - 0.5];
  const corners = [
    [-0.5, -0.5],
    [right, -0.5],
    [right, bottom],
    [-0.5, bottom],
  ].map((corner) => indexToWorld(there, corner as Point2));
  const height = corners.map((corner) => dot(sub(corner, here.origin), normal));
  const cuts: Point3[] = [];
  for (let i = 0; i < 4; i++) {
    const j = (i + 1) % 4;
    if (height[i] === 0) cuts.push(corners[i]);
    if (height[i] * height[j] >= 0) continue;
    const part = height[i] / (height[i] - height[j]);
    cuts.push(corners[i].map((v, axis) => v + part * (corners[j][axis] - v)) as Point3);
  }
  if (cuts.length < 2) return null;
  return clipped(worldToIndex(here, cuts[0]), worldToIndex(here, cuts[1]), here);
}

/** The part of a line within an image's pixels. */
function clipped(a: Point2, b: Point2, plane: Plane): [Point2, Point2] | null {
  const most = [plane.columns - 0.5, plane.rows - 0.5];
  let [from, to] = [0, 1];
  for (const axis of [0, 1] as const) {
    const run = b[axis] - a[axis];
    const [low, high] = [-0.5 - a[axis], most[axis] - a[axis]];
    if (Math.abs(run) < 1e-9) {
      if (low > 0 || high < 0) return null;
      continue;
    }
    from = Math.max(from, Math.min(low / run, high / run));
    to = Math.min(to, Math.max(low / run, high / run));
  }
  if (from >= to) return null;
  const at = (part: number): Point2 => [a[0] + part * (b[0] - a[0]), a[1] + part * (b[1] - a[1])];
  return [at(from), at(to)];
}
