/** Answers, as the room gives and reads them: to questions, about labels, about proposals. */

import type {
  AnnotationValue,
  AnswerValue,
  FourState,
  Imported,
  ObjectRef,
  ObjectValue,
  Question,
  Read,
} from "./api/types";
import { answerId } from "./forms/ids";
import { isAsked, type Owed, owed, type Said, subjects, type Things } from "./forms/missing";
import { takenAs } from "./forms/taking";
import { uuid } from "./journal/ids";
import { inUse } from "./labels";
import { fetchImported, importedSlices, segmentValue } from "./marking";
import { journal } from "./session";
import { type Mark, type Marks, marks, sliceKey } from "./store/marks";
import { mayMark, room } from "./store/room";

type Change = { object: ObjectRef; value: ObjectValue };
type Of = AnswerValue["of"];

export const saidIn =
  ({ answers }: Pick<Marks, "answers">): Said =>
  (of, id, answer) =>
    answers.get(answerId({ answer, of, id }))?.value;

const changeOf = (of: Of, id: string, answer: string, value: AnswerValue["value"] | null): Change => ({
  object: { annotation: answerId({ answer, of, id }) },
  value: value === null ? null : { answer, of, id, value },
});

/** Answers a question, or takes the answer back (null). What waited for the former answer goes with it. */
export function answer(question: Question, about: string, value: AnswerValue["value"] | null): void {
  const { read } = room.getState();
  if (!read || !mayMark(room.getState())) return;
  const questions = read.schema.questions;
  const before = saidIn(marks.getState());
  const after: Said = (of, id, key) =>
    of === question.of && id === about && key === question.key ? (value ?? undefined) : before(of, id, key);
  const changes = [changeOf(question.of, about, question.key, value)];
  for (const other of questions) {
    if (!other.when) continue;
    for (const its of subjects(other, thingsOf(read, marks.getState()))) {
      if (before(other.of, its, other.key) === undefined) continue;
      if (isAsked(other, its, questions, before) && !isAsked(other, its, questions, after))
        changes.push(changeOf(other.of, its, other.key, null));
    }
  }
  journal.commit(changes);
}

/** Whether the case shows what a label names; null takes it back. The same state again takes it back, too. */
export function stateLabel(label: string, state: FourState): void {
  if (!mayMark(room.getState())) return;
  const same = saidIn(marks.getState())("label", label, "state") === state;
  journal.commit([changeOf("label", label, "state", same ? null : state)]);
}

/** What the read's questions may be about. */
export function thingsOf(read: Read, { marks: all }: Pick<Marks, "marks">): Things {
  const series = read.studies.flatMap((study) => study.series);
  return {
    studies: read.studies.map((study) => study.id),
    series: series.map((one) => [one.id, one.modality]),
    marks: [...all.values()].map(({ id, value }) => [id, value]),
  };
}

export const owedBy = (read: Read, now: Marks): Owed[] =>
  owed(read.schema.labels, read.schema.questions, thingsOf(read, now), saidIn(now));

// Proposals --------------------------------------------------------------------------------------

export interface Proposal {
  state: "open" | "accepted" | "rejected";
  at: string | null;
  /** The mark that was made of it; undefined where it was deleted since. */
  mark: Mark | undefined;
}

export function proposalOf(imported: Imported, { marks: all, answers }: Marks): Proposal {
  const verdict = answers.get(answerId({ answer: "proposal", of: "imported", id: imported.id }));
  const mark = [...all.values()].find(({ value }) => value.origin.imported === imported.id);
  const state = mark || verdict?.value === "accepted" ? "accepted" : verdict ? "rejected" : "open";
  return { state, at: verdict?.at ?? null, mark };
}

const verdictOn = (imported: Imported, value: "accepted" | "rejected"): Change => {
  const change = changeOf("imported", imported.id, "proposal", value);
  return { ...change, value: { ...(change.value as AnswerValue), at: new Date().toISOString() } };
};

/** The label and kind that a proposal is taken over with; null where no label allows it. */
export function taking(imported: Imported): ReturnType<typeof takenAs> {
  const { read, label } = room.getState();
  return takenAs(inUse(read?.schema.labels ?? []), label, imported);
}

/** Takes a proposal over as one's own mark, in one gesture with the verdict. Returns the mark's id. */
export async function accept(imported: Imported): Promise<string | null> {
  const as = taking(imported);
  if (!as) return null;
  const slices = as.kind === "segment" ? await fetchImported(imported) : [];
  if (!mayMark(room.getState())) return null;
  const id = uuid();
  const origin = { from: "imported" as const, imported: imported.id };
  const value: AnnotationValue = {
    ...segmentValue(imported.series, as.label),
    kind: as.kind,
    origin,
    ...(as.kind === "segment" ? {} : imported.place),
  };
  journal.commit([
    { object: { annotation: id }, value },
    ...slices.map(
      ({ sop, frame, rle, rows, columns }): Change => ({
        object: { annotation: id, sop, frame },
        value: { rle, rows, columns },
      }),
    ),
    verdictOn(imported, "accepted"),
  ]);
  room.setState((state) => ({
    selected: id,
    outlined: state.outlined.filter((one) => one !== imported.id),
  }));
  return id;
}

/** Not taken over; again, and it is open as before. */
export function reject(imported: Imported): void {
  if (!mayMark(room.getState())) return;
  const { state } = proposalOf(imported, marks.getState());
  const change = verdictOn(imported, "rejected");
  journal.commit([state === "rejected" ? { ...change, value: null } : change]);
  room.setState((now) => ({ outlined: now.outlined.filter((one) => one !== imported.id) }));
}

/** Whether a mark is still what it was taken over from; null until the slices of that are known. */
export function isAsItCame(imported: Imported, mark: Mark): boolean | null {
  if (mark.value.kind !== "segment") {
    const points = ({ points_patient_mm, points_image }: Partial<AnnotationValue>) =>
      JSON.stringify(points_patient_mm ?? points_image);
    return points(mark.value) === points(imported.place ?? {});
  }
  const slices = importedSlices.get(imported.id);
  if (!slices) return null;
  return (
    slices.length === mark.slices.size &&
    slices.every(({ sop, frame, rle }) => mark.slices.get(sliceKey(sop, frame))?.rle === rle)
  );
}
