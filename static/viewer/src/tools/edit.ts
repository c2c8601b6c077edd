/** Changing the chosen mark: by one of its points, by a corner put in or taken away, or as a whole. */
import type { Point2 } from "../api/types";
import { CORNERS_LEAST } from "../journal/figures";
import { movedHandle } from "../journal/handles";
import { moveShape } from "../marking";
import { type Place, toIndex } from "../place";
import { draft } from "../store/draft";
import type { Gesture } from "../tools";
import { apart, DONE, DRAG_PX } from "./gestures";
import { CORNERED, type Grabbed, middles } from "./picking";

/** What a press on a part of the chosen mark begins. Alt on a corner takes that corner away. */
export function editing(which: number, grabbed: Grabbed, start: Point2, place: Place, alt: boolean): Gesture {
  const { hold, kind } = grabbed;
  if (hold.what === "point" && alt && CORNERED.includes(kind)) {
    if (grabbed.points.length > CORNERS_LEAST)
      moveShape(
        grabbed.id,
        place,
        grabbed.points.filter((_, i) => i !== hold.at),
      );
    return DONE;
  }
  const from = toIndex(place, start);
  const before =
    hold.what === "middle"
      ? grabbed.points.toSpliced(hold.at + 1, 0, middles(kind, grabbed.points)[hold.at])
      : grabbed.points;
  let points = before;
  let moved = false;
  const to = (at: Point2): Point2[] => {
    const here = toIndex(place, at);
    if (hold.what === "whole")
      return before.map(([x, y]): Point2 => [x + here[0] - from[0], y + here[1] - from[1]]);
    return movedHandle(kind, before, hold.what === "middle" ? hold.at + 1 : hold.at, here, place.plane);
  };
  return {
    move(at) {
      // A click that trembles moves nothing.
      if (!moved && apart(at, start) < DRAG_PX) return;
      moved = true;
      points = to(at);
      draft.setState({ shape: { pane: which, kind, points, of: grabbed.id } });
    },
    end() {
      draft.setState({ shape: null });
      if (moved) moveShape(grabbed.id, place, points);
    },
    cancel: () => draft.setState({ shape: null }),
  };
}
