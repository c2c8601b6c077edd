/** An incidental finding that is being told: kept while the reader points to its place. Plain data. */
import { createStore } from "zustand/vanilla";
import type { Pin } from "./room";

export interface Telling {
  text: string;
  urgent: boolean;
  /** Where it is; null: on the slice in the active image. */
  pin: Pin | null;
  /** The dialog is away until the reader has clicked on the image. */
  pointing: boolean;
}

export const incidental = createStore<Telling>(() => ({
  text: "",
  urgent: false,
  pin: null,
  pointing: false,
}));
