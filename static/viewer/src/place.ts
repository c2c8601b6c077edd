/** What a pane shows and where it lies there: a frame of a stack, or a cut through a volume. */
import type { Manifest, Point2 } from "./api/types";
import { apply, indexToCanvas, invert, type Matrix } from "./engine/camera";
import { type Cut, planeOfCut } from "./engine/cut";
import { type Plane, planeOf } from "./engine/geometry";
import { gridOf, type Volume, volumeOf } from "./engine/volume";
import { frames } from "./session";
import { type Pane, room } from "./store/room";

export interface Place {
  manifest: Manifest;
  plane: Plane;
  /** Index coordinates of the plane → CSS pixels of the pane. */
  matrix: Matrix;
  /** The frame shown; null on a cut, which is none. */
  index: number | null;
  cut: Cut | null;
  /** A frame of the stack that is shown or cut. */
  near: number;
}

/** A place on a frame of the series, not on a cut. */
export interface FramePlace extends Place {
  index: number;
}

export const onFrame = (place: Place): place is FramePlace => place.index !== null;

/** The plane that a pane shows, or is about to: of its cut, or of its frame. */
export function planeIn(pane: Pick<Pane, "cut" | "shown" | "wanted">, manifest: Manifest): Plane {
  const index = pane.shown ?? pane.wanted;
  const grid = pane.cut ? gridOf(manifest, index) : null;
  return pane.cut && grid ? planeOfCut(pane.cut, grid) : planeOf(manifest, index);
}

/** What is on the screen of a pane and its matrix; null while nothing is shown. */
export function placeOf(which: number): Place | null {
  const { panes, manifests } = room.getState();
  const pane = panes[which];
  const manifest = pane.series ? manifests[pane.series] : null;
  if (!manifest || pane.shown === null || !pane.sight) return null;
  const plane = planeIn(pane, manifest);
  const matrix = indexToCanvas(plane, pane.sight, pane.area);
  return { manifest, plane, matrix, index: pane.cut ? null : pane.shown, cut: pane.cut, near: pane.shown };
}

export const toIndex = (place: Place, canvas: Point2): Point2 => apply(invert(place.matrix), canvas);

/** The volume of the stack that a frame of a series belongs to; null where it is none, or nothing is loaded. */
export function volumeIn(series: string, index: number): Volume | null {
  const loader = frames.get(series);
  return loader ? volumeOf(loader, index) : null;
}
