/** Numbers of a mark, from its points. Millimetres in, millimetres out; nothing is rounded here. */
import type { AnnotationValue, Point2, Point3 } from "../api/types";
import { distance, isCalibrated, type Plane, scoordToIndex, worldToIndex } from "../engine/geometry";

export interface Measured {
  length: number | null; // length, or the long axis
  short: number | null; // bidirectional: the short axis
  area: number | null;
  unit: "mm" | "px";
  estimate: boolean; // by the magnification that a projection estimated
}

/** A mark's points in index coordinates of the plane it was drawn on. */
export function indexPoints(value: AnnotationValue, plane: Plane): Point2[] {
  if (value.points_patient_mm) return value.points_patient_mm.map((p) => worldToIndex(plane, p));
  return (value.points_image ?? []).map(scoordToIndex);
}

export function polygonArea(points: Point2[]): number {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}

export function measure(value: AnnotationValue, plane: Plane): Measured {
  const calibrated = isCalibrated(plane);
  // In-plane coordinates: millimetres, or pixels where nothing is known about millimetres.
  const flat = indexPoints(value, plane).map(
    ([c, r]): Point2 => (calibrated ? [c * plane.column_mm, r * plane.row_mm] : [c, r]),
  );
  const far = (i: number, j: number): number => {
    const patient = value.points_patient_mm;
    if (patient && calibrated) return distance(patient[i], patient[j]);
    return Math.hypot(flat[i][0] - flat[j][0], flat[i][1] - flat[j][1]);
  };
  const out: Measured = {
    length: null,
    short: null,
    area: null,
    unit: calibrated ? "mm" : "px",
    estimate: plane.calibration === "estimated",
  };
  if (value.kind === "length" && flat.length === 2) out.length = far(0, 1);
  if (value.kind === "bidirectional" && flat.length === 4) {
    const axes = [far(0, 1), far(2, 3)];
    out.length = Math.max(...axes);
    out.short = Math.min(...axes);
  }
  if (value.kind === "ellipse" && flat.length === 4) out.area = (Math.PI / 4) * far(0, 1) * far(2, 3);
  if ((value.kind === "polygon" || value.kind === "freehand") && flat.length > 2)
    out.area = polygonArea(flat);
  return out;
}

export interface Statistics {
  mean: number;
  deviation: number;
  voxels: number;
}

/** Mean and standard deviation (population) of the voxels whose centre lies inside an ellipse or polygon. */
export function statistics(
  value: AnnotationValue,
  plane: Plane,
  valueAt: (column: number, row: number) => number | null,
): Statistics | null {
  const points = indexPoints(value, plane);
  const inside = insideOf(value.kind, points, plane);
  if (!inside) return null;
  const xs = value.kind === "ellipse" ? ellipseBounds(points, plane).xs : points.map((p) => p[0]);
  const ys = value.kind === "ellipse" ? ellipseBounds(points, plane).ys : points.map((p) => p[1]);
  let n = 0;
  let sum = 0;
  let squares = 0;
  const last = (limit: number, values: number[]) => Math.min(limit - 1, Math.floor(Math.max(...values)));
  for (let row = Math.max(0, Math.ceil(Math.min(...ys))); row <= last(plane.rows, ys); row++) {
    for (let column = Math.max(0, Math.ceil(Math.min(...xs))); column <= last(plane.columns, xs); column++) {
      if (!inside(column, row)) continue;
      const v = valueAt(column, row);
      if (v === null) return null;
      n++;
      sum += v;
      squares += v * v;
    }
  }
  if (!n) return null;
  const mean = sum / n;
  return { mean, deviation: Math.sqrt(Math.max(0, squares / n - mean * mean)), voxels: n };
}

function ellipseBounds(points: Point2[], plane: Plane) {
  const c: Point2 = [(points[0][0] + points[1][0]) / 2, (points[0][1] + points[1][1]) / 2];
  const reach = Math.max(
    ...[
      [0, 1],
      [2, 3],
    ].map(([i, j]) =>
      Math.hypot(
        (points[i][0] - points[j][0]) * plane.column_mm,
        (points[i][1] - points[j][1]) * plane.row_mm,
      ),
    ),
  );
  return {
    xs: [c[0] - reach / plane.column_mm, c[0] + reach / plane.column_mm],
    ys: [c[1] - reach / plane.row_mm, c[1] + reach / plane.row_mm],
  };
}

function insideOf(kind: string, points: Point2[], plane: Plane): ((c: number, r: number) => boolean) | null {
  if (kind === "ellipse" && points.length === 4) {
    const mm = points.map(([c, r]): Point2 => [c * plane.column_mm, r * plane.row_mm]);
    const centre: Point2 = [(mm[0][0] + mm[1][0]) / 2, (mm[0][1] + mm[1][1]) / 2];
    const half = (i: number, j: number): Point2 => [(mm[j][0] - mm[i][0]) / 2, (mm[j][1] - mm[i][1]) / 2];
    const a = half(0, 1);
    const b = half(2, 3);
    const aa = a[0] * a[0] + a[1] * a[1];
    const bb = b[0] * b[0] + b[1] * b[1];
    if (!aa || !bb) return null;
    return (c, r) => {
      const x = c * plane.column_mm - centre[0];
      const y = r * plane.row_mm - centre[1];
      const s = (x * a[0] + y * a[1]) / aa;
      const t = (x * b[0] + y * b[1]) / bb;
      return s * s + t * t <= 1 + 1e-9; // a centre on the rim is inside, as for the brush
    };
  }
  if ((kind === "polygon" || kind === "freehand") && points.length > 2) {
    return (c, r) => {
      let odd = false;
      for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
        const [xi, yi] = points[i];
        const [xj, yj] = points[j];
        if (yi > r !== yj > r && c < ((xj - xi) * (r - yi)) / (yj - yi) + xi) odd = !odd;
      }
      return odd;
    };
  }
  return null;
}

/** A count of voxels as area on one slice (mm²) or, with the distance between slices, as volume (mL). */
export const maskAreaMm2 = (voxels: number, plane: Plane): number | null =>
  isCalibrated(plane) ? voxels * plane.row_mm * plane.column_mm : null;

export const maskVolumeMl = (voxels: number, plane: Plane, slice_mm: number | null): number | null =>
  !isCalibrated(plane) || slice_mm === null
    ? null
    : (voxels * plane.row_mm * plane.column_mm * slice_mm) / 1000;

export type { Point3 };
