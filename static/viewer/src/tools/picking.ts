/** Which mark, or which of its handles, lies under a point of a viewport. */
import type { AnnotationValue, Kind, Point2 } from "../api/types";
import { apply } from "../engine/camera";
import { indexToWorld } from "../engine/geometry";
import { gridOf, toGrid } from "../engine/volume";
import { lineOf, pointsOn, showsOn } from "../journal/figures";
import { type Place, placeOf, toIndex } from "../place";
import { type Mark, marks, maskOf, sliceKey } from "../store/marks";
import { mayMark, room } from "../store/room";
import { apart, away, HANDLE_PX } from "./gestures";

/** The marks with lines, not masks, that a place shows, and that nobody has hidden. */
export function* linesOn(place: Place): Generator<Mark> {
  const { hidden } = room.getState();
  for (const mark of marks.getState().marks.values()) {
    if (mark.value.kind === "segment" || hidden.includes(mark.id)) continue;
    if (showsOn(mark.value, place)) yield mark;
  }
}

/** The mark whose line or mask lies under a point of the viewport. */
export function markAt(which: number, at: Point2): string | null {
  const place = placeOf(which);
  if (!place) return null;
  for (const mark of linesOn(place)) if (onLine(mark.value, place, at)) return mark.id;
  return maskAt(place, at);
}

function onLine(value: AnnotationValue, place: Place, at: Point2): boolean {
  const lines = lineOf(value.kind, pointsOn(value, place), place.plane);
  return lines.some((line) => {
    const points = line.map((point) => apply(place.matrix, point));
    if (points.length === 1) return apart(points[0], at) <= HANDLE_PX;
    return points.slice(1).some((point, i) => away(at, points[i], point) < HANDLE_PX);
  });
}

function maskAt(place: Place, at: Point2): string | null {
  const { hidden } = room.getState();
  const { sop, frame } = place.manifest.frames;
  const voxel = voxelAt(place, at);
  if (!voxel) return null;
  const { index, column, row, columns } = voxel;
  const key = sliceKey(sop[index], frame[index]);
  let found: string | null = null;
  for (const mark of marks.getState().marks.values()) {
    if (mark.value.series !== place.manifest.series.id || hidden.includes(mark.id)) continue;
    const slice = mark.slices.get(key);
    if (slice && maskOf(slice)[row * columns + column]) found = mark.id;
  }
  return found;
}

/** The voxel under a point: of the frame shown, or the nearest one of the volume that is cut. */
function voxelAt(place: Place, at: Point2) {
  const flat = toIndex(place, at);
  let index = place.index;
  let [column, row] = flat.map(Math.round);
  let { columns, rows } = place.plane;
  if (index === null) {
    const grid = gridOf(place.manifest, place.near);
    if (!grid) return null;
    const [c, r, slice] = toGrid(grid, indexToWorld(place.plane, flat)).map(Math.round);
    if (slice < 0 || slice >= grid.dims[2]) return null;
    [column, row, index] = [c, r, grid.order[slice]];
    [columns, rows] = grid.dims;
  }
  if (column < 0 || row < 0 || column >= columns || row >= rows) return null;
  return { index, column, row, columns };
}

/** What a press takes hold of: one point of a mark, the middle between two of them, or the whole mark. */
export interface Grabbed {
  id: string;
  kind: Kind;
  points: Point2[];
  hold: { what: "point" | "middle"; at: number } | { what: "whole" };
}

/** Kinds whose points are corners: one can be put in between, and taken away. */
export const CORNERED: Kind[] = ["polygon", "spline"];
/** Lines of hundreds of points have no handle at each; they move as a whole. */
export const HANDLELESS: Kind[] = ["freehand", "livewire"];

/** Only the chosen mark takes hold, so drawing beside a mark draws. Nothing of a locked one does. */
export function grabAt(which: number, at: Point2): Grabbed | null {
  const { selected, hidden } = room.getState();
  const mark = selected ? marks.getState().marks.get(selected) : null;
  const place = placeOf(which);
  if (!mark || !place || !mayMark(room.getState()) || mark.value.locked) return null;
  if (mark.value.kind === "segment" || hidden.includes(mark.id) || !showsOn(mark.value, place)) return null;
  const points = pointsOn(mark.value, place);
  const grabbed = { id: mark.id, kind: mark.value.kind, points };
  const near = (point: Point2) => apart(apply(place.matrix, point), at) <= HANDLE_PX;
  if (!HANDLELESS.includes(mark.value.kind)) {
    const handle = points.findIndex(near);
    if (handle >= 0) return { ...grabbed, hold: { what: "point", at: handle } };
  }
  if (CORNERED.includes(mark.value.kind)) {
    const middle = middles(mark.value.kind, points).findIndex(near);
    if (middle >= 0) return { ...grabbed, hold: { what: "middle", at: middle } };
  }
  if (onLine(mark.value, place, at)) return { ...grabbed, hold: { what: "whole" } };
  return null;
}

/** Where a corner can be put in between: halfway along the line from each corner to the next. */
export function middles(kind: Kind, points: Point2[]): Point2[] {
  if (!CORNERED.includes(kind) || points.length < 3) return [];
  const n = points.length;
  return points.map((a, i): Point2 => {
    const b = points[(i + 1) % n];
    if (kind !== "spline") return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
    // Halfway along a piece of the curve (Catmull-Rom at t = 1/2).
    const [before, after] = [points[(i + n - 1) % n], points[(i + 2) % n]];
    const half = (k: 0 | 1) => (9 * (a[k] + b[k]) - before[k] - after[k]) / 16;
    return [half(0), half(1)];
  });
}
