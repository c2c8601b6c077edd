/**
 * Images that move together: which frame of one stack belongs beside a frame of another, and how a hand's zoom,
 * pan and window on one image is carried to another. Pure arithmetic; linking.ts says who follows whom.
 */
import type { Manifest, Point2, Point3 } from "../api/types";
import type { Sight } from "./camera";
import {
  dot,
  indexToWorld,
  nearestFrame,
  normalOf,
  type Plane,
  planeOf,
  screenAxes,
  worldToIndex,
} from "./geometry";
import { inStack, stackAt } from "./stacks";

/**
 * position: both lie in one frame of reference, so a place is the same place in both.
 * distance: each in its own, so both move by the same millimetres from where they were linked.
 * number: without positions in the patient, by as many slices.
 */
export type Way = "position" | "distance" | "number";

// Within 30° two stacks show a body from the same side, and scrolling one through the other makes sense.
const LEAST_COSINE = Math.cos(Math.PI / 6);

/** How one frame leads another; null where they look from different sides, and neither follows the other. */
export function wayBetween(
  here: Manifest,
  hereIndex: number,
  there: Manifest,
  thereIndex: number,
): Way | null {
  const [a, b] = [planeOf(here, hereIndex), planeOf(there, thereIndex)];
  if (a.kind !== "patient" || b.kind !== "patient") return "number";
  if (Math.abs(dot(normalOf(a), normalOf(b))) < LEAST_COSINE) return null;
  return isSameSpace(here, there) ? "position" : "distance";
}

/** Whether the same millimetres mean the same place in both series. */
export const isSameSpace = (here: Manifest, there: Manifest): boolean =>
  here.series.id === there.series.id ||
  (here.series.frame_of_reference !== null &&
    here.series.frame_of_reference === there.series.frame_of_reference);

/** The normal, turned so that its strongest part points left, back or headwards: two stacks count the same way. */
function upward(plane: Plane): Point3 {
  const n = normalOf(plane);
  const strongest = n.reduce((best, v, i) => (Math.abs(v) > Math.abs(n[best]) ? i : best), 0);
  return n[strongest] < 0 ? (n.map((v) => -v) as Point3) : n;
}

/** What of an image lies in the middle of its pane, in patient mm. */
const inView = (plane: Plane, sight: Sight | null): Point3 =>
  sight
    ? indexToWorld(plane, [sight.centre[0] / plane.column_mm, sight.centre[1] / plane.row_mm])
    : indexToWorld(plane, [(plane.columns - 1) / 2, (plane.rows - 1) / 2]);

export interface Seen {
  manifest: Manifest;
  index: number;
  sight: Sight | null;
}

/**
 * How far the second image is ahead of the first, along the axis that both are scrolled along: mm, or slices where
 * the way is by number. null where neither follows the other.
 */
export function apart(here: Seen, there: Seen): number | null {
  const way = wayBetween(here.manifest, here.index, there.manifest, there.index);
  if (way === null) return null;
  const [a, b] = [planeOf(here.manifest, here.index), planeOf(there.manifest, there.index)];
  if (way === "number") return placeIn(there) - placeIn(here);
  if (way === "position") {
    const up = upward(b);
    return dot(b.origin, up) - dot(inView(a, here.sight), up);
  }
  return dot(b.origin, upward(b)) - dot(a.origin, upward(a));
}

const placeIn = ({ manifest, index }: Seen): number => index - stackAt(manifest, index).first;

/**
 * The frame of `there`, in the stack that it shows, that lies `ahead` (mm or slices, as `apart` has it) of `here`;
 * null where it doesn't follow.
 */
export function follower(here: Seen, there: Seen, ahead: number): number | null {
  const now = apart(here, there);
  if (now === null) return null;
  const stack = stackAt(there.manifest, there.index);
  const way = wayBetween(here.manifest, here.index, there.manifest, there.index);
  if (way === "number")
    return inStack(there.manifest, there.index, stack.first + placeIn(here) + Math.round(ahead));
  const plane = planeOf(there.manifest, there.index);
  const up = upward(plane);
  const target = plane.origin.map((v, i) => v + up[i] * (ahead - now)) as Point3;
  return nearestFrame(there.manifest, target, stack.first, stack.count);
}

/** The frame at the same part of the way through a stack, both counted headwards: a first guess without a link. */
export function atSamePart(here: Seen, manifest: Manifest, first: number, count: number): number {
  const stack = stackAt(here.manifest, here.index);
  const part = stack.count > 1 ? placeIn(here) / (stack.count - 1) : 0.5;
  const isTurned = runs(here.manifest, stack.first, stack.count) * runs(manifest, first, count) < 0;
  return first + Math.round((isTurned ? 1 - part : part) * (count - 1));
}

/** 1 where a stack runs headwards (or left, or back), −1 where it runs the other way; 1 without positions. */
function runs(manifest: Manifest, first: number, count: number): 1 | -1 {
  const [a, b] = [planeOf(manifest, first), planeOf(manifest, first + count - 1)];
  if (a.kind !== "patient" || b.kind !== "patient") return 1;
  return dot(b.origin, upward(a)) < dot(a.origin, upward(a)) ? -1 : 1;
}

/** An image as it is seen: its plane and how that lies in the pane. */
export interface View {
  plane: Plane;
  sight: Sight;
}

/**
 * The sight of an image after another one was zoomed or panned. In one space both keep the same point of the
 * patient in the middle; else the image moves by the same way on the screen, and grows by as much.
 */
export function carriedSight(before: View, after: View, there: View, sameSpace: boolean): Sight {
  const scale = there.sight.scale * (after.sight.scale / before.sight.scale);
  const parallel = Math.abs(dot(normalOf(after.plane), normalOf(there.plane))) > 0.99;
  if (sameSpace && parallel && after.plane.kind === "patient" && there.plane.kind === "patient") {
    const [column, row] = worldToIndex(there.plane, inView(after.plane, after.sight));
    return { ...there.sight, scale, centre: [column * there.plane.column_mm, row * there.plane.row_mm] };
  }
  const moved: Point2 = [0, 1].map((i) => after.sight.centre[i] - before.sight.centre[i]) as Point2;
  const ours = screenAxes(after.sight.pose);
  const across = ours.right[0] * moved[0] + ours.right[1] * moved[1];
  const down = ours.down[0] * moved[0] + ours.down[1] * moved[1];
  // The same way on the screen: what differs in scale differs in millimetres.
  const ratio = after.sight.scale / scale;
  const theirs = screenAxes(there.sight.pose);
  return {
    ...there.sight,
    scale,
    centre: [0, 1].map(
      (i) => there.sight.centre[i] + ratio * (theirs.right[i] * across + theirs.down[i] * down),
    ) as Point2,
  };
}

/** The sight of an image at the moment it is linked to another: as large, and in one space on the same place. */
export function alignedSight(here: View, there: View, sameSpace: boolean): Sight {
  const level = { ...there, sight: { ...there.sight, scale: here.sight.scale } };
  return carriedSight(here, here, level, sameSpace);
}

export interface Grey {
  width: number;
  center: number;
}

/**
 * The window of an image after another one's was changed. Where both count in the same units the window is the
 * same; values without units (most MR) mean nothing in another series, so there the change is carried in proportion.
 */
export function carriedWindow(before: Grey, after: Grey, there: Grey, sameUnits: boolean): Grey {
  if (sameUnits) return { width: after.width, center: after.center };
  const width = there.width * (after.width / before.width);
  return { width, center: there.center + (after.center - before.center) * (there.width / before.width) };
}
