/** How the mask tools work, as the reader has set them. Plain data. */
import { createStore } from "zustand/vanilla";
import type { Cut } from "./outlines";

export interface Options {
  /** The brush is a ball through the slices, not a disc on one. */
  ball: boolean;
  /** Voxels of other segments stay as they are. */
  clear: boolean;
  /** The whole image shows which voxels the range takes, not only the brush. */
  showRange: boolean;
  /** What scissors do with what lies inside their line, and on which slices. */
  cut: Cut;
  through: boolean;
  /** Nothing further from the click belongs to a lesion, mm. */
  reachMm: number;
  /** Of the chosen segment: by how much its margin grows or shrinks, how round it becomes, mm. */
  marginMm: number;
  smoothMm: number;
  /** Islands smaller than this go, mm³ (voxels where there are no millimetres). */
  leastMm3: number;
  /** The other segment of a pair. */
  other: string | null;
}

export const REACHES_MM = [10, 20, 30, 45, 60];

export const options = createStore<Options>(() => ({
  ball: false,
  clear: false,
  showRange: false,
  cut: "inside",
  through: false,
  reachMm: 30,
  marginMm: 2,
  smoothMm: 1,
  leastMm3: 100,
  other: null,
}));
