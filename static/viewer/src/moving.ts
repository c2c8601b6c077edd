/** Moving through the images: scroll, jump, window, zoom. One function a verb, called by keys, mouse and buttons. */
import type { Pinned } from "./api/review";
import type { Comment, CutPlane, Point3 } from "./api/types";
import { bringTo, cutBy, cutToFrame, showPlane } from "./cutting";
import { fitted } from "./engine/camera";
import {
  cross,
  dot,
  frameIndex,
  hangingPose,
  nearestFrame,
  type Pose,
  planeOf,
  spoils,
} from "./engine/geometry";
import { inStack, sameInNext, stackAt } from "./engine/stacks";
import { follow, keepDifference, others } from "./linking";
import { planeIn } from "./place";
import { openSeries, ownWindow } from "./session";
import { type Mark, marks } from "./store/marks";
import { presetsFor } from "./store/presets";
import { goTo, room, setPane, shownPanes } from "./store/room";

/** Goes to a frame; linked images follow. Alone, this image goes by itself, and the others keep the new difference. */
export function scrollTo(which: number, index: number, alone = false): void {
  const { cut, wanted: before } = room.getState().panes[which];
  if (cut) {
    cutToFrame(which, index);
    return;
  }
  const now = goTo(which, index);
  hangAnew(which, before, now);
  if (!room.getState().linked) return;
  if (alone) keepDifference(which);
  else follow(which, before);
}

/** Up and down the stack; never into the next phase. */
export function scrollBy(steps: number, which = room.getState().active, alone = false): void {
  const { panes, manifests } = room.getState();
  const { series, wanted, cut } = panes[which];
  if (cut) {
    cutBy(steps, which);
    return;
  }
  const manifest = series ? manifests[series] : null;
  if (manifest) scrollTo(which, inStack(manifest, wanted, wanted + steps), alone);
}

/** To the same place in the next or previous phase. */
export function stepPhase(direction: 1 | -1, which = room.getState().active): void {
  const { panes, manifests } = room.getState();
  const { series, wanted } = panes[which];
  const manifest = series ? manifests[series] : null;
  if (!manifest || stackAt(manifest, wanted).of < 2) return;
  scrollTo(which, sameInNext(manifest, wanted, direction));
}

/** A stack in another plane is hung as such; another phase keeps zoom and place, so that the eye can compare. */
function hangAnew(which: number, before: number, now: number): void {
  const { panes, manifests } = room.getState();
  const manifest = panes[which].series ? manifests[panes[which].series!] : null;
  if (!manifest || stackAt(manifest, before) === stackAt(manifest, now)) return;
  const [from, to] = [planeOf(manifest, before), planeOf(manifest, now)];
  const turned = [...to.row, ...to.column].some(
    (v, i) => Math.abs(v - [...from.row, ...from.column][i]) > 0.01,
  );
  if (turned || to.rows !== from.rows || to.columns !== from.columns) setPane(which, { sight: null });
}

export function setPreset(number: number): void {
  const { active, panes, manifests } = room.getState();
  const pane = panes[active];
  const manifest = pane.series ? manifests[pane.series] : null;
  if (!manifest || !pane.series) return;
  const presets = presetsFor(manifest.series.modality, manifest.suv_factor !== null);
  const preset = presets[number - 1];
  if (preset && spoils(manifest, "units")) return;
  if (preset) setPane(active, { window: { width: preset.width, center: preset.center, preset: preset.id } });
  else if (number === presets.length + 1) setPane(active, { window: ownWindow(pane.series, pane.wanted) });
}

export function fitPane(which = room.getState().active, pose?: Pose): void {
  const { panes, manifests } = room.getState();
  const pane = panes[which];
  const manifest = pane.series ? manifests[pane.series] : null;
  if (!manifest) return;
  const plane = planeIn(pane, manifest);
  setPane(which, { sight: fitted(plane, pane.area, pose ?? pane.sight?.pose ?? hangingPose(plane)) });
}

export function reset(): void {
  const { active, panes, manifests } = room.getState();
  const pane = panes[active];
  if (!pane.series) return;
  setPane(active, { inverted: false, window: ownWindow(pane.series, pane.wanted) });
  const manifest = manifests[pane.series];
  if (manifest) fitPane(active, hangingPose(planeIn(pane, manifest)));
}

export function turn(part: Partial<Pose> | ((pose: Pose) => Partial<Pose>)): void {
  const { active, panes } = room.getState();
  const { sight } = panes[active];
  if (!sight) return;
  const change = typeof part === "function" ? part(sight.pose) : part;
  setPane(active, { sight: { ...sight, pose: { ...sight.pose, ...change } } });
}

