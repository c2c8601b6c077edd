/** The images of an adjudication: all readers over each other in three planes, and each reader beside the others. */
import type { AdjudicatedLesion } from "../api/adjudication";
import type { Manifest, Point3 } from "../api/types";
import { moveCrosshair, showCut, whyNoCuts } from "../cutting";
import { UPRIGHT } from "../engine/geometry";
import { isSameSpace } from "../engine/together";
import { frameBeside } from "../hanging";
import { emptyPane } from "../panes";
import { planeIn } from "../place";
import { loadManifest, openSeries } from "../session";
import type { Mark } from "../store/marks";
import { type Layout, PANES_MAX, room, setLayout, setPane } from "../store/room";
import { type Box, boxOf, fieldOf, middleOfBox, sightOn } from "./extent";
import { type Judging, judging, lesionOf } from "./store";

/** At most so many readers have an image at once; with more, one goes through them. */
export const READERS_MOST = 6;

/** A lesion's marks of one reader, with what they were drawn on. */
export function marksOf(
  lesion: AdjudicatedLesion,
  read: string,
  state: Judging = judging.getState(),
): Mark[] {
  const theirs = state.states.get(read)?.marks;
  const ids = lesion.members.find((member) => member.read === read)?.annotations ?? [];
  return ids.flatMap((id) => theirs?.get(id) ?? []);
}

const allMarks = (lesion: AdjudicatedLesion): { mark: Mark; manifest: Manifest }[] =>
  lesion.members.flatMap(({ read }) =>
    marksOf(lesion, read).flatMap((mark) => {
      const manifest = room.getState().manifests[mark.value.series];
      return manifest ? [{ mark, manifest }] : [];
    }),
  );

/** The series that a reader drew a lesion on; null where they have none of it. */
export const seriesOf = (lesion: AdjudicatedLesion, read: string): string | null =>
  lesion.numbers.reads[read]?.series ?? marksOf(lesion, read)[0]?.value.series ?? null;

/** The readers who have an image now. */
export function besides({ now, from }: Pick<Judging, "now" | "from">): string[] {
  const reads = now?.readers.map(({ read }) => read) ?? [];
  return reads.slice(from, from + READERS_MOST);
}

/** The box around all that readers marked of a lesion; null until their marks are here. */
export const boxOfLesion = (lesion: AdjudicatedLesion): Box | null => boxOf(allMarks(lesion));

/** Whether a mark of this read lies where readers marked a lesion, under the same label. */
export function liesAt(lesion: AdjudicatedLesion, mark: Mark | undefined): boolean {
  const manifest = mark && room.getState().manifests[mark.value.series];
  if (!mark || !manifest || mark.value.label !== lesion.label) return false;
  const [theirs, own] = [boxOfLesion(lesion), boxOf([{ mark, manifest }])];
  if (!theirs || !own) return false;
  return theirs[0].every((low, i) => low <= own[1][i] && own[0][i] <= theirs[1][i]);
}

let turn = 0;

/** Lays a lesion on the screen: its series, its largest slice, cuts through its middle, and it large in each image. */
export async function show(lesion: AdjudicatedLesion): Promise<void> {
  const mine = ++turn;
  const { place } = lesion;
  if (!place || !(await loadManifest(place.series)) || mine !== turn) return;
  const reads = besides(judging.getState());
  const hasCuts = await open(0, place.series, place.index, mine).then(() => whyNoCuts(0) === null);
  if (mine !== turn) return;
  const roles = [null, ...(hasCuts ? [null, null] : []), ...reads];
  lay(roles, hasCuts);
  if (hasCuts) for (const which of [1, 2]) await open(which, place.series, place.index, mine);
  for (const [which, read] of roles.entries()) {
    if (read === null || mine !== turn) continue;
    const series = seriesOf(lesion, read) ?? place.series;
    await loadManifest(series);
    const index = series === place.series ? place.index : frameBeside(0, series);
    await open(which, series, index, mine);
  }
  if (mine !== turn) return;
  const box = boxOfLesion(lesion);
  const middle = box ? middleOfBox(box) : place.point_patient_mm;
  if (hasCuts) {
    for (const [which, name] of [
      [1, "coronal"],
      [2, "sagittal"],
    ] as const)
      if (room.getState().panes[which].cut?.name !== name) showCut(name, which);
    if (middle) moveCrosshair(1, middle, false);
  }
  if (middle) enlarge(roles.length, middle, box ? fieldOf(box) : null);
  room.setState({
    active: 0,
    maximised: false,
    linked: true,
    ahead: {},
    linkedSight: true,
    linkedWindow: true,
  });
}

/** The arrangement on the screen; the same one keeps the object that tells it from a layout chosen by hand. */
function lay(roles: (string | null)[], hasCuts: boolean): void {
  const { layout: before, roles: had } = judging.getState();
  const same = before && had.length === roles.length && before.columns === roles.length;
  const layout: Layout = same ? before : { rows: 1, columns: roles.length };
  judging.setState({ layout, roles, hasCuts });
  for (let which = roles.length; which < PANES_MAX; which++) emptyPane(which);
  if (room.getState().layout !== layout) setLayout(layout);
}

/** A series in an image at a frame; one that is there already keeps its window. */
async function open(which: number, series: string, index: number | undefined, mine: number): Promise<void> {
  const pane = room.getState().panes[which];
  if (pane.series !== series || pane.surface) {
    const first = room.getState().panes[0];
    await openSeries(which, series, index);
    if (mine === turn && which > 0 && first.series === series)
      setPane(which, { window: first.window, inverted: first.inverted });
  } else if (!pane.cut && index !== undefined) setPane(which, { wanted: index, error: null });
}

// Sight -------------------------------------------------------------------------------------------

let waiting: { count: number; point: Point3; field_mm: number } | null = null;

/** The lesion in the middle of every image, as large in each; an image that has no size yet gets it once it has. */
function enlarge(count: number, point: Point3, field_mm: number | null): void {
  waiting = field_mm === null ? null : { count, point, field_mm };
  enlarged();
}

function enlarged(): void {
  if (!waiting) return;
  const { count, point, field_mm } = waiting;
  const { panes, manifests } = room.getState();
  const all = Array.from({ length: count }, (_, which) => which);
  if (all.some((which) => panes[which].area.width < 2 || !manifests[panes[which].series ?? ""])) return;
  waiting = null;
  const front = manifests[panes[0].series ?? ""];
  const next = [...panes];
  for (const which of all) {
    const pane = panes[which];
    const manifest = manifests[pane.series ?? ""];
    if (!isSameSpace(front, manifest)) continue;
    const plane = planeIn({ ...pane, shown: null }, manifest);
    next[which] = {
      ...pane,
      sight: sightOn(plane, pane.area, point, field_mm, pane.cut ? UPRIGHT : undefined),
    };
  }
  room.setState({ panes: next });
}

/** Once a page. */
export const watchSizes = (): (() => void) =>
  room.subscribe((now, before) => {
    if (waiting && now.panes !== before.panes) enlarged();
  });

/** The readers beside each other again, after another layout was chosen by hand. */
export function arrange(): void {
  const lesion = lesionOf(judging.getState());
  room.setState({ maximised: false });
  if (lesion) void show(lesion);
}

/** The next of so many readers that they don't all fit beside each other. */
export function turnReaders(by: 1 | -1): void {
  const { now, from } = judging.getState();
  const next = from + by * READERS_MOST;
  if (!now || next < 0 || next >= now.readers.length) return;
  judging.setState({ from: next });
  arrange();
}
