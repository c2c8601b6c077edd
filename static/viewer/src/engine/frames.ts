/**
 * The frames of one series: fetched from the pixel road nearest first, decoded once, kept as displayed
 * values (stored × slope + intercept, × SUV factor). The only cache; Cornerstone's points into it.
 *
 * Everyone who looks at the series has a place in it (`prefetch`). Where not all of it may be kept (`allow`), the
 * frames nearest to those places are.
 */
import { taken } from "../api/early";
import type { Manifest } from "../api/types";
import { t } from "../words";
import { bytesOf, decodeFrame, type Pixels } from "./decode";
import { pixelOf } from "./geometry";

export interface Progress {
  loaded: number;
  total: number;
  failed: number;
}

interface Wish {
  promise: Promise<Pixels>;
  take(pixels: Pixels): void;
  refuse(error: unknown): void;
}

const RUNS_AT_ONCE = 2;
/** Frames to show at once that are fetched at a time. A hand that scrolls fast asks for more: the newest goes first. */
const WISHES_AT_ONCE = 3;
const RUN_BYTES = 3_000_000;
const RUN_FRAMES = 16;
const RETRY_MS = 5000;

export class SeriesFrames {
  readonly manifest: Manifest;
  readonly pixels: (Pixels | null)[];
  readonly errors = new Map<number, string>();
  bytes = 0;
  private readonly inFlight = new Map<number, Promise<Pixels>>();
  private readonly wishes = new Map<number, Wish>();
  private granting = 0;
  /** Who looks, and at which frame. */
  private readonly places = new Map<string, number>();
  /** Frames that are needed all at once, as of a volume that is cut: first and count, by who needs them. */
  private readonly whole = new Map<string, [number, number]>();
  /** Where somebody looked last, once nobody does. */
  private last = 0;
  private limit = Number.POSITIVE_INFINITY;
  private keepable: Set<number> | null = null;
  private largest = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running = 0;
  private stopped = true;
  private readonly tell: () => void;
  private readonly gone: (index: number) => void;

  /**
   * @param tell after a frame came, or failed
   * @param gone after a frame was let go, so that whoever points to its pixels lets go, too
   */
  constructor(manifest: Manifest, tell: () => void, gone: (index: number) => void = () => {}) {
    this.manifest = manifest;
    this.tell = tell;
    this.gone = gone;
    this.pixels = manifest.frames.sop.map(() => null);
  }

  /** `total` counts what is to be fetched: all of it, or as much as may be kept. */
  get progress(): Progress {
    const keep = this.kept();
    const loaded = this.pixels.reduce((n, p, i) => n + (p && (!keep || keep.has(i)) ? 1 : 0), 0);
    return { loaded, total: keep?.size ?? this.pixels.length, failed: this.errors.size };
  }

  /** What the whole series takes, in bytes; a guess by its pixel format until a frame is here. */
  get need(): number {
    return this.frameBytes * this.pixels.length;
  }

  /** Of the largest frame so far. */
  private get frameBytes(): number {
    if (this.largest) return this.largest;
    const { rows, columns, samples, bits_allocated } = pixelOf(this.manifest, 0);
    return rows * columns * samples * (samples === 3 || bits_allocated <= 8 ? 1 : 2);
  }

  /** The frame to show now; ahead of everything in the background. */
  get(index: number): Promise<Pixels> {
    const here = this.pixels[index];
    if (here) return Promise.resolve(here);
    const coming = this.inFlight.get(index);
    if (coming) return coming;
    this.errors.delete(index);
    const wish = this.wishes.get(index) ?? makeWish();
    // Asked for again, it is the newest again.
    this.wishes.delete(index);
    this.wishes.set(index, wish);
    this.grant();
    return wish.promise;
  }

  /** Fetches what is to be shown now, the newest wish first: it is what the reader waits for. */
  private grant(): void {
    while (this.granting < WISHES_AT_ONCE && this.wishes.size) {
      const [index, wish] = [...this.wishes].at(-1)!;
      this.wishes.delete(index);
      this.granting++;
      const coming = this.inFlight.get(index) ?? this.fetchRun(index, index)[0];
      coming.then(wish.take, wish.refuse).finally(() => {
        this.granting--;
        this.grant();
        if (!this.stopped) this.carryOn();
      });
    }
  }

