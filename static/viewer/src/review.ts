/** What changed since a round: asked of the server, kept for the panel and the images. */
import { createStore } from "zustand/vanilla";
import { ServerError } from "./api/client";
import type { Diff, MarkChange } from "./api/review";
import { jumpToPlace } from "./moving";
import { client, sentenceOf } from "./session";
import { type Mark, type MaskSlice, sliceKey } from "./store/marks";
import { room } from "./store/room";

export interface Changes {
  diff: Diff | null;
  /** The round that was chosen to compare with; null: the last one before. */
  from: number | null;
  /** Whether the images show them. */
  shown: boolean;
  problem: string | null;
}

export const changes = createStore<Changes>(() => ({ diff: null, from: null, shown: true, problem: null }));

let asked = 0;

/** The newest answer wins where several are asked for quickly. A first round has nothing before it. */
export async function fetchChanges(from: number | null = changes.getState().from): Promise<void> {
  const mine = client;
  asked += 1;
  const own = asked;
  changes.setState({ from });
  try {
    const diff = await mine.diff(from);
    if (mine === client && own === asked) changes.setState({ diff, problem: null });
  } catch (error) {
    if (mine !== client || own !== asked) return;
    const nothing = error instanceof ServerError && error.status === 409;
    changes.setState({ diff: null, problem: nothing ? null : sentenceOf(error) });
  }
}

export function forgetChanges(): void {
  asked += 1;
  changes.setState({ diff: null, from: null, problem: null });
}

export const toggleChanges = (): void => changes.setState(({ shown }) => ({ shown: !shown }));

/** Voxels that came or went, in the form that masks have: drawn on slices and on cuts alike. */
export interface Ghost {
  added: Mark | null;
  removed: Mark | null;
}

const ghosts = new WeakMap<MarkChange, Ghost>();

export function ghostOf(change: MarkChange): Ghost {
  let known = ghosts.get(change);
  if (!known) {
    known = { added: part(change, "added"), removed: part(change, "removed") };
    ghosts.set(change, known);
  }
  return known;
}

function part(change: MarkChange, which: "added" | "removed"): Mark | null {
  const value = change.after ?? change.before;
  const slices = new Map<string, MaskSlice>();
  for (const { sop, frame, rows, columns, ...runs } of change.planes) {
    const rle = runs[which];
    if (rle) slices.set(sliceKey(sop, frame), { sop, frame, rle, rows, columns, voxels: 1 });
  }
  return value && slices.size
    ? { id: `${change.annotation}/${which}`, value, slices, voxels: slices.size }
    : null;
}

/** To where a mark changed: its points, or the slice in the middle of those that changed. */
export function jumpToChange(change: MarkChange): void {
  const value = change.after ?? change.before;
  if (!value) return;
  if (change.after) room.setState({ selected: change.annotation });
  const plane = change.planes[Math.floor(change.planes.length / 2)];
  const point = value.points_patient_mm?.[0] ?? null;
  jumpToPlace({
    series: value.series,
    sop: plane?.sop ?? value.sop ?? null,
    frame: plane?.frame ?? value.frame ?? null,
    point_patient_mm: plane ? null : point,
    point_image: null,
  });
}

/** Goes through what changed, one by one, and around. */
export function stepChange(direction: 1 | -1): void {
  const { diff } = changes.getState();
  if (!diff?.marks.length) return;
  const count = diff.marks.length;
  at = (((at + direction) % count) + count) % count;
  jumpToChange(diff.marks[at]);
}

let at = -1;
