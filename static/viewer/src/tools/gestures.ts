/** Small parts that the tools' gestures share. */
import type { Point2 } from "../api/types";
import type { Gesture } from "../tools";

export const nothing = () => {};

/** A press that has done its work already. */
export const DONE: Gesture = { move: nothing, end: nothing, cancel: nothing };

export const HANDLE_PX = 7;
/** A hand that moves less than this has clicked. */
export const DRAG_PX = 3;

/** How far a point lies from a piece of a line. */
export function away(p: Point2, a: Point2, b: Point2): number {
  const [dx, dy] = [b[0] - a[0], b[1] - a[1]];
  const length = dx * dx + dy * dy;
  const t = length ? Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length)) : 0;
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

export const apart = (a: Point2, b: Point2): number => Math.hypot(a[0] - b[0], a[1] - b[1]);