  /** Loads the rest in the background, nearest first to where this one and the others look. */
  prefetch(index: number, who = ""): void {
    if (this.places.get(who) !== index) {
      this.places.set(who, index);
      this.keepable = null;
    }
    this.carryOn();
  }

  /** Somebody looks at this series no more. */
  leave(who: string): void {
    const place = this.places.get(who);
    if (place === undefined) return;
    this.last = place;
    this.places.delete(who);
    this.keepable = null;
  }

  get isLookedAt(): boolean {
    return this.places.size > 0 || this.whole.size > 0;
  }

  /** Keeps these frames at any rate, whatever the limit; with a count of 0 no longer. */
  needWhole(who: string, first: number, count: number): void {
    const before = this.whole.get(who);
    if (before ? before[0] === first && before[1] === count : !count) return;
    if (count) this.whole.set(who, [first, count]);
    else this.whole.delete(who);
    this.keepable = null;
    if (count && !this.stopped) this.carryOn();
  }

  /** How many bytes may be kept. What is too much goes at once, the farthest frames first. */
  allow(bytes: number): void {
    if (bytes === this.limit) return;
    this.limit = bytes;
    this.keepable = null;
    this.shrink();
    if (!this.stopped) this.carryOn();
  }

  private carryOn(): void {
    this.stopped = false;
    while (this.running < RUNS_AT_ONCE && this.startRun());
  }

  /** How many frames away the nearest reader is; 0 for what is needed at any rate. */
  private away(index: number): number {
    for (const [first, count] of this.whole.values()) if (index >= first && index < first + count) return 0;
    let least = this.places.size ? Number.POSITIVE_INFINITY : Math.abs(this.last - index);
    for (const place of this.places.values()) least = Math.min(least, Math.abs(place - index));
    return least;
  }

  /** The frames that may be kept, or null where that is all of them. */
  private kept(): Set<number> | null {
    const most = Math.floor(this.limit / Math.max(1, this.frameBytes));
    if (most >= this.pixels.length) return null;
    if (!this.keepable) {
      const near = this.pixels.map((_, index) => ({ index, away: this.away(index) }));
      near.sort((a, b) => a.away - b.away);
      const certain = near.filter(({ away }) => away === 0).length;
      this.keepable = new Set(near.slice(0, Math.max(most, certain)).map(({ index }) => index));
    }
    return this.keepable;
  }

  private shrink(): void {
    if (this.bytes <= this.limit) return;
    const keep = this.kept();
    if (!keep) return;
    const far = this.pixels.flatMap((pixels, index) =>
      pixels && !keep.has(index) ? [{ index, away: this.away(index) }] : [],
    );
    far.sort((a, b) => b.away - a.away);
    for (const { index } of far) {
      if (this.bytes <= this.limit) return;
      this.letGo(index);
    }
  }

  private letGo(index: number): void {
    const here = this.pixels[index];
    if (here) this.bytes -= bytesOf(here);
    this.pixels[index] = null;
    this.gone(index);
  }

  /** A few frames around `index`, before anybody looks at the series; the rest waits for `prefetch`. */
  async warm(index: number, count: number): Promise<void> {
    const first = Math.max(0, Math.min(index - Math.floor(count / 2), this.pixels.length - count));
    const last = Math.min(this.pixels.length - 1, first + count - 1);
    await this.get(index).catch(() => {});
    for (let i = first; i <= last; i++) {
      let end = i;
      while (end <= last && this.missing(end)) end++;
      if (end > i) await Promise.allSettled(this.fetchRun(i, end - 1));
      i = end;
    }
  }

