/** The readers' masks as pieces of what an image shows, and as outlines to draw; kept while nothing changes. */
import type { Point2 } from "../../api/types";
import { cropped, maskOnCut, type Patch } from "../../engine/maskcut";
import { isSameSpace } from "../../engine/together";
import { gridOf } from "../../engine/volume";
import { indexOfFrame, keyOfPlace } from "../../journal/figures";
import { outline } from "../../journal/outline";
import { onFrame, type Place } from "../../place";
import { type Mark, type MaskSlice, maskOf, sliceKey } from "../../store/marks";
import { room } from "../../store/room";
import { layersOf } from "../cutmasks";
import { ringsPath } from "../layer";

const MOST_KEPT = 128;
const patches = new WeakMap<Mark, Map<string, Patch | null>>();
const crops = new WeakMap<MaskSlice, Patch | null>();

function cropOf(slice: MaskSlice): Patch | null {
  let known = crops.get(slice);
  if (known === undefined) {
    const crop = cropped(maskOf(slice), slice.rows, slice.columns);
    known = crop && {
      left: crop.left,
      top: crop.top,
      rows: crop.height,
      columns: crop.width,
      mask: crop.bytes,
    };
    crops.set(slice, known);
  }
  return known;
}

/** A segment on what an image shows, also where it was drawn on another series of the same space; null where it isn't. */
export function patchOn(place: Place, mark: Mark): Patch | null {
  if (!mark.slices.size) return null;
  if (onFrame(place) && mark.value.series === place.manifest.series.id) {
    const { sop, frame } = place.manifest.frames;
    const slice = mark.slices.get(sliceKey(sop[place.index], frame[place.index]));
    return slice ? cropOf(slice) : null;
  }
  const key = keyOfPlace(place);
  let known = patches.get(mark);
  if (!known) {
    known = new Map();
    patches.set(mark, known);
  }
  let patch = known.get(key);
  if (patch === undefined) {
    patch = across(place, mark);
    if (known.size >= MOST_KEPT) known.delete(known.keys().next().value!);
    known.set(key, patch);
  }
  return patch;
}

function across(place: Place, mark: Mark): Patch | null {
  const manifest = room.getState().manifests[mark.value.series];
  if (!manifest || !isSameSpace(manifest, place.manifest)) return null;
  const [first] = mark.slices.values();
  const index = Math.max(0, indexOfFrame(manifest, first.sop, first.frame));
  const grid = gridOf(manifest, index);
  return grid && maskOnCut(grid, place.plane, layersOf(grid, mark.slices));
}

const paths = new WeakMap<Patch, Path2D>();

/** The outline of a piece, in index coordinates of what the image shows. */
export function pathOf(patch: Patch): Path2D {
  let path = paths.get(patch);
  if (!path) {
    const { left, top, rows, columns, mask } = patch;
    path = ringsPath(
      outline(mask, rows, columns).map((ring) => ring.map(([x, y]): Point2 => [x + left, y + top])),
    );
    paths.set(patch, path);
  }
  return path;
}
