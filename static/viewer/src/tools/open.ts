/** A mark that takes several presses: what of it is there, and on which image or cut it began. */
import type { Kind, Point2 } from "../api/types";
import { keyOfPlace } from "../journal/figures";
import type { Place } from "../place";
import { draft, type Shape } from "../store/draft";

let ground: Place | null = null;

/** Shows a mark under way. `ahead` runs from its last point to the cursor. */
export function show(pane: number, place: Place, kind: Kind, points: Point2[], ahead?: Point2[]): void {
  ground = place;
  draft.setState({ shape: { pane, kind, points, of: null, on: keyOfPlace(place), ahead } });
}

export const drop = (): void => draft.setState({ shape: null });

/** The mark of this kind under way in a pane; not on another slice than it was begun on. */
export function openShape(kind: Kind, which: number, place: Place): Shape | null {
  const shape = openAnywhere(kind);
  return shape?.pane === which && shape.on === keyOfPlace(place) ? shape : null;
}

export function openAnywhere(kind: Kind): Shape | null {
  const { shape } = draft.getState();
  return shape?.kind === kind && !shape.of ? shape : null;
}

/** Where the mark under way belongs, whatever the pane shows meanwhile. */
export const groundOf = (): Place | null => ground;
