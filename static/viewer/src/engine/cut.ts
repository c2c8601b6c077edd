/**
 * A cut: a plane through a volume that is not one of its slices. Pure arithmetic in patient millimetres (LPS);
 * a cut lies anywhere and turned any way, its plane covers the whole volume.
 */
import type { Point3 } from "../api/types";
import { cross, dot, type Plane, sub } from "./geometry";
import { cornersOf, type Grid } from "./volume";

export type CutName = "axial" | "coronal" | "sagittal";
/** What a thick cut shows of the values along its thickness: the highest, the lowest, the mean. */
export type SlabMode = "max" | "min" | "mean";

export interface Cut {
  /** What it was before anybody turned it. */
  name: CutName;
  /** Where the crosshair stands: a point on the cut, patient mm. */
  centre: Point3;
  /** Unit vectors: to the right and down on the image before it is flipped or turned. */
  row: Point3;
  column: Point3;
  /** Thickness, mm; 0 for a plane. */
  slab_mm: number;
  mode: SlabMode;
}

// As a reader hangs them: axial from the feet, front up; coronal from the front, sagittal from the left, head up.
const DIRECTIONS: Record<CutName, { row: Point3; column: Point3 }> = {
  axial: { row: [1, 0, 0], column: [0, 1, 0] },
  coronal: { row: [1, 0, 0], column: [0, 0, -1] },
  sagittal: { row: [0, 1, 0], column: [0, 0, -1] },
};

export const CUT_NAMES: CutName[] = ["axial", "coronal", "sagittal"];

const NEAR_AXIS = 0.9;

/**
 * A cut in one of the three planes. They follow the volume's own axes where those are near the patient's, so
 * that an axial cut of slices that lie a little oblique is one of those slices, and not a blend of several.
 */
export function cutOf(name: CutName, grid: Grid, centre: Point3): Cut {
  const own = grid.straight ? [grid.plane.row, grid.plane.column, grid.normal] : [grid.plane.row];
  const nearest = (wanted: Point3): Point3 => {
    const best = [...own].sort((a, b) => Math.abs(dot(b, wanted)) - Math.abs(dot(a, wanted)))[0];
    const along = dot(best, wanted);
    if (Math.abs(along) < NEAR_AXIS) return wanted;
    return (along < 0 ? best.map((v) => -v || 0) : [...best]) as Point3;
  };
  const { row, column } = DIRECTIONS[name];
  return { name, centre, ...squared(nearest(row), nearest(column)), slab_mm: 0, mode: "max" };
}

/** Two directions made unit vectors at a right angle; the first keeps its way. */
function squared(row: Point3, column: Point3): { row: Point3; column: Point3 } {
  const r = scaled(row, 1 / Math.hypot(...row));
  const c = sub(column, scaled(r, dot(column, r)));
  return { row: r, column: scaled(c, 1 / Math.hypot(...c)) };
}

const scaled = (v: Point3, by: number): Point3 => v.map((x) => x * by) as Point3;
const plus = (a: Point3, b: Point3): Point3 => [a[0] + b[0], a[1] + b[1], a[2] + b[2]];

/** Away from the reader, who looks along it. */
export const normalOfCut = (cut: Cut): Point3 => cross(cut.row, cut.column);

/** The side of a cut's pixels: the finer spacing of the slices, mm. */
export const pixelOfCut = (grid: Grid): number => Math.min(grid.plane.row_mm, grid.plane.column_mm);

/** How far one step of the wheel goes along a cut's normal, mm: from voxel to voxel. */
export function stepOfCut(cut: Cut, grid: Grid): number {
  const n = normalOfCut(cut);
  const { plane, normal, slice_mm } = grid;
  const parts = [
    dot(n, plane.row) / plane.column_mm,
    dot(n, plane.column) / plane.row_mm,
    dot(n, normal) / slice_mm,
  ];
  return 1 / Math.hypot(...parts);
}

/**
 * The image of a cut: square pixels of `pixel_mm`, large enough for the whole volume. The grid of pixels passes
 * through the crosshair's foot on a voxel's line only by chance; values between voxels are interpolated.
 */
export function planeOfCut(cut: Cut, grid: Grid, pixel_mm = pixelOfCut(grid)): Plane {
  const corners = cornersOf(grid);
  const span = (direction: Point3): [number, number] => {
    const along = corners.map((corner) => dot(corner, direction));
    return [Math.min(...along), Math.max(...along)];
  };
  const [left, right] = span(cut.row);
  const [top, bottom] = span(cut.column);
  const normal = normalOfCut(cut);
  const origin = plus(
    plus(scaled(cut.row, left), scaled(cut.column, top)),
    scaled(normal, dot(cut.centre, normal)),
  );
  const count = (from: number, to: number) => Math.max(1, Math.floor((to - from) / pixel_mm + 1e-6) + 1);
  return {
    kind: "patient",
    origin,
    row: cut.row,
    column: cut.column,
    row_mm: pixel_mm,
    column_mm: pixel_mm,
    rows: count(top, bottom),
    columns: count(left, right),
    calibration: grid.plane.calibration,
    letters: null,
  };
}

/** How far a cut lies along its normal, and between which ends it meets the volume, mm. */
export function depthOfCut(cut: Cut, grid: Grid): { at: number; low: number; high: number } {
  const normal = normalOfCut(cut);
  const along = cornersOf(grid).map((corner) => dot(corner, normal));
  return { at: dot(cut.centre, normal), low: Math.min(...along), high: Math.max(...along) };
}

const SAME_PLACE_MM = 1e-6;

/** Whether two cuts show the same pixels: their crosshairs may stand at different points of one plane. */
export function sameImage(a: Cut, b: Cut): boolean {
  if (a === b) return true;
  if (a.slab_mm !== b.slab_mm || (a.slab_mm > 0 && a.mode !== b.mode)) return false;
  const alike = [0, 1, 2].every((i) => a.row[i] === b.row[i] && a.column[i] === b.column[i]);
  return alike && Math.abs(dot(sub(a.centre, b.centre), normalOfCut(a))) < SAME_PLACE_MM;
}

/** The crosshair somewhere else; a cut that passes through it goes along. */
export const movedTo = (cut: Cut, centre: Point3): Cut => ({ ...cut, centre });

/** Along its own normal by `mm`, never out of the volume. */
export function movedBy(cut: Cut, grid: Grid, mm: number): Cut {
  const { at, low, high } = depthOfCut(cut, grid);
  const by = Math.max(low, Math.min(high, at + mm)) - at;
  return movedTo(cut, plus(cut.centre, scaled(normalOfCut(cut), by)));
}

/** Turned about an axis (unit vector) through its centre, by an angle in radians, right-handed. */
export function turnedAbout(cut: Cut, axis: Point3, angle: number): Cut {
  const turn = (v: Point3): Point3 => {
    const c = Math.cos(angle);
    const s = Math.sin(angle);
    const across = cross(axis, v);
    const along = dot(axis, v) * (1 - c);
    return v.map((x, i) => x * c + across[i] * s + axis[i] * along) as Point3;
  };
  return { ...cut, ...squared(turn(cut.row), turn(cut.column)) };
}

/** Whether somebody turned a cut away from the plane it is named after, by more than a degree or so. */
export function isOblique(cut: Cut, grid: Grid): boolean {
  const usual = cutOf(cut.name, grid, cut.centre);
  return Math.abs(dot(normalOfCut(usual), normalOfCut(cut))) < 0.9998;
}
