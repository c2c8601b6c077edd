/**
 * The figures that marks are: which points each has, which line it draws, on which planes it shows. Pure; index
 * coordinates of a plane unless a name says millimetres.
 */
import type { AnnotationValue, DrawnKind, Kind, Manifest, Point2, Point3 } from "../api/types";
import {
  cross,
  dot,
  indexToWorld,
  isCalibrated,
  type Plane,
  planeOf,
  scoordToIndex,
  sub,
  worldToIndex,
} from "../engine/geometry";
import type { Place } from "../place";
import { crossingOf } from "./box";

/** Kinds that enclose an area on one plane. */
export const REGIONS: DrawnKind[] = [
  "ellipse",
  "circle",
  "rectangle",
  "polygon",
  "freehand",
  "spline",
  "livewire",
];
export const isRegion = (kind: Kind): boolean => REGIONS.some((one) => one === kind);

/** Fewest points of a kind that has any number of them. */
export const CORNERS_LEAST = 3;
/** Straight pieces for each piece of a curve between two of its points; the server counts with as many. */
export const CURVE_STEPS = 16;
const ROUND_STEPS = 72;

/** A step along columns and one along rows in the unit of a mark's numbers: millimetres, else pixels. */
export const metricOf = (plane: Plane): Point2 =>
  isCalibrated(plane) ? [plane.column_mm, plane.row_mm] : [1, 1];

/** A mark's points in index coordinates of the plane it was drawn on. */
export function indexPoints(value: AnnotationValue, plane: Plane): Point2[] {
  if (value.points_patient_mm) return value.points_patient_mm.map((p) => worldToIndex(plane, p));
  return (value.points_image ?? []).map(scoordToIndex);
}

