import { useMemo } from "react";
import { useStore } from "zustand";
import { isLooking, judging, lesionOf } from "../../adjudication/store";
import { useRoom } from "../use";

const NONE: readonly string[] = [];

/** Marks that are drawn as the result's line while nobody draws, and not once more as marks. */
export function useQuiet(): readonly string[] {
  const lesion = useStore(judging, lesionOf);
  const looking = useRoom(isLooking);
  return useMemo(() => (looking && lesion?.result.length ? lesion.result : NONE), [lesion, looking]);
}
