/** The images beside each other: how many, which one is the hand's, what goes where. One function a verb. */
import type { Read, SeriesRow, StudyRow } from "./api/types";
import { type Area, fitted, type Sight } from "./engine/camera";
import type { Plane } from "./engine/geometry";
import { partner } from "./engine/partner";
import { stacksOf } from "./engine/stacks";
import { atSamePart } from "./engine/together";
import { setLinked } from "./linking";
import { planeIn } from "./place";
import { loadManifest, openSeries } from "./session";
import { unitsOf } from "./spoilt";
import { type Layout, type Pane, room, setLayout, setPane, shownPanes } from "./store/room";

/** What Ctrl and a number of images choose. */
export const LAYOUTS: Record<number, Layout> = {
  1: { rows: 1, columns: 1 },
  2: { rows: 1, columns: 2 },
  3: { rows: 1, columns: 3 },
  4: { rows: 2, columns: 2 },
  6: { rows: 2, columns: 3 },
  9: { rows: 3, columns: 3 },
};

export const LETTERS = "ABCDEFGHI";

/** What the reader chose stays relative to the fit: a fitted image stays fitted, and there and back is the same. */
export function refitted(plane: Plane, sight: Sight, from: Area, to: Area): Sight {
  if (from.width < 2) return sight;
  const [fit, next] = [fitted(plane, from, sight.pose), fitted(plane, to, sight.pose)];
  // A mammogram stands at an edge of its place, which moves.
  const stays =
    plane.breast && sight.scale === fit.scale && sight.centre.every((v, i) => v === fit.centre[i]);
  if (stays) return next;
  const ratio = next.scale / fit.scale;
  return { ...sight, scale: sight.scale * ratio };
}

/** The pane so many columns and rows away; the same one at the edge of the screen. */
export function paneTowards(which: number, across: number, down: number, { rows, columns }: Layout): number {
  const column = (which % columns) + across;
  const row = Math.floor(which / columns) + down;
  return column < 0 || row < 0 || column >= columns || row >= rows ? which : row * columns + column;
}

/** The image at the side becomes the hand's. */
export function moveTo(across: number, down: number): void {
  const { active, layout } = room.getState();
  room.setState({ active: paneTowards(active, across, down, layout) });
}

/** One image large, and back. */
export function maximise(which = room.getState().active): void {
  room.setState((state) => ({
    maximised: !state.maximised && shownPanes(state).length > 1,
    active: which,
  }));
}

/** Two images change places, each with its series, slice, window and zoom. */
export function swapPanes(a: number, b: number): void {
  if (a === b) return;
  const { panes, manifests, active } = room.getState();
  const moved = (from: Pane, to: Pane): Pane => {
    const manifest = from.series ? manifests[from.series] : undefined;
    const sight =
      from.sight && manifest ? refitted(planeIn(from, manifest), from.sight, from.area, to.area) : null;
    // The screen of a pane goes on showing what it has until the other image is drawn there.
    const shown = from.series === to.series && from.cut === to.cut ? to.shown : null;
    return { ...from, area: to.area, sight, shown };
  };
  const next = [...panes];
  next[a] = moved(panes[b], panes[a]);
  next[b] = moved(panes[a], panes[b]);
  room.setState({ panes: next, active: active === a ? b : active === b ? a : active });
}

/** Nothing is shown there any more. */
export function emptyPane(which = room.getState().active): void {
  const { area } = room.getState().panes[which];
  const [blank] = room.getInitialState().panes;
  setPane(which, { ...blank, area });
}

const seriesOf = (read: Read): SeriesRow[] => read.studies.flatMap((study) => study.series);

/** What the empty images offer: each another series that no image shows, of the newest studies first. */
export function offers(read: Read, panes: Pane[], layout: Layout): Map<number, SeriesRow> {
  const which = shownPanes({ layout });
  const shown = new Set(which.map((one) => panes[one].series));
  const newestFirst = [...read.studies].sort((a, b) => (b.days_from_first ?? 0) - (a.days_from_first ?? 0));
  const rest = newestFirst.flatMap((study) => study.series).filter((series) => !shown.has(series.id));
  const empty = which.filter((one) => panes[one].series === null);
  return new Map(empty.slice(0, rest.length).map((one, i) => [one, rest[i]]));
}

/** Every empty image gets a series that none shows yet. */
export async function fillPanes(): Promise<void> {
  const { read, panes, layout } = room.getState();
  if (!read) return;
  await Promise.all([...offers(read, panes, layout)].map(([which, series]) => openSeries(which, series.id)));
}

/** The study that an image shows. */
export function studyIn(which: number, state = room.getState()): StudyRow | null {
  const { series } = state.panes[which];
  return state.read?.studies.find((study) => study.series.some((one) => one.id === series)) ?? null;
}

/** The study before a given one, which a reader compares it with first; for the first study, the next one. */
export function studyBeside(studies: StudyRow[], current: StudyRow | null): StudyRow | null {
  const inTime = studies
    .filter((study) => study.series.length > 0)
    .sort((a, b) => (a.days_from_first ?? 0) - (b.days_from_first ?? 0));
  const at = inTime.findIndex((study) => study.id === current?.id);
  return at < 0 ? null : (inTime[at - 1] ?? inTime[at + 1] ?? null);
}

/** Where another study goes: the image that shows it already, an empty one, the next, or a new one at the right. */
function paneFor(study: StudyRow): number {
  const { active } = room.getState();
  if (shownPanes(room.getState()).length === 1) setLayout({ rows: 1, columns: 2 });
  const shown = shownPanes(room.getState()).filter((which) => which !== active);
  const { panes } = room.getState();
  return (
    shown.find((which) => studyIn(which)?.id === study.id) ??
    shown.find((which) => panes[which].series === null) ??
    shown.find((which) => which > active) ??
    shown[0]
  );
}

/** Another study beside the active image: the series that shows the same, at about the same place, linked. */
export async function compareWith(study: StudyRow): Promise<void> {
  const { read, panes, active, manifests } = room.getState();
  const row = read && seriesOf(read).find((series) => series.id === panes[active].series);
  if (!row || studyIn(active)?.id === study.id) return;
  const there = partner(row, study.series, manifests);
  if (!there) return;
  room.setState({ maximised: false });
  const which = paneFor(study);
  if (!(await loadManifest(there.id))) return openSeries(which, there.id);
  const ours = room.getState().manifests[row.id];
  const theirs = room.getState().manifests[there.id];
  const pane = room.getState().panes[active];
  // In one space the image opens at the same place by itself.
  const isApart = ours?.series.frame_of_reference !== theirs.series.frame_of_reference;
  const [stack] = stacksOf(theirs);
  const at =
    ours && isApart
      ? atSamePart({ manifest: ours, index: pane.wanted, sight: null }, theirs, stack.first, stack.count)
      : undefined;
  await openSeries(which, there.id, at);
  if (ours && unitsOf(ours) !== "" && unitsOf(ours) === unitsOf(theirs))
    setPane(which, { window: pane.window, inverted: pane.inverted });
  setLinked("scroll", true);
}