// A flip mirrors what is on the screen; on an image that lies on its side that is the other axis of the file.
export const flip = (axis: "horizontal" | "vertical"): void =>
  turn((pose) => {
    const across = pose.rotation % 180 === 0 ? axis : axis === "horizontal" ? "vertical" : "horizontal";
    return across === "horizontal"
      ? { flipHorizontal: !pose.flipHorizontal }
      : { flipVertical: !pose.flipVertical };
  });

export const rotate = (degrees: 90 | -90): void =>
  turn((pose) => ({ rotation: ((pose.rotation + degrees + 360) % 360) as Pose["rotation"] }));

export function zoomBy(factor: number): void {
  const { active, panes } = room.getState();
  const { sight } = panes[active];
  if (sight)
    setPane(active, { sight: { ...sight, scale: Math.min(400, Math.max(0.02, sight.scale * factor)) } });
}

/** The pane that shows a series; where none does, the active one opens it. */
async function paneWith(series: string, at: () => number): Promise<number> {
  const { panes, active } = room.getState();
  const shown = [active, ...others(active)].find((which) => panes[which].series === series);
  if (shown !== undefined) {
    scrollTo(shown, at());
    room.setState({ active: shown });
    return shown;
  }
  await openSeries(active, series);
  scrollTo(active, at());
  return active;
}

/** To a mark's slice; for a segment the one where it is largest. */
export function jumpTo(mark: Mark): void {
  room.setState({ selected: mark.id });
  if (mark.value.plane) {
    void jumpToCut(mark, mark.value.plane);
    return;
  }
  const points = mark.value.points_patient_mm;
  if (points?.length) {
    const middle = [0, 1, 2].map((i) => points.reduce((sum, p) => sum + p[i], 0) / points.length);
    if (bringTo(mark.value.series, middle as Point3)) return;
  }
  const manifests = () => room.getState().manifests[mark.value.series];
  void paneWith(mark.value.series, () => {
    const manifest = manifests();
    if (mark.value.kind === "segment") {
      const largest = [...mark.slices.values()].sort((a, b) => b.voxels - a.voxels)[0];
      if (!largest) return room.getState().panes[room.getState().active].wanted;
      return frameIndex(manifest, largest.sop, largest.frame);
    }
    return frameIndex(manifest, mark.value.sop ?? "", mark.value.frame ?? 1);
  });
}

/** To the cut that a mark was drawn on: in a pane that cuts the same way, else in one of its series. */
async function jumpToCut(mark: Mark, plane: CutPlane): Promise<void> {
  const { panes, active } = room.getState();
  const { series, points_patient_mm: points } = mark.value;
  const normal = cross(plane.row, plane.column);
  const alike = [active, ...others(active)].find((which) => {
    const { cut, series: shown } = panes[which];
    return cut && shown === series && Math.abs(dot(cross(cut.row, cut.column), normal)) > 0.999;
  });
  if (alike !== undefined) room.setState({ active: alike });
  const centre = points?.[0] ?? plane.origin;
  const near = () => nearestFrame(room.getState().manifests[series], centre);
  showPlane(alike ?? (await paneWith(series, near)), plane, centre);
}

export function jumpToComment(comment: Comment): void {
  room.setState({ openComment: comment.id });
  jumpToPlace(comment);
}

/** To a point or slice of a series: where it is cut already, the cuts come to it. */
export function jumpToPlace({ series, sop, frame, point_patient_mm: point }: Pinned): void {
  if (!series || !sop) return;
  if (point && bringTo(series, point)) return;
  void paneWith(series, () => frameIndex(room.getState().manifests[series], sop, frame ?? 1));
}

export function stepSeries(direction: 1 | -1): void {
  const { read, active, panes } = room.getState();
  const all = read?.studies.flatMap((study) => study.series.map((series) => series.id)) ?? [];
  const at = all.indexOf(panes[active].series ?? "");
  const next = all[at + direction];
  if (next) void openSeries(active, next);
}

/** The image before or after the active one, row by row. */
export function stepPane(direction: 1 | -1): void {
  const { active, layout } = room.getState();
  const next = active + direction;
  if (shownPanes({ layout }).includes(next)) room.setState({ active: next });
}

export const marksOn = (series: string): Mark[] =>
  [...marks.getState().marks.values()].filter((mark) => mark.value.series === series);
