/** What is done to the chosen finding by keys, palette and buttons: copied on, nudged, locked, hidden, made deeper. */
import type { Point2 } from "../api/types";
import { type Command, register } from "../commands";
import { apply, invert } from "../engine/camera";
import { planeOf, sliceDistance, worldToIndex } from "../engine/geometry";
import { inStack } from "../engine/stacks";
import { reachingTo } from "../journal/box";
import { indexOfFrame, pointsOn, showsOn } from "../journal/figures";
import { change, copyShape, moveShape } from "../marking";
import { scrollTo } from "../moving";
import { onFrame, type Place, placeOf } from "../place";
import { type Mark, marks } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { isNoReader, whyNoMarks } from "./why";

const chosen = (): Mark | null => {
  const { selected } = room.getState();
  return selected ? (marks.getState().marks.get(selected) ?? null) : null;
};

const whyNone = (): string | null => (chosen() ? null : t("No finding is chosen."));

/** The chosen mark with its lines, and the pane that shows it: the active one. */
function shown(): { mark: Mark; place: Place } | null {
  const mark = chosen();
  const place = placeOf(room.getState().active);
  return mark && place && mark.value.kind !== "segment" && showsOn(mark.value, place)
    ? { mark, place }
    : null;
}

function whyNotShown(): string | null {
  const mark = chosen();
  if (!mark) return t("No finding is chosen.");
  if (mark.value.kind === "segment") return t("This is for marks with lines, not for masks.");
  return shown() ? null : t("Go to the chosen finding first: click it in the list.");
}

const whyNotMoved = (): string | null =>
  whyNoMarks() ?? whyNotShown() ?? (chosen()?.value.locked ? t("This finding is locked.") : null);

// Copies --------------------------------------------------------------------------------------------

function nextFrame(step: 1 | -1): number | null {
  const here = shown();
  if (!here || !onFrame(here.place)) return null;
  const { manifest, index } = here.place;
  const next = index + step;
  return inStack(manifest, index, next) === next ? next : null;
}

/** The same mark on the slice before or after, at the same place, which is then shown. */
function copyOn(step: 1 | -1): void {
  const here = shown();
  const next = nextFrame(step);
  if (!here || next === null) return;
  const { manifest, plane } = here.place;
  const there = planeOf(manifest, next);
  const points = here.mark.value.points_patient_mm
    ? here.mark.value.points_patient_mm.map((point) => worldToIndex(there, point))
    : pointsOn(here.mark.value, here.place);
  if (plane.kind !== there.kind) return;
  copyShape(here.mark, { manifest, index: next, plane: there }, points);
  scrollTo(room.getState().active, next);
}

function whyNoCopy(step: 1 | -1): string | null {
  const why = whyNoMarks() ?? whyNotShown();
  if (why) return why;
  if (chosen()?.value.kind === "box") return t("A box lies on several slices already: make it deeper.");
  return nextFrame(step) === null ? t("There is no slice on that side.") : null;
}

const copies = (
  [
    [1, "copy-next", "Ctrl+ArrowDown", t("Copy the chosen finding to the next slice")],
    [-1, "copy-previous", "Ctrl+ArrowUp", t("Copy the chosen finding to the slice before")],
  ] as const
).map(
  ([step, id, key, title]): Command => ({
    id: `mark.${id}`,
    title,
    group: "Mark",
    keys: [key],
    hidden: isNoReader,
    off: () => whyNoCopy(step),
    run: () => copyOn(step),
  }),
);

// Nudges --------------------------------------------------------------------------------------------

/** One voxel in a direction of the screen. */
function nudge([dx, dy]: Point2): void {
  const here = shown();
  if (!here) return;
  const inverse = invert(here.place.matrix);
  const [ox, oy] = apply(inverse, [0, 0]);
  const [x, y] = apply(inverse, [dx, dy]);
  const size = Math.max(Math.abs(x - ox), Math.abs(y - oy));
  const step: Point2 = [(x - ox) / size, (y - oy) / size];
  const points = pointsOn(here.mark.value, here.place);
  moveShape(
    here.mark.id,
    here.place,
    points.map(([c, r]): Point2 => [c + step[0], r + step[1]]),
  );
}

const nudges = (
  [
    ["left", "ArrowLeft", [-1, 0], t("Move the chosen finding left by one voxel")],
    ["right", "ArrowRight", [1, 0], t("Move the chosen finding right by one voxel")],
    ["up", "ArrowUp", [0, -1], t("Move the chosen finding up by one voxel")],
    ["down", "ArrowDown", [0, 1], t("Move the chosen finding down by one voxel")],
  ] as [string, string, Point2, string][]
).map(
  ([id, key, by, title]): Command => ({
    id: `mark.nudge-${id}`,
    title,
    group: "Mark",
    keys: [`Ctrl+Shift+${key}`],
    repeats: true,
    hidden: isNoReader,
    off: whyNotMoved,
    run: () => nudge(by),
  }),
);

// Lock, hide, depth -----------------------------------------------------------------------------------

export function lock(mark: Mark): void {
  change(mark.id, { locked: !mark.value.locked });
}

/** Not drawn, or drawn again; the finding itself stays. */
export function hide(id: string): void {
  room.setState(({ hidden }) => ({
    hidden: hidden.includes(id) ? hidden.filter((one) => one !== id) : [...hidden, id],
  }));
}

/** Why the chosen box can't be made to reach to the slice shown; null where it can. */
export function whyNoReach(): string | null {
  const mark = chosen();
  const place = placeOf(room.getState().active);
  if (mark?.value.kind !== "box") return t("No box is chosen.");
  if (mark.value.locked) return t("This finding is locked.");
  if (!place || !onFrame(place) || place.manifest.series.id !== mark.value.series)
    return t("Go to a slice of the box's series.");
  return whyNoMarks();
}

/** The chosen box, made to end on the slice shown: with all of that slice's thickness. */
export function reachHere(): void {
  const mark = chosen();
  const place = placeOf(room.getState().active);
  const points = mark?.value.points_patient_mm;
  if (!mark || !points || !place || !onFrame(place)) return;
  const first = indexOfFrame(place.manifest, mark.value.sop ?? "", mark.value.frame ?? 1);
  const thick = sliceDistance(place.manifest, Math.min(place.index, Math.max(0, first)), 2);
  change(mark.id, { points_patient_mm: reachingTo(points, place.plane, (thick ?? 0) / 2) });
}

register(
  ...copies,
  ...nudges,
  {
    id: "mark.lock",
    title: t("Lock or unlock the chosen finding"),
    group: "Mark",
    keys: ["Shift+l"],
    hidden: isNoReader,
    off: () => whyNoMarks() ?? whyNone(),
    run: () => {
      const mark = chosen();
      if (mark) lock(mark);
    },
  },
  {
    id: "mark.hide",
    title: t("Hide or show the chosen finding"),
    group: "Mark",
    keys: ["Shift+v"],
    off: whyNone,
    run: () => {
      const mark = chosen();
      if (mark) hide(mark.id);
    },
  },
  {
    id: "mark.show-all",
    title: t("Show all hidden findings"),
    group: "Mark",
    keys: [],
    off: () => (room.getState().hidden.length ? null : t("No finding is hidden.")),
    run: () => room.setState({ hidden: [] }),
  },
  {
    id: "mark.reach",
    title: t("Make the chosen box reach to this slice"),
    group: "Mark",
    keys: ["Shift+e"],
    hidden: isNoReader,
    off: whyNoReach,
    run: reachHere,
  },
);
