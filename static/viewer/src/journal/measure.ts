/** Numbers of a mark, from its points. Millimetres in, millimetres out; nothing is rounded here. */
import type { AnnotationValue, Kind, Point2 } from "../api/types";
import { distance, isCalibrated, type Plane } from "../engine/geometry";
import { sidesOf, volumeMl } from "./box";
import { endsOfCircle, indexPoints, isRegion, metricOf, ringOf } from "./figures";

export interface Measured {
  length: number | null; // length, or the long axis
  short: number | null; // bidirectional: the short axis
  diameter: number | null; // circle
  width: number | null; // rectangle and box: along the rows of the image they were drawn on
  height: number | null; // down its columns
  depth: number | null; // box: across its slices
  area: number | null;
  perimeter: number | null;
  angle: number | null; // degrees
  volume: number | null; // box: mL
  unit: "mm" | "px";
  estimate: boolean; // by the magnification that a projection estimated
}

export function polygonArea(points: Point2[]): number {
  let twice = 0;
  points.forEach(([x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length];
    twice += x * ny - nx * y;
  });
  return Math.abs(twice) / 2;
}

const around = (points: Point2[]): number =>
  points.reduce((sum, [x, y], i) => {
    const [nx, ny] = points[(i + 1) % points.length];
    return sum + Math.hypot(nx - x, ny - y);
  }, 0);

/** Perimeter of an ellipse by its two diameters: Ramanujan's second formula. */
function ellipsePerimeter(one: number, other: number): number {
  const [a, b] = [Math.max(one, other) / 2, Math.min(one, other) / 2];
  if (a === 0) return 0;
  const h = ((a - b) / (a + b)) ** 2;
  return Math.PI * (a + b) * (1 + (3 * h) / (10 + Math.sqrt(4 - 3 * h)));
}

/** Degrees between two directions; of lines, which have no direction, at most 90. */
function degrees(u: Point2, v: Point2, lines = false): number | null {
  const size = Math.hypot(...u) * Math.hypot(...v);
  if (!size) return null;
  const along = u[0] * v[0] + u[1] * v[1];
  const across = Math.abs(u[0] * v[1] - u[1] * v[0]);
  return (Math.atan2(across, lines ? Math.abs(along) : along) * 180) / Math.PI;
}

const NOTHING: Omit<Measured, "unit" | "estimate"> = {
  length: null,
  short: null,
  diameter: null,
  width: null,
  height: null,
  depth: null,
  area: null,
  perimeter: null,
  angle: null,
  volume: null,
};

export function measure(value: AnnotationValue, plane: Plane): Measured {
  const calibrated = isCalibrated(plane);
  const points = indexPoints(value, plane);
  const [mx, my] = metricOf(plane);
  // In-plane coordinates: millimetres, or pixels where nothing is known about millimetres.
  const flat = points.map(([c, r]): Point2 => [c * mx, r * my]);
  const far = (i: number, j: number): number => {
    const patient = value.points_patient_mm;
    if (patient && calibrated) return distance(patient[i], patient[j]);
    return Math.hypot(flat[i][0] - flat[j][0], flat[i][1] - flat[j][1]);
  };
  const out: Measured = {
    ...NOTHING,
    unit: calibrated ? "mm" : "px",
    estimate: plane.calibration === "estimated",
  };
  switch (value.kind) {
    case "length":
      if (flat.length === 2) out.length = far(0, 1);
      break;
    case "bidirectional":
      if (flat.length === 4) {
        out.length = Math.max(far(0, 1), far(2, 3));
        out.short = Math.min(far(0, 1), far(2, 3));
      }
      break;
    case "ellipse":
      if (flat.length === 4) {
        out.area = (Math.PI / 4) * far(0, 1) * far(2, 3);
        out.perimeter = ellipsePerimeter(far(0, 1), far(2, 3));
      }
      break;
    case "circle":
      if (flat.length === 2) {
        const radius = far(0, 1);
        out.diameter = 2 * radius;
        out.area = Math.PI * radius * radius;
        out.perimeter = 2 * Math.PI * radius;
      }
      break;
    case "angle":
    case "cobb":
      out.angle = angleOf(value.kind, points, plane);
      break;
    case "box":
      if (value.points_patient_mm?.length === 4 && calibrated) {
        [out.width, out.height, out.depth] = sidesOf(value.points_patient_mm);
        out.volume = volumeMl(value.points_patient_mm);
      }
      break;
    default: {
      const ring = isRegion(value.kind) ? ringOf(value.kind, points, plane) : null;
      if (!ring) break;
      const scaled = ring.map(([c, r]): Point2 => [c * mx, r * my]);
      out.area = polygonArea(scaled);
      out.perimeter = around(scaled);
      if (value.kind === "rectangle") {
        out.width = far(0, 1);
        out.height = far(1, 2);
      }
    }
  }
  return out;
}

/** Angles need no millimetres, only the true shape of a pixel. */
function angleOf(kind: Kind, points: Point2[], plane: Plane): number | null {
  const at = points.map(([c, r]): Point2 => [c * plane.column_mm, r * plane.row_mm]);
  const from = (i: number, j: number): Point2 => [at[j][0] - at[i][0], at[j][1] - at[i][1]];
  if (kind === "angle") return at.length === 3 ? degrees(from(1, 0), from(1, 2)) : null;
  return at.length === 4 ? degrees(from(0, 1), from(2, 3), true) : null;
}

// Values inside a mark ----------------------------------------------------------------------------

