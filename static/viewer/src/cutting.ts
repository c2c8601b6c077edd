/** Cuts through volumes: turning panes into them and back, one crosshair for all that cut the same body. */
import type { CutPlane, Manifest, Point3 } from "./api/types";
import {
  CUT_NAMES,
  type Cut,
  type CutName,
  cutOf,
  isOblique,
  movedBy,
  movedTo,
  normalOfCut,
  planeOfCut,
  type SlabMode,
  stepOfCut,
  turnedAbout,
} from "./engine/cut";
import { cross, dot, nearestFrame, sub } from "./engine/geometry";
import { stackAt } from "./engine/stacks";
import { fromGrid, type Grid, gridOf, toGrid, whyNoVolume } from "./engine/volume";
import { planeIn } from "./place";
import { type Layout, type Pane, room, setLayout, setPane, shownPanes } from "./store/room";
import { t } from "./words";

const manifestIn = (which: number): Manifest | null => {
  const { panes, manifests } = room.getState();
  const { series } = panes[which];
  return (series ? manifests[series] : null) ?? null;
};

const gridIn = (which: number): Grid | null => {
  const manifest = manifestIn(which);
  return manifest && gridOf(manifest, room.getState().panes[which].wanted);
};

/** Why a pane's series can't be cut in other planes, as a sentence; null where it can. */
export function whyNoCuts(which = room.getState().active): string | null {
  const manifest = manifestIn(which);
  return manifest
    ? whyNoVolume(manifest, room.getState().panes[which].wanted)
    : t("There is no series here.");
}

/** Whether two series lie in the same space of the patient. */
const together = (a: Manifest, b: Manifest): boolean =>
  a.series.id === b.series.id ||
  (a.series.frame_of_reference !== null && a.series.frame_of_reference === b.series.frame_of_reference);

/** The panes on the screen whose cuts share one crosshair with this one's, itself among them. */
export function partners(which: number): number[] {
  const { panes } = room.getState();
  const here = manifestIn(which);
  return shownPanes(room.getState()).filter((other) => {
    const there = manifestIn(other);
    return panes[other].cut && !panes[other].surface && here && there && together(here, there);
  });
}

/** The frame of the stack that lies nearest to a point. */
function frameNear(grid: Grid, point: Point3): number {
  const slice = Math.round(toGrid(grid, point)[2]);
  return grid.order[Math.max(0, Math.min(grid.dims[2] - 1, slice))];
}

/** Lays a cut into a pane; the crosshair keeps its place on the screen, whichever way the image is turned. */
function setCut(which: number, cut: Cut): void {
  const pane = room.getState().panes[which];
  const grid = gridIn(which);
  const manifest = manifestIn(which);
  if (!grid || !manifest) return;
  let { sight } = pane;
  if (pane.cut && sight) {
    const [before, after] = [planeIn(pane, manifest), planeOfCut(cut, grid)];
    const turned = Math.abs(dot(before.row, after.row) - 1) + Math.abs(dot(before.column, after.column) - 1);
    if (turned > 1e-12) {
      const from = sub(cut.centre, before.origin);
      const to = sub(cut.centre, after.origin);
      sight = {
        ...sight,
        centre: [
          sight.centre[0] + dot(to, after.row) - dot(from, before.row),
          sight.centre[1] + dot(to, after.column) - dot(from, before.column),
        ],
      };
    }
  }
  setPane(which, { cut, sight, wanted: frameNear(grid, cut.centre), error: null });
}

/** Where a pane looks: its crosshair, or the middle of the slice on the screen. */
function centreIn(which: number, grid: Grid): Point3 {
  const { cut, wanted } = room.getState().panes[which];
  if (cut) return cut.centre;
  const slice = grid.order.indexOf(wanted);
  // On a row and a column of voxels: cuts through them are these, not a blend with the neighbours.
  return fromGrid(grid, [Math.floor(grid.dims[0] / 2), Math.floor(grid.dims[1] / 2), Math.max(0, slice)]);
}

/** Shows one of the three planes in a pane; what it shows already, it shows untilted again. */
export function showCut(name: CutName, which = room.getState().active): void {
  const grid = gridIn(which);
  if (!grid) return;
  const { cut } = room.getState().panes[which];
  const made = cutOf(name, grid, centreIn(which, grid));
  const thick = cut ? { slab_mm: cut.slab_mm, mode: cut.mode } : {};
  setPane(which, { sight: null, shown: null, surface: false });
  setCut(which, { ...made, ...thick });
}

