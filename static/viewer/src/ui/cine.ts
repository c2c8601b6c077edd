/** Plays the active image round and round: its slices, or its phases at one place. */
import { useEffect } from "react";
import { useStore } from "zustand";
import type { Manifest } from "../api/types";
import { sameInNext, stackAt } from "../engine/stacks";
import { scrollTo } from "../moving";
import { frames } from "../session";
import { display, USUAL_RATE, USUAL_RATE_OVER_TIME } from "../store/display";
import { activeManifest, room } from "../store/room";
import { useRoom } from "./use";

const RATE_MAX = 60;

/** Images a second: the reader's choice, else the file's, else what suits. */
export function rateOf(manifest: Manifest | undefined): number {
  const { rate, cineOver } = display.getState();
  if (rate !== null) return rate;
  if (cineOver === "time" && manifest && stackAt(manifest, 0).of > 1) return USUAL_RATE_OVER_TIME;
  const told = manifest?.series.images_a_second;
  return told ? Math.min(RATE_MAX, Math.max(1, Math.round(told))) : USUAL_RATE;
}

export function useCine(): void {
  const cine = useRoom((state) => state.cine);
  const manifest = useRoom(activeManifest);
  const over = useStore(display, (state) => state.cineOver);
  const chosen = useStore(display, (state) => state.rate);
  // biome-ignore lint/correctness/useExhaustiveDependencies: rateOf reads exactly these
  useEffect(() => {
    if (!cine) {
      // Whatever was played, the next time it is the slices again.
      if (over !== "slices") display.setState({ cineOver: "slices", rate: null });
      return;
    }
    const timer = window.setInterval(step, 1000 / rateOf(manifest));
    return () => window.clearInterval(timer);
  }, [cine, manifest, over, chosen]);
}

/** One image further; waits for one that is not here yet. */
function step(): void {
  const { active, panes, manifests } = room.getState();
  const { series, wanted, shown, cut } = panes[active];
  const manifest = series ? manifests[series] : null;
  if (!series || !manifest || cut || shown !== wanted) return;
  const { first, count, of } = stackAt(manifest, wanted);
  const overTime = display.getState().cineOver === "time" && of > 1;
  if (!overTime && count < 2) return;
  const next = overTime ? sameInNext(manifest, wanted, 1) : first + ((wanted - first + 1) % count);
  if (frames.get(series)?.pixels[next]) scrollTo(active, next);
}
