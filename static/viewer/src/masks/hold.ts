/** A proposed mask that has no place of its own yet goes where the hand presses. */
import type { Point2 } from "../api/types";
import { type Place, placeOf, toIndex } from "../place";
import type { Gesture } from "../tools";
import { nothing } from "../tools/gestures";
import { preview } from "./preview";

/** null where no such mask waits in this pane: then the press belongs to the tool. */
export function movingPreview(which: number, start: Point2, place: Place): Gesture | null {
  const { shown } = preview.getState();
  if (!shown?.place || shown.pane !== which) return null;
  const put = (at: Point2, on: Place) => preview.getState().shown?.place?.(...toIndex(on, at));
  put(start, place);
  return {
    move(at) {
      const now = placeOf(which);
      if (now) put(at, now);
    },
    end: nothing,
    cancel: nothing,
  };
}
