/**
 * Fingers on an image: one works the tool, two pan and zoom, three scroll, and one along the right edge scrolls,
 * too. A finger that comes late never spoils what another one draws. Points are CSS pixels of the viewport.
 */
import type { Point2 } from "./api/types";

const EDGE_PX = 48;
const BEGIN_PX = 6;
const PX_A_SLICE = 12;
const LATE_MS = 300;
/** A hand that rests on the screen beside the pen. */
const PALM_MS = 600;

export interface Drawn<E> {
  move(at: Point2, event: E): void;
  end(at: Point2, event: E): void;
  cancel(): void;
}

export interface TouchActs<E> {
  begin(at: Point2, event: E): Drawn<E> | null;
  pan(dx: number, dy: number): void;
  zoom(factor: number, at: Point2): void;
  scroll(steps: number): void;
  /** Width of the viewport. */
  width(): number;
  /** Milliseconds. */
  now(): number;
}

type Mode<E> =
  | { kind: "none" }
  /** One finger is down and has not moved yet: a second one may still come. */
  | { kind: "waiting"; id: number; start: Point2; event: E }
  | { kind: "tool"; id: number; since: number; drawn: Drawn<E> | null }
  | { kind: "pinch"; centre: Point2; apart: number }
  | { kind: "scroll"; y: number; rest: number }
  /** Fingers left over from two or three: nothing until all are lifted. */
  | { kind: "over" };

const mean = (points: Point2[]): Point2 => [
  points.reduce((sum, [x]) => sum + x, 0) / points.length,
  points.reduce((sum, [, y]) => sum + y, 0) / points.length,
];
const distance = (a: Point2, b: Point2): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

export class Touch<E> {
  private fingers = new Map<number, Point2>();
  private mode: Mode<E> = { kind: "none" };
  private penAt = Number.NEGATIVE_INFINITY;

  constructor(private acts: TouchActs<E>) {}

  /** The pen was seen: fingers are the hand that holds it. */
  pen(): void {
    this.penAt = this.acts.now();
    if (this.mode.kind === "waiting") this.mode = { kind: "over" };
  }

  down(id: number, at: Point2, event: E): void {
    if (this.acts.now() - this.penAt < PALM_MS) return;
    this.fingers.set(id, at);
    const { mode } = this;
    if (mode.kind === "tool" && this.acts.now() - mode.since > LATE_MS) return;
    if (mode.kind === "tool") mode.drawn?.cancel();
    const count = this.fingers.size;
    if (count === 1) {
      this.mode =
        at[0] > this.acts.width() - EDGE_PX
          ? { kind: "scroll", y: at[1], rest: 0 }
          : { kind: "waiting", id, start: at, event };
    } else if (count === 2 && mode.kind !== "scroll") this.mode = this.pinch();
    else this.mode = { kind: "scroll", y: this.centre()[1], rest: 0 };
  }

  move(id: number, at: Point2, event: E): void {
    if (!this.fingers.has(id)) return;
    this.fingers.set(id, at);
    const { mode } = this;
    if (mode.kind === "waiting" && distance(at, mode.start) > BEGIN_PX) {
      const drawn = this.acts.begin(mode.start, mode.event);
      this.mode = { kind: "tool", id, since: this.acts.now(), drawn };
      drawn?.move(at, event);
    } else if (mode.kind === "tool" && mode.id === id) mode.drawn?.move(at, event);
    else if (mode.kind === "pinch") {
      const now = this.pinch();
      this.acts.pan(now.centre[0] - mode.centre[0], now.centre[1] - mode.centre[1]);
      if (mode.apart > 0 && now.apart > 0) this.acts.zoom(now.apart / mode.apart, now.centre);
      this.mode = now;
    } else if (mode.kind === "scroll") {
      const y = this.centre()[1];
      const rest = mode.rest + y - mode.y;
      const steps = Math.trunc(rest / PX_A_SLICE);
      this.mode = { kind: "scroll", y, rest: rest - steps * PX_A_SLICE };
      if (steps) this.acts.scroll(steps);
    }
  }

  up(id: number, at: Point2, event: E): void {
    if (!this.fingers.delete(id)) return;
    const { mode } = this;
    if (mode.kind === "waiting") {
      // A tap: what a click would be.
      this.mode = { kind: "over" };
      this.acts.begin(mode.start, mode.event)?.end(at, event);
    } else if (mode.kind === "tool" && mode.id === id) {
      this.mode = { kind: "over" };
      mode.drawn?.end(at, event);
    } else if (mode.kind !== "tool") this.mode = { kind: "over" };
    if (!this.fingers.size) this.mode = { kind: "none" };
  }

  /** The system took a finger away, or Esc was pressed: what was half drawn is let go. */
  cancel(id?: number): void {
    const { mode } = this;
    if (id === undefined) this.fingers.clear();
    else if (!this.fingers.delete(id)) return;
    if (mode.kind === "tool" && (id === undefined || mode.id === id)) mode.drawn?.cancel();
    this.mode = this.fingers.size ? { kind: "over" } : { kind: "none" };
  }

  get busy(): boolean {
    return this.mode.kind !== "none";
  }

  private centre(): Point2 {
    return mean([...this.fingers.values()]);
  }

  private pinch(): { kind: "pinch"; centre: Point2; apart: number } {
    const [a, b] = [...this.fingers.values()];
    return { kind: "pinch", centre: mean([a, b]), apart: distance(a, b) };
  }
}
