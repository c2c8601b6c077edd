/**
 * What can be done with the chosen segment as a whole: one verb a function, each one group in the journal. They
 * return why they can't be done, as a sentence; null where they began.
 */

import type { AnnotationValue, Kind } from "../api/types";
import { indexOfFrame, indexPoints, planeOfValue, pointsFrom, ringOf } from "../journal/figures";
import { uuid } from "../journal/ids";
import { outline } from "../journal/outline";
import { decodeMask } from "../journal/rle";
import { inUse } from "../labels";
import { segmentValue } from "../marking";
import { journal } from "../session";
import { type Mark, marks, maskOf, sliceKey } from "../store/marks";
import { mayMark, room } from "../store/room";
import { t } from "../words";
import { filledBetween } from "./between";
import {
  type Block,
  blockOf,
  boxAround,
  type Cube,
  cutOut,
  type Layer,
  pasted,
  thicknesses,
  widened,
} from "./block";
import { inPlane } from "./diameters";
import { run } from "./job";
import { options } from "./options";
import { inside, isOuter } from "./outlines";
import type { Pace } from "./pace";
import { largestPart, margin, smoothed, withoutHoles, withoutSmall } from "./shaping";
import type { Slice } from "./slices";
import { say } from "./target";

/** The chosen finding, where it is a segment. */
export function chosenSegment(): Mark | null {
  const { selected } = room.getState();
  const mark = selected ? marks.getState().marks.get(selected) : undefined;
  return mark?.value.kind === "segment" ? mark : null;
}

/** Why nothing can be done with the chosen segment; null where it can. */
export function whyNoSegment(): string | null {
  const mark = chosenSegment();
  if (!mayMark(room.getState())) return t("The marks of this read can't be changed here.");
  if (!mark) return t("No segment is chosen.");
  if (mark.value.locked) return t("This finding is locked.");
  return mark.voxels ? null : t("The chosen segment has no voxel yet.");
}

/** The stack that a segment lies in: of the image shown where that is its series, else of its largest slice. */
export function blockOfMark(mark: Mark): Block | null {
  const { manifests, panes, active } = room.getState();
  const manifest = manifests[mark.value.series];
  if (!manifest) return null;
  const pane = panes[active];
  const shown = pane.series === mark.value.series ? blockOf(manifest, pane.shown ?? pane.wanted) : null;
  if (shown?.sops.some((sop, i) => mark.slices.has(sliceKey(sop, shown.frames[i])))) return shown;
  const [largest] = [...mark.slices.values()].sort((a, b) => b.voxels - a.voxels);
  const index = largest ? indexOfFrame(manifest, largest.sop, largest.frame) : -1;
  return index < 0 ? null : blockOf(manifest, index);
}

/** A mark's planes by slice of a block, unpacked; null where it has none. */
export function layersOf(mark: Mark, block: Block): Layer[] {
  return block.sops.map((sop, i) => {
    const slice = mark.slices.get(sliceKey(sop, block.frames[i]));
    return slice?.voxels ? decodeMask(slice.rle, slice.rows * slice.columns) : null;
  });
}

/** Changed planes, by slice of the block, as the journal takes them. */
export function asSlices(block: Block, changed: ReadonlyMap<number, Uint8Array>): Map<string, Slice> {
  return new Map(
    [...changed].map(([number, mask]) => {
      const { rows, columns } = block.planes[number];
      const [sop, frame] = [block.sops[number], block.frames[number]];
      return [sliceKey(sop, frame), { sop, frame, rows, columns, mask }];
    }),
  );
}

/** Reshapes the chosen segment within its box, widened by `reach` mm. */
function reshape(
  title: string,
  reach: number,
  /** Why it works in each slice by itself; null: through the slices. */
  flat: (block: Block) => string | null,
  work: (cube: Cube, through: boolean, block: Block, pace: Pace) => Promise<Uint8Array>,
): string | null {
  const mark = chosenSegment();
  const why = whyNoSegment();
  const block = mark && blockOfMark(mark);
  if (!mark || !block || why) return why ?? t("Its images are not here.");
  const alone = flat(block);
  void run(title, [mark], async (pace) => {
    const layers = layersOf(mark, block);
    const around = boxAround(layers, block.columns);
    if (!around) return [];
    const cube = cutOut(layers, block, widened(around, block, reach, alone === null));
    const data = await work(cube, alone === null, block, pace);
    return [{ annotation: mark.id, slices: asSlices(block, pasted(layers, block, cube, data)) }];
  }).then((done) => {
    if (done && alone && block.indices.length > 1) say(t("Each slice by itself: {why}", { why: alone }));
  });
  return null;
}

