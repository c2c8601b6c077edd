/** The read as it stood earlier: to look at, and to bring marks back from. Nothing can be drawn there. */
import type { GestureLine, ObjectRef, ObjectValue, StateAnswer } from "./api/types";
import { isPlane } from "./journal/objects";
import { client, journal, sentenceOf, showMarks, sizeOf } from "./session";
import { applyObjects, type Marks, makeMarks, marks } from "./store/marks";
import { mayMark, room } from "./store/room";

let asked = 0;

/** Shows the marks as they stood after a gesture; the newest answer wins where several are asked for quickly. */
export async function goBackTo(line: Pick<GestureLine, "number" | "at">): Promise<void> {
  const mine = client;
  asked += 1;
  const own = asked;
  try {
    const state = await mine.stateAt(line.number);
    if (mine !== client || own !== asked) return;
    marks.setState(marksOf(state));
    room.setState({ past: { number: line.number, at: line.at }, selected: null });
  } catch (error) {
    if (mine === client) room.setState({ notice: { sentence: sentenceOf(error), act: null, does: null } });
  }
}

/** Back to the marks as they are. */
export function backToNow(): void {
  asked += 1;
  if (!room.getState().past) return;
  room.setState({ past: null });
  showMarks();
}

/** The marks of a state, laid out as the page shows them. */
export function marksOf(state: StateAnswer): Marks {
  const store = makeMarks();
  applyObjects(
    [
      ...state.annotations.map(({ id, value }) => ({ object: { annotation: id }, value })),
      ...(state.answers ?? []).map(({ id, value }) => ({ object: { annotation: id }, value })),
      ...state.planes.map(({ annotation, sop, frame, rle }) => ({
        object: { annotation, sop, frame },
        value: { rle, ...sizeOf(sop) },
      })),
    ],
    store,
  );
  return store.getState();
}

/** Makes a mark as it was at the moment looked at, in one gesture; everything else stays as it is now. */
export function restore(annotation: string): void {
  const mark = marks.getState().marks.get(annotation);
  const then = [...marks.getState().answers].filter(
    ([, value]) => value.of === "annotation" && value.id === annotation,
  );
  if (!mark || !room.getState().past) return;
  backToNow();
  if (!mayMark(room.getState())) return;
  const changes: { object: ObjectRef; value: ObjectValue }[] = [
    { object: { annotation }, value: mark.value },
  ];
  for (const slice of mark.slices.values()) {
    const { sop, frame, rle, rows, columns } = slice;
    changes.push({ object: { annotation, sop, frame }, value: { rle, rows, columns } });
  }
  for (const { object } of journal.planesOf(annotation)) {
    if (isPlane(object) && !mark.slices.has(`${object.sop}|${object.frame}`))
      changes.push({ object, value: null });
  }
  for (const [id, value] of then) changes.push({ object: { annotation: id }, value });
  journal.commit(changes);
  room.setState({ selected: annotation });
}

// Undo without end -------------------------------------------------------------------------------

const FETCH_BELOW = 12;
let fetching: Promise<void> | null = null;

/** Fetches gestures from before, where few are left to undo, or some take back what isn't known yet. */
export function reachBack(): Promise<void> {
  fetching ??= reach().finally(() => {
    fetching = null;
  });
  return fetching;
}

async function reach(): Promise<void> {
  const mine = journal;
  const isShort = () => mine.earlier > 0 && (mine.isTorn || mine.stacks.undo.length <= FETCH_BELOW);
  while (mine === journal && isShort()) {
    try {
      const before = mine.oldest;
      const { groups } = await client.history(before);
      // Meanwhile the read may have been fetched anew: then this page no longer joins on.
      if (mine !== journal || !groups.length) return;
      if (mine.oldest === before) mine.older(groups);
    } catch {
      // The next undo asks again.
      return;
    }
  }
}
