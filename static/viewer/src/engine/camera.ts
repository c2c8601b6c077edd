/** How a slice lies in its viewport: pure arithmetic between index, in-plane millimetres and CSS pixels. */
import type { Point2, Point3 } from "../api/types";
import { edgeLetters, type Plane, type Pose, screenAxes } from "./geometry";

export interface Sight {
  /** In-plane millimetres under the middle of the image area: along columns, along rows. */
  centre: Point2;
  /** CSS pixels a millimetre. */
  scale: number;
  pose: Pose;
}

export interface Area {
  width: number;
  height: number;
  /** Covered at the right edge by the slice bar; the image is centred in what is left. */
  inset: number;
}

const extent = (plane: Plane): Point2 => [plane.columns * plane.column_mm, plane.rows * plane.row_mm];

export const middle = (plane: Plane): Point2 => [
  ((plane.columns - 1) / 2) * plane.column_mm,
  ((plane.rows - 1) / 2) * plane.row_mm,
];

export function fitted(plane: Plane, area: Area, pose: Pose): Sight {
  const [w, h] = extent(plane);
  const across = pose.rotation % 180 === 0 ? [w, h] : [h, w];
  const scale = Math.max(Math.min((area.width - area.inset) / across[0], area.height / across[1]), 1e-3);
  const spare = (area.width - area.inset) / scale - across[0];
  return { centre: plane.breast ? againstWall(plane, pose, spare) : middle(plane), scale, pose };
}

/** A mammogram stands with its chest wall at the edge of its image area, so that two of them meet back to back. */
function againstWall(plane: Plane, pose: Pose, spare_mm: number): Point2 {
  const [u, v] = middle(plane);
  const edges = edgeLetters(plane, pose);
  const way = edges?.right[0] === "P" ? -1 : edges?.left[0] === "P" ? 1 : 0;
  const { right } = screenAxes(pose);
  const by = (way * spare_mm) / 2;
  return [u + right[0] * by, v + right[1] * by];
}

/** index → CSS pixels of the viewport, as [a, b, c, d, e, f] of a 2D matrix (x = a·column + c·row + e). */
export type Matrix = [number, number, number, number, number, number];

export function indexToCanvas(plane: Plane, sight: Sight, area: Area): Matrix {
  const { right, down } = screenAxes(sight.pose);
  const { scale, centre } = sight;
  const a = right[0] * plane.column_mm * scale;
  const c = right[1] * plane.row_mm * scale;
  const b = down[0] * plane.column_mm * scale;
  const d = down[1] * plane.row_mm * scale;
  const x = (right[0] * centre[0] + right[1] * centre[1]) * scale;
  const y = (down[0] * centre[0] + down[1] * centre[1]) * scale;
  return [a, b, c, d, (area.width - area.inset) / 2 - x, area.height / 2 - y];
}

export const apply = (m: Matrix, [x, y]: Point2): Point2 => [
  m[0] * x + m[2] * y + m[4],
  m[1] * x + m[3] * y + m[5],
];

export function invert(m: Matrix): Matrix {
  const det = m[0] * m[3] - m[1] * m[2];
  const [a, b, c, d] = [m[3] / det, -m[1] / det, -m[2] / det, m[0] / det];
  return [a, b, c, d, -(a * m[4] + c * m[5]), -(b * m[4] + d * m[5])];
}

const AWAY_MM = 500;

/** Camera for a renderer whose world is patient space. */
export function cameraOf(plane: Plane, sight: Sight, area: Area) {
  const { right, down } = screenAxes(sight.pose);
  const world = ([u, v]: Point2): Point3 =>
    [0, 1, 2].map((i) => plane.row[i] * u + plane.column[i] * v) as Point3;
  const x = world(right);
  const y = world(down);
  // The renderer's middle is the viewport's; ours is half the inset further left.
  const shift = area.inset / 2 / sight.scale;
  const focalPoint = [0, 1, 2].map(
    (i) =>
      plane.origin[i] +
      plane.row[i] * (sight.centre[0] + right[0] * shift) +
      plane.column[i] * (sight.centre[1] + right[1] * shift),
  ) as Point3;
  const viewUp = y.map((v) => -v) as Point3;
  const viewPlaneNormal: Point3 = [
    x[1] * viewUp[2] - x[2] * viewUp[1],
    x[2] * viewUp[0] - x[0] * viewUp[2],
    x[0] * viewUp[1] - x[1] * viewUp[0],
  ];
  const position = focalPoint.map((v, i) => v + viewPlaneNormal[i] * AWAY_MM) as Point3;
  return {
    focalPoint,
    position,
    viewUp,
    viewPlaneNormal,
    parallelScale: area.height / 2 / sight.scale,
    // Without it the renderer keeps the range of the camera before, which may have looked from behind.
    clippingRange: [1, 2 * AWAY_MM] as Point2,
  };
}

/** A point of the viewport keeps its place under the cursor while the scale changes. */
export function zoomAt(plane: Plane, sight: Sight, area: Area, factor: number, at: Point2): Sight {
  const scale = Math.min(Math.max(sight.scale * factor, 0.02), 400);
  const before = apply(invert(indexToCanvas(plane, sight, area)), at);
  const next = { ...sight, scale };
  const after = apply(invert(indexToCanvas(plane, next, area)), at);
  return {
    ...next,
    centre: [
      sight.centre[0] + (before[0] - after[0]) * plane.column_mm,
      sight.centre[1] + (before[1] - after[1]) * plane.row_mm,
    ],
  };
}

export function pan(sight: Sight, dx: number, dy: number): Sight {
  const { right, down } = screenAxes(sight.pose);
  return {
    ...sight,
    centre: [
      sight.centre[0] - (right[0] * dx + down[0] * dy) / sight.scale,
      sight.centre[1] - (right[1] * dx + down[1] * dy) / sight.scale,
    ],
  };
}
