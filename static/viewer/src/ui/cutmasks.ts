/** The segments on a cut as outlines to draw, kept as long as neither they nor the cut change. */
import type { Label } from "../api/types";
import type { Plane } from "../engine/geometry";
import { type Crop, cropped, maskOnCut } from "../engine/maskcut";
import { type Grid, gridOf } from "../engine/volume";
import { outline } from "../journal/outline";
import { decodeMask } from "../journal/rle";
import { importedSlices, segmentValue } from "../marking";
import type { Place } from "../place";
import type { Stroke } from "../store/draft";
import { type Mark, type MaskSlice, sliceKey } from "../store/marks";
import { room } from "../store/room";

// By the slice itself: what nobody touches keeps its identity in the store.
const crops = new WeakMap<MaskSlice, { crop: Crop | null }>();

function cropOf(slice: MaskSlice): Crop | null {
  let known = crops.get(slice);
  if (!known) {
    const { rle, rows, columns } = slice;
    known = { crop: cropped(decodeMask(rle, rows * columns), rows, columns) };
    crops.set(slice, known);
  }
  return known.crop;
}

/** Slices by what `sliceKey` names them; `changed` are whole masks in the hand, in place of the mark's own. */
export function layersOf(
  grid: Grid,
  slices: ReadonlyMap<string, MaskSlice>,
  changed?: ReadonlyMap<string, { mask: Uint8Array; rows: number; columns: number }>,
): (Crop | null)[] {
  const { sop, frame } = grid.manifest.frames;
  return Array.from(grid.order, (index) => {
    const key = sliceKey(sop[index], frame[index]);
    const now = changed?.get(key);
    if (now) return { left: 0, top: 0, width: now.columns, height: now.rows, bytes: now.mask };
    const slice = slices.get(key);
    return slice ? cropOf(slice) : null;
  });
}

interface Drawn {
  grid: Grid;
  plane: Plane;
  path: Path2D | null;
}

const drawn = new WeakMap<Mark, Map<number, Drawn>>();
const NO_SLICES: ReadonlyMap<string, MaskSlice> = new Map();

/** The outline of a segment on the cut of a pane, in index coordinates; null where the cut doesn't meet it. */
export function pathOnCut(
  which: number,
  place: Place,
  mark: Mark | undefined,
  changed?: Parameters<typeof layersOf>[2],
): Path2D | null {
  const grid = gridOf(place.manifest, place.near);
  if (!grid) return null;
  const known = mark && !changed ? drawn.get(mark)?.get(which) : undefined;
  if (known && known.grid === grid && same(known.plane, place.plane)) return known.path;
  const layers = layersOf(grid, mark?.slices ?? NO_SLICES, changed);
  const patch = maskOnCut(grid, place.plane, layers);
  let path: Path2D | null = null;
  if (patch) {
    path = new Path2D();
    for (const ring of outline(patch.mask, patch.rows, patch.columns)) {
      ring.forEach(([x, y], i) => {
        if (i) path?.lineTo(x + patch.left, y + patch.top);
        else path?.moveTo(x + patch.left, y + patch.top);
      });
      path.closePath();
    }
  }
  if (mark && !changed) {
    const panes = drawn.get(mark) ?? new Map<number, Drawn>();
    panes.set(which, { grid, plane: place.plane, path });
    drawn.set(mark, panes);
  }
  return path;
}

const asMarks = new WeakMap<MaskSlice[], Mark>();

/** What came with the images, in the form that the reader's own segments have. */
function asMark(id: string): Mark | null {
  const slices = importedSlices.get(id);
  if (!slices?.length) return null;
  let mark = asMarks.get(slices);
  if (!mark) {
    const byKey = new Map(slices.map((slice) => [sliceKey(slice.sop, slice.frame), slice]));
    mark = { id, value: segmentValue("", ""), slices: byKey, voxels: 0 };
    asMarks.set(slices, mark);
  }
  return mark;
}

/** All segments of a series as its cut shows them, the stroke in the hand in place of its segment. */
export function pathsOnCut(
  which: number,
  place: Place,
  all: ReadonlyMap<string, Mark>,
  stroke: Stroke | null,
  selected: string | null,
  labels: Label[] = [],
  outlined: string[] = [],
): { path: Path2D; color: string; style: "chosen" | "plain" | "imported" }[] {
  const found: ReturnType<typeof pathsOnCut> = [];
  const { hidden } = room.getState();
  const frames = new Set(place.manifest.frames.sop);
  for (const id of outlined) {
    const came = asMark(id);
    const path = came && pathOnCut(which, place, came);
    if (path) found.push({ path, color: "#ffffff", style: "imported" });
  }
  const live = stroke && [...stroke.slices.values()].some(({ sop }) => frames.has(sop)) ? stroke : null;
  for (const mark of all.values()) {
    if (mark.value.series !== place.manifest.series.id || hidden.includes(mark.id)) continue;
    if (mark.id === live?.annotation || !mark.slices.size) continue;
    const path = pathOnCut(which, place, mark);
    const color = labels.find((label) => label.key === mark.value.label)?.color ?? "#ffffff";
    if (path) found.push({ path, color, style: mark.id === selected ? "chosen" : "plain" });
  }
  const path = live && pathOnCut(which, place, all.get(live.annotation), live.slices);
  if (live && path) found.push({ path, color: live.color, style: "chosen" });
  return found;
}

const SAME_PLACE_MM = 1e-6;

const same = (a: Plane, b: Plane): boolean =>
  a.rows === b.rows &&
  a.columns === b.columns &&
  [0, 1, 2].every(
    (i) =>
      Math.abs(a.origin[i] - b.origin[i]) < SAME_PLACE_MM &&
      a.row[i] === b.row[i] &&
      a.column[i] === b.column[i],
  );
