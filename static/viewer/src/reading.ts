/** The value of the image under a point: of its voxel on a frame, between voxels on a cut. */
import type { AnnotationValue, Manifest, Point2 } from "./api/types";
import { stepOfCut } from "./engine/cut";
import { coloursAt, valueAt } from "./engine/decode";
import { indexToWorld, normalOf, planeOf, worldToIndex } from "./engine/geometry";
import { sampleSlab, slabOf } from "./engine/reslice";
import { stackAt } from "./engine/stacks";
import { crossingOf } from "./journal/box";
import { indexOfFrame } from "./journal/figures";
import { type Statistics, Sum, spansOf } from "./journal/measure";
import { onFrame, type Place, volumeIn } from "./place";
import { frames } from "./session";

/** In the units of the manifest (three numbers in colour), by index coordinates; null outside, or not loaded. */
export function valueUnder(place: Place, index: Point2): number[] | null {
  if (!onFrame(place)) return valueOnCut(place, index);
  const column = Math.round(index[0]);
  const row = Math.round(index[1]);
  const pixels = frames.get(place.manifest.series.id)?.pixels[place.index];
  if (!pixels || column < 0 || row < 0 || column >= pixels.columns || row >= pixels.rows) return null;
  const offset = row * pixels.columns + column;
  if (pixels.colour) return coloursAt(pixels, offset);
  return [valueAt(place.manifest, place.index, pixels, offset)];
}

/** Between voxels a cut shows what lies between their values; so does the readout, of a thick cut the same of many. */
function valueOnCut({ manifest, near, cut, plane }: Place, index: Point2): number[] | null {
  const volume = volumeIn(manifest.series.id, near);
  if (!volume || !cut) return null;
  const slab = slabOf(cut.slab_mm, stepOfCut(cut, volume), cut.mode);
  const value = sampleSlab(volume, indexToWorld(plane, index), normalOf(plane), slab);
  return value === null ? null : [value];
}

/** Single values of what a place shows by whole index coordinates; null where it has none to count. */
export function sampler(
  place: Pick<Place, "manifest" | "plane" | "index" | "near">,
): ((column: number, row: number) => number | null) | null {
  const { manifest, index } = place;
  if (index !== null) {
    const pixels = frames.get(manifest.series.id)?.pixels[index];
    if (!pixels || pixels.colour) return null;
    return (column, row) => valueAt(manifest, index, pixels, row * pixels.columns + column);
  }
  const volume = volumeIn(manifest.series.id, place.near);
  if (!volume) return null;
  return (column, row) => volume.sample(indexToWorld(place.plane, [column, row]));
}

const MOST_VOXELS = 4_000_000;

/** What the values inside a box are, slice by slice; null while one of its slices is not loaded. */
export function boxStatistics(value: AnnotationValue, manifest: Manifest): Statistics | null {
  const corners = value.points_patient_mm;
  const loader = frames.get(manifest.series.id);
  if (!corners || !loader || manifest.geometry !== "patient") return null;
  const sum = new Sum();
  let seen = 0;
  // Of the phase that it was drawn in.
  const { first, count } = stackAt(
    manifest,
    Math.max(0, indexOfFrame(manifest, value.sop ?? "", value.frame ?? 1)),
  );
  for (let index = first; index < first + count; index++) {
    const plane = planeOf(manifest, index);
    const crossing = crossingOf(corners, plane);
    if (crossing.length < 3) continue;
    const pixels = loader.pixels[index];
    if (!pixels || pixels.colour) return null;
    const outline = crossing.map((point) => worldToIndex(plane, point));
    for (const [row, from, to] of spansOf("polygon", outline, plane)) {
      seen += to - from + 1;
      if (seen > MOST_VOXELS) return null;
      for (let column = from; column <= to; column++)
        sum.add(valueAt(manifest, index, pixels, row * pixels.columns + column));
    }
  }
  return sum.result;
}
