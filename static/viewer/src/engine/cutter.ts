/**
 * Draws a cut again and again while a hand moves it: at once, as fine as the time of a frame allows, and in full
 * as soon as it rests. Work in full is done in pieces, so that a hand that moves on need not wait for it.
 */
import { type Cut, pixelOfCut, planeOfCut, sameImage, stepOfCut } from "./cut";
import type { Pixels } from "./decode";
import type { Plane } from "./geometry";
import { Reslicer, slabOf } from "./reslice";
import type { Volume } from "./volume";

export interface CutImage {
  volume: Volume;
  plane: Plane;
  pixels: Pixels;
}

/** Longest that a hand waits for the pixels of one movement. */
const BUDGET_MS = 14;
const REST_MS = 140;
const PIECE_MS = 10;
const COARSEST = 4;
/** While slices still come in, a cut is drawn anew at most this often. */
const ARRIVALS_MS = 350;

export class Cutter {
  private readonly put: (image: CutImage) => Promise<void>;
  private wanted: { volume: Volume; cut: Cut } | null = null;
  /** What was asked for after what is being put on the screen. */
  private late = false;
  private busy = false;
  private rest: ReturnType<typeof setTimeout> | null = null;
  private arrivals: ReturnType<typeof setTimeout> | null = null;
  /** Milliseconds a sample, as measured on this machine. */
  private cost = 3e-5;

  constructor(put: (image: CutImage) => Promise<void>) {
    this.put = put;
  }

  /** Whether this is on the screen already, or on its way there. */
  shows(volume: Volume, cut: Cut): boolean {
    return this.wanted?.volume === volume && sameImage(this.wanted.cut, cut);
  }

  /** Shows this now. */
  show(volume: Volume, cut: Cut): void {
    this.wanted = { volume, cut };
    this.wait(null);
    if (this.busy) this.late = true;
    else void this.draw();
  }

  /** More slices have come in. */
  again(): void {
    if (!this.wanted || this.arrivals) return;
    this.arrivals = setTimeout(() => {
      this.arrivals = null;
      if (this.wanted && !this.rest) this.refine();
    }, ARRIVALS_MS);
  }

  stop(): void {
    this.wanted = null;
    this.late = false;
    this.wait(null);
    if (this.arrivals) clearTimeout(this.arrivals);
    this.arrivals = null;
  }

  private wait(work: (() => void) | null, ms = 0): void {
    if (this.rest) clearTimeout(this.rest);
    this.rest = null;
    if (!work) return;
    this.rest = setTimeout(() => {
      this.rest = null;
      work();
    }, ms);
  }

  private prepare(coarse: number): Reslicer | null {
    if (!this.wanted) return null;
    const { volume, cut } = this.wanted;
    const plane = planeOfCut(cut, volume, pixelOfCut(volume) * coarse);
    return new Reslicer(volume, plane, slabOf(cut.slab_mm, stepOfCut(cut, volume), cut.mode));
  }

  private async draw(): Promise<void> {
    this.late = false;
    let coarse = 1;
    let reslicer = this.prepare(coarse);
    while (reslicer && coarse < COARSEST && reslicer.samples * this.cost > BUDGET_MS)
      reslicer = this.prepare(++coarse);
    if (!reslicer) return;
    const begun = performance.now();
    reslicer.draw();
    const took = performance.now() - begun;
    this.cost = 0.7 * this.cost + (0.3 * took) / Math.max(1, reslicer.samples);
    await this.paint(reslicer);
    if (this.late) return this.draw();
    if (coarse > 1) this.wait(() => this.refine(), REST_MS);
  }

  /** In full, in pieces; given up as soon as something else is wanted. */
  private refine(): void {
    const reslicer = this.prepare(1);
    const goal = this.wanted;
    if (!reslicer) return;
    const piece = () => {
      if (this.wanted !== goal) return;
      if (!reslicer.draw(performance.now() + PIECE_MS)) return this.wait(piece);
      if (this.busy) this.late = true;
      else void this.paint(reslicer);
    };
    piece();
  }

  private async paint(reslicer: Reslicer): Promise<void> {
    if (!this.wanted) return;
    this.busy = true;
    const { plane, data } = reslicer;
    const { low, high } = reslicer.span;
    const { rows, columns } = plane;
    const pixels = { data, colour: false, rows, columns, minimum: low, maximum: high };
    try {
      await this.put({ volume: this.wanted.volume, plane, pixels });
    } finally {
      this.busy = false;
    }
  }
}
