/** Why something can't be done now: the sentences that palette, tooltips and notices share. */
import { lockSentence, mayMark, type Room, room } from "../store/room";
import { t } from "../words";

/** Why this person can't mark here now; null where they can. */
export function whyNoMarks(state: Room = room.getState()): string | null {
  if (mayMark(state)) return null;
  const lock = state.read ? lockSentence(state.read) : null;
  if (lock) return lock;
  if (state.read && state.read.you.capacity !== "reader")
    return state.read.kind === "viewing"
      ? t("These images are for looking only.")
      : t("Only the reader of this read marks in it.");
  if (state.editing === "elsewhere") return t("You edit this read in another tab.");
  return t("The marks are still being fetched.");
}

/** Why nothing can be done with the active image; null where one is open in it. */
export function whyNoImage(state: Room = room.getState()): string | null {
  return state.panes[state.active].series ? null : t("No series is open here.");
}

/** Where there is no read, nothing is told of it. */
export const isViewing = (): boolean => room.getState().read?.kind === "viewing";

/** Marks are a reader's work: for others these commands don't exist. */
export const isNoReader = (): boolean => room.getState().read?.you.capacity !== "reader";
