/** What a gesture writes into the journal: one function a verb. */
import type { AnnotationValue, FourState, Imported, Kind, ObjectRef, ObjectValue, Point2 } from "./api/types";
import { indexToWorld, planeOf, sliceDistance } from "./engine/geometry";
import { boxAround, withRectangle } from "./journal/box";
import { placed, pointsFrom } from "./journal/figures";
import { uuid } from "./journal/ids";
import { inUse } from "./labels";
import { reachBack } from "./past";
import type { Place } from "./place";
import { client, journal } from "./session";
import { draft } from "./store/draft";
import { type Mark, type MaskSlice, marks } from "./store/marks";
import { mayMark, room } from "./store/room";
import { t } from "./words";

type Change = { object: ObjectRef; value: ObjectValue };

/** The label a new mark of this kind gets: the chosen one where it allows the kind, else the first that does. */
export function labelFor(kind: Kind): string | null {
  const { read, label } = room.getState();
  const labels = inUse(read?.schema.labels ?? []);
  const chosen = labels.find((one) => one.key === label);
  if (chosen?.kinds.includes(kind)) return chosen.key;
  return labels.find((one) => one.kinds.includes(kind))?.key ?? null;
}

/** A new mark on what a pane shows, from index coordinates there. Chosen at once. */
export function addShape(place: Place, kind: Kind, points: Point2[]): string | null {
  const label = labelFor(kind);
  if (!label) return null;
  const id = uuid();
  const value: AnnotationValue = {
    kind,
    label,
    series: place.manifest.series.id,
    state: "present",
    note: "",
    origin: { from: "reader" },
    ...placed(place, points),
  };
  if (kind === "box") {
    const corners = points.map((point) => indexToWorld(place.plane, point));
    value.points_patient_mm = boxAround(corners, place.plane, depthOf(place));
  }
  journal.commit([{ object: { annotation: id }, value }]);
  room.setState({ selected: id });
  return id;
}

/** A new box is as deep as one slice, until the reader makes it deeper. */
const depthOf = ({ manifest, index, plane }: Place): number =>
  (index === null ? null : sliceDistance(manifest, index, 2)) ?? Math.min(plane.row_mm, plane.column_mm);

/** The value of a mark with other points, which are index coordinates on what a pane shows. */
export function withPoints(value: AnnotationValue, place: Place, points: Point2[]): AnnotationValue {
  const { points_patient_mm: before, points_image: _, ...rest } = value;
  if (value.kind !== "box" || !before) return { ...rest, ...pointsFrom(place.plane, points) };
  const corners = points.map((point) => indexToWorld(place.plane, point));
  return { ...rest, points_patient_mm: withRectangle(before, place.plane, corners) };
}

export function moveShape(id: string, place: Place, points: Point2[]): void {
  const mark = marks.getState().marks.get(id);
  if (!mark || mark.value.locked) return;
  journal.commit([{ object: { annotation: id }, value: withPoints(mark.value, place, points) }]);
}

/** A second mark like another, with these points on another frame. Chosen at once; what is locked is the first. */
export function copyShape(
  mark: Mark,
  place: Pick<Place, "manifest" | "index" | "plane">,
  points: Point2[],
): string {
  const { kind, label, series, state, note } = mark.value;
  const id = uuid();
  const value: AnnotationValue = {
    ...{ kind, label, series, state, note },
    origin: { from: "reader" },
    ...placed(place, points),
  };
  journal.commit([{ object: { annotation: id }, value }]);
  room.setState({ selected: id });
  return id;
}

export function segmentValue(series: string, label: string, state: FourState = "present"): AnnotationValue {
  return { kind: "segment", label, series, state, note: "", origin: { from: "reader" } };
}

export function addSegment(series: string): string | null {
  const label = labelFor("segment");
  if (!label) return null;
  const id = uuid();
  journal.commit([{ object: { annotation: id }, value: segmentValue(series, label) }]);
  room.setState({ selected: id });
  return id;
}

export function change(id: string, part: Partial<AnnotationValue>): void {
  const mark = marks.getState().marks.get(id);
  if (mark) journal.commit([{ object: { annotation: id }, value: { ...mark.value, ...part } }]);
}

export function remove(id: string): void {
  const mark = marks.getState().marks.get(id);
  if (!mark || !mayMark(room.getState())) return;
  if (mark.value.locked) {
    const sentence = t("This finding is locked: unlock it to delete it.");
    room.setState({ notice: { sentence, act: null, does: null } });
    return;
  }
  const slices = [...mark.slices.values()].map(
    ({ sop, frame }): Change => ({ object: { annotation: id, sop, frame }, value: null }),
  );
  journal.commit([...slices, ...answersAbout(id), { object: { annotation: id }, value: null }]);
  if (room.getState().selected === id) room.setState({ selected: null });
}

/** What was answered about a mark goes with it, and comes back with it. */
const answersAbout = (annotation: string): Change[] =>
  [...marks.getState().answers]
    .filter(([, value]) => value.of === "annotation" && value.id === annotation)
    .map(([id]) => ({ object: { annotation: id }, value: null }));

/** By the imported segment's id, which no two reads share: it may outlive a read. */
export const importedSlices = new Map<string, MaskSlice[]>();

export async function fetchImported(imported: Imported): Promise<MaskSlice[]> {
  const here = importedSlices.get(imported.id);
  if (here) return here;
  const { slices } = await client.imported(imported.id);
  const manifest = room.getState().manifests[imported.series];
  const full = slices.map((slice) => {
    const index = manifest.frames.sop.indexOf(slice.sop);
    const { rows, columns } = planeOf(manifest, Math.max(0, index));
    return { ...slice, rows, columns, voxels: 0 };
  });
  importedSlices.set(imported.id, full);
  return full;
}

// A stroke under way holds a copy of its slice: undoing beneath it would come back with the stroke.
const handsFree = (): boolean => mayMark(room.getState()) && draft.getState().stroke === null;

/** What was undone long ago must be known before anything is undone or redone: then it is done, once it is. */
function isReaching(then: () => void): boolean {
  if (!journal.isTorn) return false;
  void reachBack().then(() => {
    if (!journal.isTorn) then();
  });
  return true;
}

export function undo(force = false): void {
  if (!handsFree() || isReaching(() => undo(force))) return;
  const outcome = journal.undo(force);
  // Gestures from before the page was opened come when they are needed.
  if (outcome === "nothing" && journal.earlier)
    void reachBack().then(() => journal.stacks.undo.length && undo());
  else void reachBack();
  if (outcome === "changed") {
    room.setState({
      notice: { sentence: t("This was changed since, elsewhere."), act: t("Undo it anyway"), does: "undo" },
    });
  } else room.setState({ notice: null });
}

export function redo(force = false): void {
  if (!handsFree() || isReaching(() => redo(force))) return;
  const outcome = journal.redo(force);
  if (outcome === "changed") {
    room.setState({
      notice: { sentence: t("This was changed since, elsewhere."), act: t("Redo it anyway"), does: "redo" },
    });
  } else room.setState({ notice: null });
}
