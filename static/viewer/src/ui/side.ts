/** Which part of the right panel is open. Plain data. */
import { createStore } from "zustand/vanilla";

export type Side = "compare" | "findings" | "history";

export const side = createStore<{ shown: Side }>(() => ({ shown: "findings" }));
