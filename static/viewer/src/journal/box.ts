/**
 * Boxes in the patient. Four points: a corner, and the ends of the three edges that leave it, at right angles to
 * each other. Patient millimetres (LPS) throughout.
 */
import type { Point3 } from "../api/types";
import { dot, normalOf, type Plane, sub } from "../engine/geometry";

const plus = (a: Point3, b: Point3, by = 1): Point3 => [a[0] + b[0] * by, a[1] + b[1] * by, a[2] + b[2] * by];
const scaled = (a: Point3, by: number): Point3 => [a[0] * by, a[1] * by, a[2] * by];
const size = (a: Point3): number => Math.hypot(...a);

/** The three edges from the first corner. */
export const edgesOf = ([o, a, b, c]: Point3[]): [Point3, Point3, Point3] => [
  sub(a, o),
  sub(b, o),
  sub(c, o),
];

/** Lengths of the three edges, mm. */
export const sidesOf = (points: Point3[]): Point3 => edgesOf(points).map(size) as Point3;

export const volumeMl = (points: Point3[]): number =>
  sidesOf(points).reduce((all, one) => all * one, 1) / 1000;

// The corners by which of the three edges they lie along, and the twelve edges between them.
const CORNERS = [0, 1, 2, 3, 4, 5, 6, 7];
const PAIRS = CORNERS.flatMap((i) => [1, 2, 4].filter((bit) => !(i & bit)).map((bit) => [i, i | bit]));

function cornersOf(points: Point3[]): Point3[] {
  const [a, b, c] = edgesOf(points);
  return CORNERS.map((i) => {
    let at = points[0];
    if (i & 1) at = plus(at, a);
    if (i & 2) at = plus(at, b);
    if (i & 4) at = plus(at, c);
    return at;
  });
}

/** The edge that runs along a plane's normal: 0, 1 or 2; null where the plane cuts the box askew. */
export function depthEdge(points: Point3[], plane: Plane): number | null {
  const n = normalOf(plane);
  const along = edgesOf(points).findIndex((edge) => Math.abs(dot(edge, n)) > 0.999 * size(edge));
  return along < 0 ? null : along;
}

/** Where a plane crosses a box: corners in order around it; none where it doesn't. */
export function crossingOf(points: Point3[], plane: Plane): Point3[] {
  const n = normalOf(plane);
  const height = (p: Point3) => dot(sub(p, plane.origin), n);
  const k = depthEdge(points, plane);
  if (k !== null) {
    const edges = edgesOf(points);
    const [from, deep] = [height(points[0]), dot(edges[k], n)];
    const t = -from / deep;
    const slack = 1e-6 / Math.abs(deep);
    if (t < -slack || t > 1 + slack) return [];
    const base = plus(points[0], edges[k], t);
    const [u, v] = edges.filter((_, i) => i !== k);
    return [base, plus(base, u), plus(plus(base, u), v), plus(base, v)];
  }
  const corners = cornersOf(points);
  const cut = PAIRS.flatMap(([i, j]): Point3[] => {
    const [hi, hj] = [height(corners[i]), height(corners[j])];
    if (hi === hj || hi * hj > 0) return [];
    return [plus(corners[i], sub(corners[j], corners[i]), hi / (hi - hj))];
  });
  return around(cut, plane);
}

/** Points of a plane in order around their middle. */
function around(points: Point3[], plane: Plane): Point3[] {
  if (points.length < 3) return [];
  const middle = scaled(
    points.reduce((sum, p) => plus(sum, p)),
    1 / points.length,
  );
  const turn = (p: Point3) => Math.atan2(dot(sub(p, middle), plane.column), dot(sub(p, middle), plane.row));
  return [...points].sort((a, b) => turn(a) - turn(b));
}

/** A box as deep as `deep_mm` around a rectangle, whose four corners follow each other on a plane. */
export function boxAround(rectangle: Point3[], plane: Plane, deep_mm: number): Point3[] {
  const n = normalOf(plane);
  const o = plus(rectangle[0], n, -deep_mm / 2);
  return [
    o,
    plus(o, sub(rectangle[1], rectangle[0])),
    plus(o, sub(rectangle[3], rectangle[0])),
    plus(o, n, deep_mm),
  ];
}

/** A box that crosses a plane in another rectangle than before; its depth across that plane stays. */
export function withRectangle(points: Point3[], plane: Plane, rectangle: Point3[]): Point3[] {
  const k = depthEdge(points, plane);
  if (k === null || rectangle.length !== 4) return points;
  const n = normalOf(plane);
  const edge = edgesOf(points)[k];
  const o = plus(rectangle[0], n, dot(sub(points[0], rectangle[0]), n));
  const [u, v] = [sub(rectangle[1], rectangle[0]), sub(rectangle[3], rectangle[0])];
  const edges = [u, v];
  edges.splice(k, 0, edge);
  return [o, ...edges.map((one) => plus(o, one))];
}

/** A box made deeper, or less deep, so that the nearer of its two faces lies `beyond_mm` past a plane. */
export function reachingTo(points: Point3[], plane: Plane, beyond_mm: number): Point3[] {
  const k = depthEdge(points, plane);
  if (k === null) return points;
  const n = normalOf(plane);
  const edges = edgesOf(points);
  const [near, deep] = [dot(sub(points[0], plane.origin), n), dot(edges[k], n)];
  const [low, high] = [Math.min(near, near + deep), Math.max(near, near + deep)];
  // The face on the plane's side moves; a plane inside the box takes the nearer face.
  const moveHigh = high < 0 || (low < 0 && -low > high);
  const next = moveHigh ? [low, beyond_mm] : [-beyond_mm, high];
  const o = plus(points[0], n, next[0] - near);
  edges[k] = scaled(n, next[1] - next[0]);
  return [o, ...edges.map((one) => plus(o, one))];
}
