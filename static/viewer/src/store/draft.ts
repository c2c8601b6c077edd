/** What a hand is doing right now: a shape half drawn, a stroke half painted, the place under the cursor. */
import { createStore } from "zustand/vanilla";
import type { Kind, Point2 } from "../api/types";
import type { Slice } from "../masks/slices";

export interface Shape {
  pane: number;
  kind: Kind;
  /** Index coordinates on the frame shown. */
  points: Point2[];
  /** The mark whose handle is being dragged; null while a new one is drawn. */
  of: string | null;
  /** The image or cut that a new one is drawn on, as `keyOf` names it: it shows, and goes on, only there. */
  on?: string;
  /** From the last point to the cursor, not part of the shape yet: index coordinates. */
  ahead?: Point2[];
}

export interface Stroke {
  pane: number;
  annotation: string;
  color: string;
  /** The slices it has touched, by `sliceKey(sop, frame)`; their masks change in place. */
  slices: ReadonlyMap<string, Slice>;
}

export interface Hover {
  pane: number;
  canvas: Point2;
  text: string | null;
}

export interface Draft {
  shape: Shape | null;
  stroke: Stroke | null;
  /** Grows with every painted piece: the masks themselves are changed in place. */
  painted: number;
  hover: Hover | null;
  /** The arrow whose text is being typed. */
  naming: string | null;
}

export const draft = createStore<Draft>(() => ({
  shape: null,
  stroke: null,
  painted: 0,
  hover: null,
  naming: null,
}));