const uneven = (block: Block) => block.whyUneven;
const apartOnly = (block: Block) => block.why;

export function growBy(mm: number): string | null {
  return reshape(mm > 0 ? t("Growing") : t("Shrinking"), Math.max(mm, 0), uneven, (cube, through, _, pace) =>
    margin(cube, mm, through, pace),
  );
}

export const smooth = (): string | null => {
  const { smoothMm } = options.getState();
  return reshape(t("Smoothing"), 3 * smoothMm, uneven, (cube, through, block, pace) => {
    const thick = thicknesses(block).slice(cube.box.first, cube.box.last + 1);
    return smoothed(cube, smoothMm, thick, through, pace);
  });
};

export const keepLargest = (): string | null =>
  reshape(t("Keeping the largest part"), 0, apartOnly, (cube, through, _, pace) =>
    largestPart(cube, through, pace),
  );

export const removeSmall = (): string | null =>
  reshape(t("Removing small islands"), 0, apartOnly, (cube, through, block, pace) => {
    const voxel = block.calibrated ? block.row_mm * block.column_mm : 1;
    const thick = thicknesses(block).slice(cube.box.first, cube.box.last + 1);
    const weights = thick.map((mm) => (block.calibrated ? voxel * mm : 1));
    return withoutSmall(cube, options.getState().leastMm3, weights, through, pace);
  });

/** In each slice; `cavities`: only what no slice leads out of. */
export const fillHoles = (cavities: boolean): string | null =>
  reshape(
    t("Filling holes"),
    // A free border of one voxel and one slice lets the outside in.
    1e-3,
    (block) => (cavities ? block.why : "-"),
    (cube, through, _, pace) => withoutHoles(cube, through, pace),
  );

export function fillBetween(): string | null {
  const mark = chosenSegment();
  const block = mark && blockOfMark(mark);
  const why = whyNoSegment() ?? block?.whyUneven ?? null;
  if (!mark || !block || why) return t("Can't fill in between: {why}", { why: why ?? "" });
  void run(
    t("Filling in between"),
    [mark],
    async (pace) => {
      const made = await filledBetween(layersOf(mark, block), block, pace);
      return [{ annotation: mark.id, slices: asSlices(block, made) }];
    },
    t("No slice is left out between the drawn ones."),
  );
  return null;
}

export type Logic = "union" | "minus" | "intersect";

/** The chosen segment becomes its union with another, what the other leaves of it, or what they share. */
export function combine(logic: Logic): string | null {
  const mark = chosenSegment();
  const other = marks.getState().marks.get(options.getState().other ?? "");
  const why = whyNoSegment();
  if (!mark || why) return why ?? t("No segment is chosen.");
  if (!other || other.value.series !== mark.value.series || other.id === mark.id)
    return t("Choose the other segment first.");
  void run(t("Combining"), [mark, other], async (pace) => {
    const slices = new Map<string, Slice>();
    const keys = new Set([...mark.slices.keys(), ...(logic === "union" ? other.slices.keys() : [])]);
    let n = 0;
    for (const key of keys) {
      const wait = pace(n++ / keys.size);
      if (wait) await wait;
      const [a, b] = [mark.slices.get(key), other.slices.get(key)];
      const { sop, frame, rows, columns } = (a ?? b)!;
      const mask = new Uint8Array(rows * columns);
      const [ours, theirs] = [a ? maskOf(a) : mask.slice(), b ? maskOf(b) : null];
      let changed = false;
      for (let i = 0; i < mask.length; i++) {
        const their = theirs ? theirs[i] : 0;
        mask[i] = logic === "union" ? ours[i] | their : ours[i] & (logic === "minus" ? 1 - their : their);
        changed ||= mask[i] !== ours[i];
      }
      if (changed) slices.set(key, { sop, frame, rows, columns, mask });
    }
    return [{ annotation: mark.id, slices }];
  });
  return null;
}

