/** The brushes: a stroke paints, or erases, voxels of one segment; flat on what is shown, or as a ball through it. */
import type { Point2, Point3 } from "../api/types";
import { dot, indexToWorld, normalOf, type Plane, sub } from "../engine/geometry";
import { paintPiece } from "../journal/brush";
import { onFrame, type Place, toIndex } from "../place";
import { draft } from "../store/draft";
import { sliceKey } from "../store/marks";
import { room, type ToolName } from "../store/room";
import type { Gesture } from "../tools";
import { DONE } from "../tools/gestures";
import { t } from "../words";
import { paintBall, paintDisc } from "./ball";
import { type Block, blockOf } from "./block";
import { job } from "./job";
import { options } from "./options";
import { commitSlices, type Slice, sliceOf } from "./slices";
import { allOf, freeOn, inRange, say, type Target, targetAt, type Within } from "./target";

/** The slices that a stroke has opened, each a copy that changes until the hand lets go. */
class Opened {
  readonly slices = new Map<string, Slice>();
  readonly changed = new Set<string>();
  /** Slices whose values are not here yet, which a brush within a range leaves out. */
  missing = 0;
  private readonly may = new Map<number, Within | undefined | null>();

  constructor(
    readonly block: Block,
    private readonly target: Target,
    private readonly place: Place,
    private readonly ranged: boolean,
  ) {}

  /** Paints on a slice of the block; `work` says whether it changed anything. */
  on(number: number, work: (mask: Uint8Array, within: Within | undefined) => boolean): void {
    let within = this.may.get(number);
    if (within === undefined && !this.may.has(number)) {
      within = this.condition(number);
      this.may.set(number, within);
    }
    if (within === null) return;
    const { sops, frames, planes } = this.block;
    const key = sliceKey(sops[number], frames[number]);
    let slice = this.slices.get(key);
    if (!slice) {
      const { rows, columns } = planes[number];
      slice = sliceOf(this.target.mark, key, { sop: sops[number], frame: frames[number], rows, columns });
      this.slices.set(key, slice);
    }
    if (work(slice.mask, within)) this.changed.add(key);
  }

  private condition(number: number): Within | undefined | null {
    const range = this.ranged ? inRange(this.place, this.block.indices[number]) : undefined;
    if (range === null) {
      this.missing++;
      return null;
    }
    return allOf(range, options.getState().clear ? freeOn(this.block, number, this.target.id) : null);
  }

  result(): Map<string, Slice> {
    return new Map([...this.slices].filter(([key]) => this.changed.has(key)));
  }
}

/** One piece of a stroke, from and to in index coordinates of what is shown. */
type Piece = (from: Point2, to: Point2) => void;

function flat(opened: Opened, index: number, radius: number, value: 0 | 1): Piece {
  const number = opened.block.indices.indexOf(index);
  const plane = opened.block.planes[number];
  return (from, to) =>
    opened.on(number, (mask, within) => paintPiece(mask, plane, from, to, radius, value, within) !== null);
}

function solid(opened: Opened, place: Place, radius: number, value: 0 | 1): Piece {
  const { planes } = opened.block;
  const ball = options.getState().ball;
  const normal = normalOf(place.plane);
  const half = ball ? 0 : halfExtent(opened.block, normal);
  const reach = Math.hypot(radius, half);
  const world = (point: Point2): Point3 => indexToWorld(place.plane, point);
  return (a, b) => {
    const [from, to] = [world(a), world(b)];
    planes.forEach((plane: Plane, number) => {
      const over = normalOf(plane);
      const [low, high] = [dot(sub(from, plane.origin), over), dot(sub(to, plane.origin), over)];
      if (Math.min(low, high) > reach || Math.max(low, high) < -reach) return;
      opened.on(number, (mask, within) =>
        ball
          ? paintBall(mask, plane, from, to, radius, value, within)
          : paintDisc(mask, plane, from, to, normal, half, radius, value, within),
      );
    });
  };
}

/** Half of a voxel's extent along a direction: a cut passes through the voxels whose centre lies nearer. */
function halfExtent({ planes, at_mm, row_mm, column_mm }: Block, normal: Point3): number {
  const [plane] = planes;
  const apart = at_mm.length > 1 ? Math.abs(at_mm[at_mm.length - 1] - at_mm[0]) / (at_mm.length - 1) : 0;
  const along = (direction: Point3, mm: number) => Math.abs(dot(direction, normal)) * mm;
  return (along(plane.row, column_mm) + along(plane.column, row_mm) + along(normalOf(plane), apart)) / 2;
}

export function painting(tool: ToolName, which: number, start: Point2, place: Place): Gesture | null {
  if (job.getState().running) return DONE;
  const target = targetAt(which, start, place, tool === "eraser");
  if (!target) return null;
  const block = blockOf(place.manifest, place.near);
  const through = options.getState().ball || !onFrame(place);
  if (through && block.why) {
    say(t("The ball is off here: {why}", { why: block.why }));
    return DONE;
  }
  const { brushMm } = room.getState();
  const value = tool === "eraser" ? 0 : 1;
  const opened = new Opened(block, target, place, tool === "threshold");
  const piece =
    onFrame(place) && !through
      ? flat(opened, place.index, brushMm, value)
      : solid(opened, place, brushMm, value);
  let last = toIndex(place, start);
  const show = () =>
    draft.setState((now) => ({
      painted: now.painted + 1,
      stroke: { pane: which, annotation: target.id, color: target.color, slices: opened.slices },
    }));
  piece(last, last);
  show();
  return {
    move(_, event) {
      const box = (event.currentTarget as Element | null)?.getBoundingClientRect();
      if (!box) return;
      // A fast hand makes more points than frames: all of them belong to the stroke.
      const all = event.getCoalescedEvents?.() ?? [];
      for (const one of all.length ? all : [event]) {
        const to = toIndex(place, [one.clientX - box.left, one.clientY - box.top]);
        piece(last, to);
        last = to;
      }
      show();
    },
    end() {
      draft.setState({ stroke: null });
      const changed = opened.result();
      if (opened.missing) say(t("Some slices are still loading: nothing was painted on them."));
      if (!changed.size) return;
      commitSlices(target.id, target.create, changed);
      room.setState({ selected: target.id });
    },
    cancel: () => draft.setState({ stroke: null }),
  };
}