  /** Frames that failed are asked for again after a while: most failures are a connection that comes back. */
  private later(): void {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = null;
      if (!this.stopped && this.errors.size) this.retry();
    }, RETRY_MS);
  }

  stop(): void {
    this.stopped = true;
  }

  retry(): void {
    this.errors.clear();
    this.carryOn();
  }

  /** Lets go of everything. */
  drop(): void {
    this.pixels.forEach((pixels, index) => {
      if (pixels) this.letGo(index);
    });
    this.bytes = 0;
  }

  private missing(index: number): boolean {
    return (
      index >= 0 &&
      index < this.pixels.length &&
      !this.pixels[index] &&
      !this.inFlight.has(index) &&
      !this.errors.has(index)
    );
  }

  private startRun(): boolean {
    // The very first image has the line to itself.
    if (this.stopped || (this.granting > 0 && this.bytes === 0)) return false;
    const keep = this.kept();
    const wanted = (index: number) => this.missing(index) && (!keep || keep.has(index));
    let first = -1;
    let near = 0;
    const places = this.places.size ? [...this.places.values()] : [this.last];
    for (let away = 0; away < this.pixels.length && first < 0; away++) {
      for (const place of places) {
        near = place;
        if (wanted(place + away)) first = place + away;
        else if (wanted(place - away)) first = place - away;
        if (first >= 0) break;
      }
    }
    if (first < 0) return false;
    // Grow away from the reader's place, so that the nearest comes first and the run stays in one piece.
    const step = first >= near ? 1 : -1;
    const { length } = this.manifest.frames;
    let last = first;
    let bytes = length[first];
    while (
      Math.abs(last - first) + 1 < RUN_FRAMES &&
      wanted(last + step) &&
      bytes + length[last + step] < RUN_BYTES
    ) {
      last += step;
      bytes += length[last];
    }
    this.running++;
    Promise.allSettled(this.fetchRun(Math.min(first, last), Math.max(first, last))).then(() => {
      this.running--;
      if (!this.stopped) this.carryOn();
    });
    return true;
  }

  private fetchRun(first: number, last: number): Promise<Pixels>[] {
    const { series, generation, frames } = this.manifest;
    const name = first === last ? `${first}` : `${first}-${last}`;
    const bytes = fetchBytes(`/pixels/${series.id}/${generation}/${name}`);
    let offset = 0;
    const runs: Promise<Pixels>[] = [];
    for (let index = first; index <= last; index++) {
      const start = offset;
      offset += frames.length[index];
      const work = bytes
        .then((buffer) => {
          if (buffer.byteLength < start + frames.length[index]) {
            throw new Error(t("It arrived shorter than announced."));
          }
          return decodeFrame(this.manifest, index, new Uint8Array(buffer, start, frames.length[index]));
        })
        .then(
          (pixels) => {
            this.pixels[index] = pixels;
            this.bytes += bytesOf(pixels);
            if (bytesOf(pixels) > this.largest) {
              this.largest = bytesOf(pixels);
              this.keepable = null;
            }
            this.inFlight.delete(index);
            this.wishes.get(index)?.take(pixels);
            this.wishes.delete(index);
            this.shrink();
            this.tell();
            return pixels;
          },
          (error: unknown) => {
            this.errors.set(index, error instanceof Error ? error.message : String(error));
            this.later();
            this.inFlight.delete(index);
            this.tell();
            throw error;
          },
        );
      this.inFlight.set(index, work);
      runs.push(work);
      work.catch(() => {});
    }
    return runs;
  }
}

function makeWish(): Wish {
  const wish = {} as Wish;
  wish.promise = new Promise((take, refuse) => Object.assign(wish, { take, refuse }));
  wish.promise.catch(() => {});
  return wish;
}

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  let answer: Response;
  try {
    answer = (await taken(url)) ?? (await fetch(url, { credentials: "same-origin" }));
  } catch {
    throw new Error(t("The server cannot be reached."));
  }
  if (answer.status === 404)
    throw new Error(t("The server does not have it, or it is no longer open to you."));
  if (!answer.ok)
    throw new Error(t("The server answered with an error ({status}).", { status: answer.status }));
  return answer.arrayBuffer();
}
