/**
 * A mask copied from another series, as of a prior: by position where both lie in one frame of reference; else
 * around the place that the reader points at. Shown first, kept when it fits.
 */
import type { Manifest, Point3 } from "../api/types";
import { indexToWorld, normalOf, type Plane, worldToIndex } from "../engine/geometry";
import { uuid } from "../journal/ids";
import { segmentValue } from "../marking";
import { placeOf } from "../place";
import { type Mark, sliceKey } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { blockOfMark, chosenSegment, layersOf } from "./acts";
import { type Block, type Box, blockOf, boxAround, type Layer, thicknesses } from "./block";
import { preview } from "./preview";
import type { Slice } from "./slices";
import { colorOf } from "./target";

/** Why the chosen segment can't be copied onto the active image; null where it can. */
export function whyNoCopy(): string | null {
  const mark = chosenSegment();
  const { panes, active, manifests } = room.getState();
  const manifest = manifests[panes[active].series ?? ""];
  if (!mark?.voxels) return t("Choose the segment to copy, in the findings.");
  if (!manifest || panes[active].series === mark.value.series)
    return t("Make another series' image the active one: that is where the copy goes.");
  const from = blockOfMark(mark);
  if (from?.planes[0].kind !== "patient" || manifest.geometry !== "patient")
    return t("Only images with a position in the patient can take a copy.");
  return null;
}

/** The slices of one block that a mask of another covers, moved by `shift` mm: nearest voxel decides. */
export function carried(layers: readonly Layer[], from: Block, to: Block, shift: Point3): Map<string, Slice> {
  const made = new Map<string, Slice>();
  const box = boxAround(layers, from.columns);
  if (!box) return made;
  const thick = thicknesses(from);
  const corners = cornersOf(from, box).map(
    (p): Point3 => [p[0] + shift[0], p[1] + shift[1], p[2] + shift[2]],
  );
  const back: Point3 = [-shift[0], -shift[1], -shift[2]];
  to.planes.forEach((plane, number) => {
    const along = corners.map((p) => heightOver(plane, p));
    const half = thicknesses(to)[number] / 2;
    if (Math.min(...along) > half || Math.max(...along) < -half) return;
    const feet = corners.map((p) => worldToIndex(plane, p));
    const [xs, ys] = [feet.map((p) => p[0]), feet.map((p) => p[1])];
    const left = Math.max(0, Math.floor(Math.min(...xs)));
    const right = Math.min(to.columns - 1, Math.ceil(Math.max(...xs)));
    const top = Math.max(0, Math.floor(Math.min(...ys)));
    const bottom = Math.min(to.rows - 1, Math.ceil(Math.max(...ys)));
    const mask = new Uint8Array(plane.rows * plane.columns);
    for (let row = top; row <= bottom; row++)
      for (let column = left; column <= right; column++) {
        const p = indexToWorld(plane, [column, row]);
        const there: Point3 = [p[0] + back[0], p[1] + back[1], p[2] + back[2]];
        if (isSet(layers, from, thick, there)) mask[row * plane.columns + column] = 1;
      }
    if (!mask.includes(1)) return;
    const [sop, frame] = [to.sops[number], to.frames[number]];
    made.set(sliceKey(sop, frame), { sop, frame, rows: plane.rows, columns: plane.columns, mask });
  });
  return made;
}

const heightOver = (plane: Plane, p: Point3): number => {
  const n = normalOf(plane);
  return n[0] * (p[0] - plane.origin[0]) + n[1] * (p[1] - plane.origin[1]) + n[2] * (p[2] - plane.origin[2]);
};

function isSet(layers: readonly Layer[], from: Block, thick: Float64Array, p: Point3): boolean {
  const at = heightOver({ ...from.planes[0], origin: [0, 0, 0] }, p);
  let slice = 0;
  for (let i = 1; i < from.at_mm.length; i++)
    if (Math.abs(from.at_mm[i] - at) < Math.abs(from.at_mm[slice] - at)) slice = i;
  const layer = layers[slice];
  if (!layer || Math.abs(from.at_mm[slice] - at) > thick[slice] / 2 + 1e-6) return false;
  const [column, row] = worldToIndex(from.planes[slice], p).map(Math.round);
  if (column < 0 || row < 0 || column >= from.columns || row >= from.rows) return false;
  return layer[row * from.columns + column] === 1;
}

function cornersOf(block: Block, box: Box): Point3[] {
  const thick = thicknesses(block);
  return [box.first, box.last].flatMap((slice, end) => {
    const plane = block.planes[slice];
    const n = normalOf(plane);
    const upward = block.at_mm[box.last] >= block.at_mm[box.first] ? 1 : -1;
    const out = ((end ? 1 : -1) * upward * thick[slice]) / 2;
    return [box.left - 0.5, box.right + 0.5].flatMap((c) =>
      [box.top - 0.5, box.bottom + 0.5].map((r): Point3 => {
        const p = indexToWorld(plane, [c, r]);
        return [p[0] + n[0] * out, p[1] + n[1] * out, p[2] + n[2] * out];
      }),
    );
  });
}

function middleOf(layers: readonly Layer[], block: Block): Point3 {
  const box = boxAround(layers, block.columns)!;
  const corners = cornersOf(block, box);
  return [0, 1, 2].map((i) => corners.reduce((sum, p) => sum + p[i], 0) / corners.length) as Point3;
}

/** Shows the chosen segment on the active image. Returns why it can't be. */
export function copyHere(): string | null {
  const why = whyNoCopy();
  const mark = chosenSegment();
  const { panes, active, manifests } = room.getState();
  const manifest = manifests[panes[active].series ?? ""];
  const from = mark && blockOfMark(mark);
  if (why || !mark || !manifest || !from) return why;
  const layers = layersOf(mark, from);
  const to = blockOf(manifest, panes[active].shown ?? panes[active].wanted);
  const source = manifests[mark.value.series].series.frame_of_reference;
  const together = source !== null && source === manifest.series.frame_of_reference;
  show(active, mark, layers, from, to, manifest, together ? [0, 0, 0] : null);
  if (preview.getState().shown?.slices.size === 0) {
    preview.setState({ shown: null });
    return t("The copy would lie outside these images.");
  }
  return null;
}

function show(
  which: number,
  mark: Mark,
  layers: readonly Layer[],
  from: Block,
  to: Block,
  manifest: Manifest,
  shift: Point3 | null,
): void {
  const annotation = uuid();
  const middle = middleOf(layers, from);
  const { label } = mark.value;
  const put = (by: Point3) =>
    preview.setState({
      shown: {
        pane: which,
        series: manifest.series.id,
        annotation,
        create: segmentValue(manifest.series.id, label),
        color: colorOf(label),
        slices: carried(layers, from, to, by),
        text: shift
          ? t("Copy, at the same place in the patient")
          : t("Copy: the images share no position. Click where its middle belongs."),
        turn: null,
        place: shift ? null : (column, row) => put(shiftTo(column, row)),
      },
    });
  const shiftTo = (column: number, row: number): Point3 => {
    const place = placeOf(which);
    if (!place) return [0, 0, 0];
    const p = indexToWorld(place.plane, [column, row]);
    return [p[0] - middle[0], p[1] - middle[1], p[2] - middle[2]];
  };
  const plane = placeOf(which)?.plane;
  put(shift ?? (plane ? shiftTo(plane.columns / 2, plane.rows / 2) : [0, 0, 0]));
}