export interface Statistics {
  mean: number;
  /** Of the population. */
  deviation: number;
  minimum: number;
  maximum: number;
  voxels: number;
}

/** Adds up values one by one; the mean is taken out first, so that large values keep their digits. */
export class Sum {
  private n = 0;
  private mean = 0;
  private squares = 0;
  private low = Number.POSITIVE_INFINITY;
  private high = Number.NEGATIVE_INFINITY;

  add(v: number): void {
    this.n++;
    const off = v - this.mean;
    this.mean += off / this.n;
    this.squares += off * (v - this.mean);
    if (v < this.low) this.low = v;
    if (v > this.high) this.high = v;
  }

  get result(): Statistics | null {
    const { n, mean, low, high } = this;
    if (!n) return null;
    return { mean, deviation: Math.sqrt(this.squares / n), minimum: low, maximum: high, voxels: n };
  }
}

/**
 * The voxels whose centre lies inside a region, row by row: [row, first column, last column].
 * @param points index coordinates, as the mark keeps them
 */
export function* spansOf(kind: Kind, points: Point2[], plane: Plane): Generator<[number, number, number]> {
  if (kind === "ellipse" && points.length === 4) yield* roundSpans(points, plane);
  else if (kind === "circle" && points.length === 2) yield* roundSpans(endsOfCircle(points, plane), plane);
  else {
    const ring = ringOf(kind, points, plane);
    if (ring) yield* ringSpans(ring, plane);
  }
}

function* ringSpans(ring: Point2[], plane: Plane): Generator<[number, number, number]> {
  const rows = ring.map(([, r]) => r);
  const first = Math.max(0, Math.ceil(Math.min(...rows)));
  const last = Math.min(plane.rows - 1, Math.floor(Math.max(...rows)));
  for (let row = first; row <= last; row++) {
    // Where the outline crosses the row; between an odd and an even crossing lies the inside.
    const cuts: number[] = [];
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
      const [xi, yi] = ring[i];
      const [xj, yj] = ring[j];
      if (yi > row !== yj > row) cuts.push(((xj - xi) * (row - yi)) / (yj - yi) + xi);
    }
    cuts.sort((a, b) => a - b);
    for (let i = 0; i + 1 < cuts.length; i += 2) {
      const from = Math.max(0, Math.ceil(cuts[i]));
      const to = Math.min(plane.columns - 1, Math.ceil(cuts[i + 1]) - 1);
      if (from <= to) yield [row, from, to];
    }
  }
}

function* roundSpans(points: Point2[], plane: Plane): Generator<[number, number, number]> {
  const mm = points.map(([c, r]): Point2 => [c * plane.column_mm, r * plane.row_mm]);
  const centre: Point2 = [(mm[0][0] + mm[1][0]) / 2, (mm[0][1] + mm[1][1]) / 2];
  const half = (i: number, j: number): Point2 => [(mm[j][0] - mm[i][0]) / 2, (mm[j][1] - mm[i][1]) / 2];
  const [a, b] = [half(0, 1), half(2, 3)];
  const [aa, bb] = [a[0] * a[0] + a[1] * a[1], b[0] * b[0] + b[1] * b[1]];
  if (!aa || !bb) return;
  const inside = (c: number, r: number): boolean => {
    const [x, y] = [c * plane.column_mm - centre[0], r * plane.row_mm - centre[1]];
    const s = (x * a[0] + y * a[1]) / aa;
    const t = (x * b[0] + y * b[1]) / bb;
    return s * s + t * t <= 1 + 1e-9; // a centre on the rim is inside, as for the brush
  };
  const reach = Math.sqrt(Math.max(aa, bb));
  const [cc, cr] = [centre[0] / plane.column_mm, centre[1] / plane.row_mm];
  const [dc, dr] = [reach / plane.column_mm, reach / plane.row_mm];
  const left = Math.max(0, Math.floor(cc - dc));
  const right = Math.min(plane.columns - 1, Math.ceil(cc + dc));
  for (
    let row = Math.max(0, Math.floor(cr - dr));
    row <= Math.min(plane.rows - 1, Math.ceil(cr + dr));
    row++
  ) {
    // An ellipse has no gaps: from the first voxel inside to the last.
    let from = left;
    while (from <= right && !inside(from, row)) from++;
    let to = right;
    while (to >= from && !inside(to, row)) to--;
    if (from <= to) yield [row, from, to];
  }
}

/** What the values inside a region are; null where it holds no voxel's centre, or a value is not there. */
export function statistics(
  value: Pick<AnnotationValue, "kind" | "points_patient_mm" | "points_image">,
  plane: Plane,
  valueAt: (column: number, row: number) => number | null,
): Statistics | null {
  const sum = new Sum();
  for (const [row, from, to] of spansOf(value.kind, indexPoints(value as AnnotationValue, plane), plane)) {
    for (let column = from; column <= to; column++) {
      const v = valueAt(column, row);
      if (v === null) return null;
      sum.add(v);
    }
  }
  return sum.result;
}

/** A count of voxels as area on one slice (mm²) or, with the distance between slices, as volume (mL). */
export const maskAreaMm2 = (voxels: number, plane: Plane): number | null =>
  isCalibrated(plane) ? voxels * plane.row_mm * plane.column_mm : null;

export const maskVolumeMl = (voxels: number, plane: Plane, slice_mm: number | null): number | null =>
  !isCalibrated(plane) || slice_mm === null
    ? null
    : (voxels * plane.row_mm * plane.column_mm * slice_mm) / 1000;