/** A region becomes a new segment: the voxels whose centre it encloses. */
export function outlineToMask(): string | null {
  const { selected, read, manifests } = room.getState();
  const mark = marks.getState().marks.get(selected ?? "");
  const manifest = mark && manifests[mark.value.series];
  const plane = mark && manifest && !mark.value.plane ? planeOfValue(mark.value, manifest) : null;
  const ring = mark && plane && ringOf(mark.value.kind, indexPoints(mark.value, plane), plane);
  const label = labelWith("segment", mark?.value.label);
  if (!mark || !plane || !ring || !mark.value.sop || !read) return t("Choose an outline on an image first.");
  if (!label) return t("No label of this project takes a mask.");
  const { sop, frame = 1, series } = mark.value;
  const { rows, columns } = plane;
  const mask = inside(ring, rows, columns);
  if (!mask.includes(1)) return t("The outline encloses no voxel.");
  const annotation = uuid();
  const slice = { sop, frame, rows, columns, mask };
  void run(t("Filling"), [], async () => [
    { annotation, value: segmentValue(series, label), slices: new Map([[sliceKey(sop, frame), slice]]) },
  ]).then((done) => done && room.setState({ selected: annotation }));
  return null;
}

/** The chosen label of a mark where it takes the kind, else the first one that does. */
function labelWith(kind: Kind, wanted?: string): string | null {
  const labels = inUse(room.getState().read?.schema.labels ?? []);
  const takes = labels.filter((one) => one.kinds.includes(kind));
  return (takes.find((one) => one.key === wanted) ?? takes[0])?.key ?? null;
}

/** The rims of the chosen segment on the slice shown become outlines: polygons, or freehand ones. */
export function maskToOutline(): string | null {
  const mark = chosenSegment();
  const at = mark && shownSlice(mark);
  const kind = (["polygon", "freehand"] as const).find((one) => labelWith(one, mark?.value.label));
  if (!mark || !at) return whyNoSegment() ?? t("The segment has no voxel on the slice shown.");
  if (!kind) return t("No label of this project takes an outline.");
  const { slice, plane, manifest } = at;
  const rings = outline(maskOf(slice), slice.rows, slice.columns).filter(isOuter);
  const base: Partial<AnnotationValue> = {
    sop: slice.sop,
    frame: slice.frame,
    frame_of_reference: manifest.series.frame_of_reference,
  };
  const made = rings.map((ring) => ({
    object: { annotation: uuid() },
    value: {
      ...segmentValue(mark.value.series, labelWith(kind, mark.value.label)!),
      kind,
      ...base,
      ...pointsFrom(plane, ring),
    },
  }));
  journal.commit(made);
  room.setState({ selected: made[0].object.annotation });
  return null;
}

/** The longest diameter of the chosen segment on the slice shown, and the longest across it, as two axes. */
export async function maskToAxes(): Promise<string | null> {
  const mark = chosenSegment();
  const at = mark && shownSlice(mark);
  const label = labelWith("bidirectional", mark?.value.label);
  if (!mark || !at) return whyNoSegment() ?? t("The segment has no voxel on the slice shown.");
  if (!label) return t("No label of this project takes two axes.");
  const { slice, plane, manifest } = at;
  const found = await inPlane(maskOf(slice), slice.columns, plane.row_mm, plane.column_mm);
  if (!found) return null;
  const annotation = uuid();
  journal.commit([
    {
      object: { annotation },
      value: {
        ...segmentValue(mark.value.series, label),
        kind: "bidirectional",
        sop: slice.sop,
        frame: slice.frame,
        frame_of_reference: manifest.series.frame_of_reference,
        ...pointsFrom(plane, found.ends),
      },
    },
  ]);
  room.setState({ selected: annotation });
  return null;
}

function shownSlice(mark: Mark) {
  const { panes, active, manifests } = room.getState();
  const pane = panes[active];
  const manifest = manifests[mark.value.series];
  if (pane.series !== mark.value.series || pane.shown === null || !manifest) return null;
  const { sop, frame } = manifest.frames;
  const slice = mark.slices.get(sliceKey(sop[pane.shown], frame[pane.shown]));
  return slice?.voxels ? { slice, manifest, plane: blockPlane(manifest, pane.shown) } : null;
}

const blockPlane = (manifest: Parameters<typeof blockOf>[0], index: number) => {
  const block = blockOf(manifest, index);
  return block.planes[block.indices.indexOf(index)];
};
