/** The diameters of segments, worked out a moment after they change, slice by slice, and kept while nothing does. */
import { createStore } from "zustand/vanilla";
import type { Manifest } from "../api/types";
import { isCalibrated, spoils } from "../engine/geometry";
import { indexOfFrame } from "../journal/figures";
import { decodeMask } from "../journal/rle";
import { draft } from "../store/draft";
import { type Mark, type MaskSlice, marks } from "../store/marks";
import { room } from "../store/room";
import { blockOfMark, layersOf } from "./acts";
import { blockOf } from "./block";
import { type Diameters, type Longest, longest3d, longestIn } from "./diameters";
import type { Pace } from "./pace";

export interface SegmentFigures {
  /** The longest in any slice and the longest across it there; null without a voxel. */
  axes: (Diameters & { sop: string; frame: number; unit: "mm" | "px" }) | null;
  /** Through the slices; null where they are no volume. */
  longest3d_mm: number | null;
}

const WAIT_MS = 120;
const BREATHE_MS = 10;

/** By annotation, of the mark as it was when they were worked out. */
export const figures = createStore<{ of: ReadonlyMap<string, { mark: Mark; figures: SegmentFigures }> }>(
  () => ({ of: new Map() }),
);

const known = new WeakMap<MaskSlice, Promise<Longest | null>>();

async function measured(mark: Mark, manifest: Manifest, pace: Pace): Promise<SegmentFigures> {
  let best: { one: Longest; slice: MaskSlice; mm: boolean } | null = null;
  const slices = [...mark.slices.values()]
    .filter((slice) => slice.voxels)
    .map((slice) => ({ slice, index: indexOfFrame(manifest, slice.sop, slice.frame) }))
    .filter(({ index }) => index >= 0)
    .sort((a, b) => a.index - b.index);
  for (const [i, { slice, index }] of slices.entries()) {
    const wait = pace(i / slices.length);
    if (wait) await wait;
    const block = blockOf(manifest, index);
    const plane = block.planes[block.indices.indexOf(index)];
    const mm = isCalibrated(plane);
    let found = known.get(slice);
    if (!found) {
      const bits = decodeMask(slice.rle, slice.rows * slice.columns);
      found = longestIn(bits, slice.columns, mm ? plane.row_mm : 1, mm ? plane.column_mm : 1);
      known.set(slice, found);
    }
    const one = await found;
    if (one && (!best || one.long > best.one.long + 1e-6)) best = { one, slice, mm };
  }
  const axes = best && {
    ...(await best.one.across()),
    sop: best.slice.sop,
    frame: best.slice.frame,
    unit: best.mm ? ("mm" as const) : ("px" as const),
  };
  const block = blockOfMark(mark);
  const solid = block && block.why === null && block.calibrated && !spoils(manifest, "volume");
  const within = solid && slices.every(({ index }) => block.indices.includes(index));
  return { axes, longest3d_mm: within ? await longest3d(layersOf(mark, block), block, pace) : null };
}

let timer: ReturnType<typeof setTimeout> | null = null;
let turn = 0;

class Stale extends Error {}

/** Looks after the chosen segment: works its figures out anew once it has been left alone for a moment. */
function look(): void {
  const { selected, manifests } = room.getState();
  const mark = selected ? marks.getState().marks.get(selected) : undefined;
  if (mark?.value.kind !== "segment" || !manifests[mark.value.series]) return;
  if (figures.getState().of.get(mark.id)?.mark === mark || draft.getState().stroke) return;
  if (timer) clearTimeout(timer);
  const mine = ++turn;
  timer = setTimeout(() => void work(mark, manifests[mark.value.series], mine), WAIT_MS);
}

async function work(mark: Mark, manifest: Manifest, mine: number): Promise<void> {
  let rested = performance.now();
  const pace: Pace = () => {
    if (performance.now() - rested < BREATHE_MS) return null;
    return new Promise((resolve, reject) => {
      setTimeout(() => {
        rested = performance.now();
        if (mine === turn) resolve();
        else reject(new Stale());
      });
    });
  };
  try {
    const found = await measured(mark, manifest, pace);
    if (mine === turn) figures.setState({ of: new Map([[mark.id, { mark, figures: found }]]) });
  } catch (error) {
    if (!(error instanceof Stale)) throw error;
  }
}

marks.subscribe(look);
room.subscribe((now, before) => {
  if (now.selected !== before.selected || now.manifests !== before.manifests) look();
});
draft.subscribe((now, before) => {
  if (before.stroke && !now.stroke) look();
});
