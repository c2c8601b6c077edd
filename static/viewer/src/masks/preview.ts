/** A mask that is proposed, not made: shown dashed, turned with the wheel, kept or let go. Plain data and verbs. */
import { createStore } from "zustand/vanilla";
import type { AnnotationValue, Point2 } from "../api/types";
import { mayMark, room } from "../store/room";
import { commitSlices, type Slice } from "./slices";

export interface Preview {
  pane: number;
  series: string;
  annotation: string;
  create: AnnotationValue | null;
  color: string;
  slices: ReadonlyMap<string, Slice>;
  /** What it is, and by how much, in the reader's words. */
  text: string;
  /** Larger (+1) or smaller (−1) by one notch of the wheel. */
  turn: ((steps: number) => void) | null;
  /** Elsewhere: index coordinates of what its pane shows. */
  place: ((column: number, row: number) => void) | null;
}

export const preview = createStore<{ shown: Preview | null }>(() => ({ shown: null }));

/** The line that the scissors draw, in index coordinates of what the pane shows. */
export const snipLine = createStore<{ pane: number; points: Point2[] }>(() => ({ pane: 0, points: [] }));

export const dropPreview = (): void => preview.setState({ shown: null });

export function keepPreview(): void {
  const { shown } = preview.getState();
  dropPreview();
  if (!shown || !mayMark(room.getState()) || !shown.slices.size) return;
  commitSlices(shown.annotation, shown.create, shown.slices);
  room.setState({ selected: shown.annotation });
}

/** A notch of the wheel over a pane; true where a preview there took it. */
export function turnPreview(which: number, steps: number): boolean {
  const { shown } = preview.getState();
  if (!shown?.turn || shown.pane !== which) return false;
  shown.turn(steps);
  return true;
}

// A preview belongs to its read, and to the series that its image shows.
room.subscribe((now, before) => {
  const { shown } = preview.getState();
  if (!shown) return;
  if (now.read?.id !== before.read?.id || now.panes[shown.pane].series !== shown.series) dropPreview();
});
