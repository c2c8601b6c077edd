/** Where a lesion lies: the box around all that readers marked of it, and the sight that shows it. Pure. */
import type { Manifest, Point2, Point3 } from "../api/types";
import type { Area, Sight } from "../engine/camera";
import { dot, hangingPose, indexToWorld, type Plane, type Pose, planeOf, sub } from "../engine/geometry";
import { cropped } from "../engine/maskcut";
import { indexOfFrame } from "../journal/figures";
import { type Mark, maskOf } from "../store/marks";

/** Low and high corner: patient mm, or mm on the image (third coordinate 0) where it has no position. */
export type Box = [Point3, Point3];

function cornersOf(mark: Mark, manifest: Manifest): Point3[] {
  const { points_patient_mm: patient, points_image: image } = mark.value;
  const found: Point3[] = [...(patient ?? [])];
  const plane = planeOf(manifest, 0);
  for (const [x, y] of image ?? []) found.push([(x - 0.5) * plane.column_mm, (y - 0.5) * plane.row_mm, 0]);
  for (const slice of mark.slices.values()) {
    const index = indexOfFrame(manifest, slice.sop, slice.frame);
    const crop = slice.voxels && index >= 0 ? cropped(maskOf(slice), slice.rows, slice.columns) : null;
    if (!crop) continue;
    const { left, top, width, height } = crop;
    const corners: Point2[] = [
      [left, top],
      [left + width - 1, top],
      [left, top + height - 1],
      [left + width - 1, top + height - 1],
    ];
    found.push(...corners.map((corner) => onPlane(planeOf(manifest, index), corner)));
  }
  return found;
}

const onPlane = (plane: Plane, index: Point2): Point3 =>
  plane.kind === "patient"
    ? indexToWorld(plane, index)
    : [index[0] * plane.column_mm, index[1] * plane.row_mm, 0];

/** The box around marks, each of the series of its manifest; null where nothing of them has a place. */
export function boxOf(marks: { mark: Mark; manifest: Manifest }[]): Box | null {
  const points = marks.flatMap(({ mark, manifest }) => cornersOf(mark, manifest));
  if (!points.length) return null;
  const side = (pick: (...values: number[]) => number): Point3 =>
    [0, 1, 2].map((i) => points.reduce((best, point) => pick(best, point[i]), points[0][i])) as Point3;
  return [side(Math.min), side(Math.max)];
}

export const middleOfBox = ([low, high]: Box): Point3 => low.map((v, i) => (v + high[i]) / 2) as Point3;

/** How much of the image is shown around a lesion: so many times its size, but never less than this. */
const TIMES = 3;
const LEAST_MM = 56;

/** The longest side of what is shown around a box, mm. */
export const fieldOf = ([low, high]: Box): number =>
  Math.max(LEAST_MM, TIMES * Math.max(...low.map((v, i) => high[i] - v)));

/** A plane seen so that a point is in the middle and a field of `field_mm` fits. */
export function sightOn(plane: Plane, area: Area, point: Point3, field_mm: number, pose?: Pose): Sight {
  const away = sub(point, plane.origin);
  const centre: Point2 =
    plane.kind === "patient" ? [dot(away, plane.row), dot(away, plane.column)] : [point[0], point[1]];
  const scale = Math.min(area.width - area.inset, area.height) / field_mm;
  return { centre, scale: Math.max(scale, 1e-3), pose: pose ?? hangingPose(plane) };
}