/** A closed curve through its points (uniform Catmull-Rom), as the corners of a fine polygon. */
export function curveThrough<P extends number[]>(points: P[]): P[] {
  const n = points.length;
  if (n < CORNERS_LEAST) return points;
  return points.flatMap((b, i) => {
    const [a, c, d] = [points[(i + n - 1) % n], points[(i + 1) % n], points[(i + 2) % n]];
    return Array.from({ length: CURVE_STEPS }, (_, step) => {
      const t = step / CURVE_STEPS;
      return b.map(
        (_, k) =>
          (2 * b[k] +
            (c[k] - a[k]) * t +
            (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t +
            (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t * t * t) /
          2,
      ) as P;
    });
  });
}

/** The four ends of two axes of a circle, from its centre and a point on its rim: round in millimetres. */
export function endsOfCircle([centre, rim]: Point2[], plane: Plane): Point2[] {
  const [mx, my] = metricOf(plane);
  const [dx, dy] = [rim[0] - centre[0], rim[1] - centre[1]];
  const across: Point2 = [(-dy * my) / mx, (dx * mx) / my];
  return [
    [centre[0] - dx, centre[1] - dy],
    rim,
    [centre[0] - across[0], centre[1] - across[1]],
    [centre[0] + across[0], centre[1] + across[1]],
  ];
}

function roundLine([a, b, c, d]: Point2[]): Point2[] {
  const centre: Point2 = [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  const u: Point2 = [(b[0] - a[0]) / 2, (b[1] - a[1]) / 2];
  const v: Point2 = [(d[0] - c[0]) / 2, (d[1] - c[1]) / 2];
  return Array.from({ length: ROUND_STEPS }, (_, i): Point2 => {
    const t = (i / ROUND_STEPS) * 2 * Math.PI;
    return [
      centre[0] + u[0] * Math.cos(t) + v[0] * Math.sin(t),
      centre[1] + u[1] * Math.cos(t) + v[1] * Math.sin(t),
    ];
  });
}

/** The corners of what a region encloses; null where a kind, or a number of points, encloses nothing. */
export function ringOf(kind: Kind, points: Point2[], plane: Plane): Point2[] | null {
  if (kind === "ellipse") return points.length === 4 ? roundLine(points) : null;
  if (kind === "circle") return points.length === 2 ? roundLine(endsOfCircle(points, plane)) : null;
  if (!isRegion(kind) || points.length < CORNERS_LEAST) return null;
  return kind === "spline" ? curveThrough(points) : points;
}

/**
 * The lines that a mark draws, each a list of points; a closed one ends where it begins.
 * @param open while it is drawn corner by corner: the last is not joined to the first yet
 */
export function lineOf(kind: Kind, points: Point2[], plane: Plane, open = false): Point2[][] {
  if (!points.length) return [];
  if (kind === "bidirectional" || kind === "cobb")
    return [points.slice(0, 2), points.slice(2)].filter((line) => line.length);
  if (kind === "box") return [[...points, points[0]]];
  if (!isRegion(kind) || (open && kind !== "spline")) return [points];
  const ring = ringOf(kind, points, plane);
  if (!ring) return [points];
  if (open) return [ring.slice(0, (points.length - 1) * CURVE_STEPS + 1)];
  return [[...ring, ring[0]]];
}

// Places ------------------------------------------------------------------------------------------

const numbersOf = new WeakMap<Manifest, Map<string, number>>();

/** The index of a frame in its series, −1 where it is not there; looked up, not searched for. */
export function indexOfFrame(manifest: Manifest, sop: string, frame: number): number {
  let numbers = numbersOf.get(manifest);
  if (!numbers) {
    const { frames } = manifest;
    numbers = new Map(frames.sop.map((uid, i) => [`${uid}|${frames.frame[i]}`, i]));
    numbersOf.set(manifest, numbers);
  }
  return numbers.get(`${sop}|${frame}`) ?? -1;
}

/** A cut ends where the volume does, which its values say. */
const ENDLESS = 1 << 20;

/** The plane that a mark was drawn on: of its frame, or of its cut; null where its image is gone. */
export function planeOfValue(value: AnnotationValue, manifest: Manifest): Plane | null {
  if (value.plane) {
    const base = planeOf(manifest, 0);
    // Cuts are shown with square pixels, as fine as those of the images.
    const fine = Math.min(base.row_mm, base.column_mm);
    return { ...base, ...value.plane, row_mm: fine, column_mm: fine, rows: ENDLESS, columns: ENDLESS };
  }
  const index = indexOfFrame(manifest, value.sop ?? "", value.frame ?? 1);
  return index < 0 ? null : planeOf(manifest, index);
}

type Flat = Pick<Plane, "origin" | "row" | "column">;
const normal = (plane: Flat): Point3 => cross(plane.row, plane.column);

/** Whether two planes are one, to within `mm`. */
export const coincide = (a: Flat, b: Flat, mm: number): boolean =>
  Math.abs(dot(normal(a), normal(b))) > 0.9999 && Math.abs(dot(sub(a.origin, b.origin), normal(b))) <= mm;

/** Names what a pane shows: the same image or cut has the same name, however it is zoomed. */
export const keyOfPlace = ({ manifest, index, plane }: Pick<Place, "manifest" | "index" | "plane">): string =>
  `${manifest.series.id}|${index ?? [...plane.origin, ...plane.row, ...plane.column].join()}`;

/** Whether a mark with lines lies on what a pane shows. */
export function showsOn(value: AnnotationValue, place: Place): boolean {
  const { manifest, index, plane } = place;
  if (value.series !== manifest.series.id) return false;
  if (value.kind === "box") return pointsOn(value, place).length > 2;
  if (index !== null && !value.plane)
    return value.sop === manifest.frames.sop[index] && value.frame === manifest.frames.frame[index];
  if (plane.kind !== "patient" || !value.points_patient_mm) return false;
  const own = planeOfValue(value, manifest);
  return own !== null && coincide(own, plane, Math.min(plane.row_mm, plane.column_mm) / 2);
}

/** A mark's points on the plane shown. Of a box: the corners of where the plane crosses it. */
export function pointsOn(value: AnnotationValue, place: Place): Point2[] {
  if (value.kind !== "box") return indexPoints(value, place.plane);
  if (place.plane.kind !== "patient" || value.points_patient_mm?.length !== 4) return [];
  return crossingOf(value.points_patient_mm, place.plane).map((p) => worldToIndex(place.plane, p));
}

/** What says on which image or cut a new mark lies, and its points. */
export function placed(
  place: Pick<Place, "manifest" | "index" | "plane">,
  points: Point2[],
): Partial<AnnotationValue> {
  const { manifest, index, plane } = place;
  const on =
    index === null
      ? { plane: { origin: plane.origin, row: plane.row, column: plane.column } }
      : { sop: manifest.frames.sop[index], frame: manifest.frames.frame[index] };
  return { ...on, frame_of_reference: manifest.series.frame_of_reference, ...pointsFrom(plane, points) };
}

/** Points as they are kept: in the patient where the plane has a place there, else on the image. */
export function pointsFrom(
  plane: Plane,
  points: Point2[],
): Pick<AnnotationValue, "points_patient_mm" | "points_image"> {
  return plane.kind === "patient"
    ? { points_patient_mm: points.map((point) => indexToWorld(plane, point)) }
    : { points_image: points.map(([column, row]): Point2 => [column + 0.5, row + 0.5]) };
}