/** Shows the plane that a mark was drawn on, with the crosshair on a point of it. */
export function showPlane(which: number, plane: CutPlane, centre: Point3): void {
  const grid = gridIn(which);
  if (!grid) return;
  const { cut } = room.getState().panes[which];
  const along = cross(plane.row, plane.column).map(Math.abs);
  const name = (["sagittal", "coronal", "axial"] as const)[along.indexOf(Math.max(...along))];
  const { row, column } = plane;
  if (!cut) setPane(which, { sight: null, shown: null, surface: false });
  setCut(which, { name, centre, row, column, slab_mm: 0, mode: cut?.mode ?? "max" });
}

/** Back to the slices as they were taken, at the one nearest to the crosshair. */
export function leaveCut(which = room.getState().active): void {
  if (room.getState().panes[which].cut) setPane(which, { cut: null, sight: null, shown: null });
}

/** Moves the crosshair to a point of the patient; cuts go along, and other series' slices where they are linked. */
export function moveCrosshair(which: number, to: Point3, stacks = room.getState().linked): void {
  const here = manifestIn(which);
  if (!here) return;
  const grid = gridIn(which);
  const point = grid ? kept(grid, to) : to;
  for (const other of partners(which)) {
    const { cut } = room.getState().panes[other];
    if (cut) setCut(other, movedTo(cut, point));
  }
  if (!stacks) return;
  for (const other of shownPanes(room.getState())) {
    const { cut, surface, wanted } = room.getState().panes[other];
    const there = manifestIn(other);
    if (other === which || cut || surface || !there || !together(here, there) || there.geometry !== "patient")
      continue;
    const { first, count } = stackAt(there, wanted);
    setPane(other, { wanted: nearestFrame(there, point, first, count), error: null });
  }
}

/** Brings the crosshair of a series to a point, where cuts of it are on the screen; whether there were any. */
export function bringTo(series: string, point: Point3): boolean {
  const { panes } = room.getState();
  const which = shownPanes(room.getState()).find((one) => panes[one].cut && panes[one].series === series);
  if (which === undefined) return false;
  moveCrosshair(which, point);
  return true;
}

/** The nearest point within a volume. */
function kept(grid: Grid, point: Point3): Point3 {
  const at = toGrid(grid, point);
  const inside = at.map((v, i) => Math.max(0, Math.min(grid.dims[i] - 1, v))) as Point3;
  return inside.every((v, i) => v === at[i]) ? point : fromGrid(grid, inside);
}

/** Steps of the wheel: from voxel to voxel along the cut's normal; down the list is into the image. */
export function cutBy(steps: number, which: number): void {
  const grid = gridIn(which);
  const { cut } = room.getState().panes[which];
  if (!grid || !cut) return;
  moveCrosshair(which, movedBy(cut, grid, steps * stepOfCut(cut, grid)).centre);
}

/** To a distance along the cut's normal, mm. */
export function cutTo(depth_mm: number, which: number): void {
  const grid = gridIn(which);
  const { cut } = room.getState().panes[which];
  if (!grid || !cut) return;
  const by = depth_mm - dot(cut.centre, normalOfCut(cut));
  moveCrosshair(which, movedBy(cut, grid, by).centre);
}

/** A frame of the series asked for in a pane that shows a cut: the crosshair goes there, or to its phase. */
export function cutToFrame(which: number, index: number): void {
  const manifest = manifestIn(which);
  const pane = room.getState().panes[which];
  if (!manifest || !pane.cut) return;
  const count = manifest.frames.sop.length;
  const frame = Math.max(0, Math.min(count - 1, Math.round(index)));
  if (stackAt(manifest, frame) !== stackAt(manifest, pane.wanted)) {
    for (const other of partners(which)) {
      const own = manifestIn(other);
      if (own === manifest && gridOf(manifest, frame)) setPane(other, { wanted: frame, error: null });
    }
    return;
  }
  const grid = gridOf(manifest, frame);
  if (!grid) return;
  const [column, row] = toGrid(grid, pane.cut.centre);
  moveCrosshair(which, fromGrid(grid, [column, row, grid.order.indexOf(frame)]));
}

