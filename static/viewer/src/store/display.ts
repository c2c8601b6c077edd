/** How images are shown, beside what each pane holds: smoothing, speed, the magnifier, the panels over an image. */
import { createStore } from "zustand/vanilla";

/** What plays: the slices of a stack, or its phases at one place. */
export type CineOver = "slices" | "time";

export interface Display {
  /** Values between voxels interpolated; without it every voxel is a field of its own. */
  smooth: boolean;
  /** Images a second; null as the file says, or the usual. */
  rate: number | null;
  cineOver: CineOver;
  /** While the magnifier's key is held. */
  magnifying: boolean;
  /** Whether the histogram stays open; it also shows itself while the window changes. */
  histogram: boolean;
  /** The mark whose mean over the phases is shown. */
  curve: string | null;
}

export const display = createStore<Display>(() => ({
  smooth: true,
  rate: null,
  cineOver: "slices",
  magnifying: false,
  histogram: false,
  curve: null,
}));

export const RATES = [1, 2, 4, 6, 8, 10, 12, 15, 20, 25, 30, 45, 60];
export const USUAL_RATE = 15;
/** Phases are few: played as fast as slices they only flicker. */
export const USUAL_RATE_OVER_TIME = 3;

export function nextRate(rate: number, direction: 1 | -1): number {
  const rates = direction > 0 ? RATES : [...RATES].reverse();
  return rates.find((one) => (direction > 0 ? one > rate : one < rate)) ?? rate;
}
