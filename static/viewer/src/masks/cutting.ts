/** Scissors: a line around a piece of the chosen segment cuts it away, keeps it alone, or fills it. */
import type { Point2 } from "../api/types";
import { apply } from "../engine/camera";
import { indexToWorld, worldToIndex } from "../engine/geometry";
import { type FramePlace, onFrame, type Place, toIndex } from "../place";
import { type Mark, marks, sliceKey } from "../store/marks";
import { room } from "../store/room";
import type { Gesture } from "../tools";
import { apart, DONE } from "../tools/gestures";
import { t } from "../words";
import { type Block, blockOf, cutOut } from "./block";
import { run } from "./job";
import { options } from "./options";
import { inside, scissored } from "./outlines";
import { atOnce } from "./pace";
import { snipLine } from "./preview";
import { withoutHoles } from "./shaping";
import { commitSlices, type Slice, sliceOf } from "./slices";
import { chosenOn, say, type Target, targetAt } from "./target";

const STEP_PX = 2;

export function snipping(which: number, start: Point2, place: Place): Gesture | null {
  if (!onFrame(place)) return DONE;
  const fills = options.getState().cut === "fill";
  const target = targetAt(which, start, place, !fills);
  if (!target) {
    say(t("Choose the segment that the scissors cut."));
    return DONE;
  }
  const points: Point2[] = [toIndex(place, start)];
  return {
    move(at) {
      const to = toIndex(place, at);
      const last = points[points.length - 1];
      if (apart(apply(place.matrix, to), apply(place.matrix, last)) < STEP_PX) return;
      points.push(to);
      snipLine.setState({ pane: which, points: [...points] });
    },
    end() {
      snipLine.setState({ points: [] });
      if (points.length >= 3) void snip(target, place, points);
    },
    cancel: () => snipLine.setState({ points: [] }),
  };
}

async function snip(target: Target, place: FramePlace, points: Point2[]): Promise<void> {
  const block = blockOf(place.manifest, place.index);
  const { cut, through } = options.getState();
  const here = block.indices.indexOf(place.index);
  const numbers = through && block.why === null ? block.indices.map((_, i) => i) : [here];
  const mark = target.mark;
  const done = await run(t("Cutting"), mark ? [mark] : [], async (pace) => {
    const slices = new Map<string, Slice>();
    for (const [i, number] of numbers.entries()) {
      const wait = pace(i / numbers.length);
      if (wait) await wait;
      const slice = opened(mark, block, number);
      if (cut !== "fill" && !mark?.slices.has(sliceKey(slice.sop, slice.frame))) continue;
      // Straight through the body: along the normal of the slice that the line was drawn on.
      const line = points.map((point) =>
        number === here ? point : worldToIndex(block.planes[number], indexToWorld(place.plane, point)),
      );
      const mask = scissored(slice.mask, inside(line, slice.rows, slice.columns), cut);
      if (mask) slices.set(sliceKey(slice.sop, slice.frame), { ...slice, mask });
    }
    return [{ annotation: target.id, value: slices.size ? target.create : null, slices }];
  });
  if (done) room.setState({ selected: target.id });
}

const opened = (mark: Mark | undefined, block: Block, number: number): Slice => {
  const [sop, frame] = [block.sops[number], block.frames[number]];
  const { rows, columns } = block.planes[number];
  return sliceOf(mark, sliceKey(sop, frame), { sop, frame, rows, columns });
};

/** Fill: a press into a hole of a segment closes it; a press beside every segment says why it can't. */
export function pouring(_which: number, start: Point2, place: Place): Gesture | null {
  if (!onFrame(place)) return DONE;
  const block = blockOf(place.manifest, place.index);
  const [column, row] = toIndex(place, start).map(Math.round);
  const { rows, columns } = place.plane;
  if (column < 0 || row < 0 || column >= columns || row >= rows) return DONE;
  const number = block.indices.indexOf(place.index);
  const key = sliceKey(block.sops[number], block.frames[number]);
  const chosen = chosenOn(block.series);
  const all = [...marks.getState().marks.values()].filter(
    ({ value, slices }) => value.series === block.series && slices.has(key),
  );
  void fillHole(chosen ? [chosen] : all, block, number, [column, row]);
  return DONE;
}

async function fillHole(among: Mark[], block: Block, number: number, at: Point2): Promise<void> {
  for (const mark of among) {
    const slice = opened(mark, block, number);
    const filled = await hole(slice, at);
    if (!filled) continue;
    if (mark.value.locked) say(t("This finding is locked: unlock it to change its mask."));
    else {
      commitSlices(mark.id, null, new Map([[sliceKey(slice.sop, slice.frame), { ...slice, mask: filled }]]));
      room.setState({ selected: mark.id });
    }
    return;
  }
  say(t("Nothing to fill here: no outline of a segment is closed around this place."));
}

/** A slice with the hole filled that a voxel lies in; null where it lies in none. */
async function hole(slice: Slice, [column, row]: Point2): Promise<Uint8Array | null> {
  const { rows, columns, mask } = slice;
  if (mask[row * columns + column]) return null;
  const box = { left: 0, right: columns - 1, top: 0, bottom: rows - 1, first: 0, last: 0 };
  const cube = cutOut([mask], { columns, row_mm: 1, column_mm: 1, at_mm: new Float64Array(1) }, box);
  const closed = await withoutHoles(cube, false, atOnce);
  if (!closed[row * columns + column]) return null;
  // Only this hole: from the press outward, through what was free and is closed now.
  const filled = mask.slice();
  const queue = [row * columns + column];
  filled[queue[0]] = 1;
  for (let i = queue.pop(); i !== undefined; i = queue.pop()) {
    for (const j of [i - 1, i + 1, i - columns, i + columns]) {
      if (filled[j] || !closed[j]) continue;
      filled[j] = 1;
      queue.push(j);
    }
  }
  return filled;
}