/** Turns the other cuts about this one's normal, as its lines are turned on the screen. Radians. */
export function turnCrosshair(which: number, angle: number): void {
  const { cut } = room.getState().panes[which];
  if (!cut) return;
  const axis = normalOfCut(cut);
  for (const other of partners(which)) {
    const theirs = room.getState().panes[other].cut;
    if (other !== which && theirs) setCut(other, turnedAbout(theirs, axis, angle));
  }
}

/** Thickness of a cut, mm, and what it shows of it. */
export function setSlab(which: number, slab_mm: number, mode: SlabMode): void {
  const { cut } = room.getState().panes[which];
  if (cut) setPane(which, { cut: { ...cut, slab_mm: Math.max(0, slab_mm), mode } });
}

/** Every cut of the crosshair straight again. */
export function straighten(which = room.getState().active): void {
  for (const other of partners(which)) {
    const grid = gridIn(other);
    const { cut } = room.getState().panes[other];
    if (!grid || !cut) continue;
    setCut(other, { ...cutOf(cut.name, grid, cut.centre), slab_mm: cut.slab_mm, mode: cut.mode });
  }
}

/** Whether any cut that shares this pane's crosshair was turned. */
export function isTurned(which: number): boolean {
  return partners(which).some((other) => {
    const grid = gridIn(other);
    const { cut } = room.getState().panes[other];
    return grid && cut && isOblique(cut, grid);
  });
}

const MPR: Layout = { rows: 2, columns: 2 };
let before: { layout: Layout; panes: Pane[]; active: number; linkedWindow: boolean } | null = null;

export const isMpr = (): boolean => {
  const { panes, layout } = room.getState();
  return layout.rows * layout.columns >= 4 && panes.slice(0, 4).every((pane) => pane.cut || pane.surface);
};

/** Axial, coronal, sagittal and the masks in space, from the active series; the way back leads to what was before. */
export function toggleMpr(): void {
  const state = room.getState();
  if (isMpr()) {
    leaveMpr();
    return;
  }
  const { active } = state;
  const grid = gridIn(active);
  const pane = state.panes[active];
  if (!grid) {
    const why = whyNoCuts(active);
    if (why)
      room.setState({
        notice: { sentence: t("No other planes here: {why}", { why }), act: null, does: null },
      });
    return;
  }
  before = { layout: state.layout, panes: state.panes, active, linkedWindow: state.linkedWindow };
  const centre = centreIn(active, grid);
  const { series, window, inverted } = pane;
  const wanted = frameNear(grid, centre);
  const blank = { series, window, inverted, wanted, shown: null, sight: null, error: null };
  CUT_NAMES.forEach((name, which) => {
    setPane(which, { ...blank, surface: false, cut: cutOf(name, grid, centre) });
  });
  setPane(3, { ...blank, surface: true, cut: null });
  setLayout(MPR);
  // Three views of one body are seen through one window.
  room.setState({ active: 0, linkedWindow: true });
}

function leaveMpr(): void {
  const { panes, active } = room.getState();
  const { series, wanted, window, inverted } = panes[active];
  const kept = before;
  before = null;
  const old = kept?.panes[kept.active];
  const layout = kept?.layout ?? { rows: 1, columns: 1 };
  for (let which = 0; which < 4; which++) {
    const was = kept?.panes[which];
    const blank = { shown: null, sight: null, error: null, cut: null, surface: false };
    if (was && was.series !== series) setPane(which, { ...was, shown: null });
    else if (was && which < layout.rows * layout.columns)
      setPane(which, { ...blank, series: was.series, wanted, window, inverted });
    else setPane(which, { ...blank, series: which === 0 ? series : null, wanted, window, inverted });
  }
  setLayout(layout);
  if (kept) room.setState({ linkedWindow: kept.linkedWindow });
  room.setState({ active: old?.series === series && kept ? kept.active : 0 });
}

/** Forgets what was on the screen before: another case comes. The layout that it opens in, where there was one. */
export function forgetMpr(): Layout | null {
  const layout = isMpr() ? (before?.layout ?? null) : null;
  before = null;
  return layout;
}
