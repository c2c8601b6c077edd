/**
 * The frames of one series: fetched from the pixel road nearest first, decoded once, kept as displayed
 * values (stored × slope + intercept, × SUV factor). The only cache; Cornerstone's points into it.
 */
import type { Manifest } from "../api/types";
import { decodeFrame, type Pixels } from "./decode";

export interface Progress {
  loaded: number;
  total: number;
  failed: number;
}

const RUNS_AT_ONCE = 2;
const RUN_BYTES = 3_000_000;
const RUN_FRAMES = 16;
const RETRY_MS = 5000;

export class SeriesFrames {
  readonly manifest: Manifest;
  readonly pixels: (Pixels | null)[];
  readonly errors = new Map<number, string>();
  bytes = 0;
  private readonly inFlight = new Map<number, Promise<Pixels>>();
  private near = 0;
  private timer: ReturnType<typeof setTimeout> | null = null;
  private running = 0;
  private stopped = true;
  private readonly tell: () => void;

  constructor(manifest: Manifest, tell: () => void) {
    this.manifest = manifest;
    this.tell = tell;
    this.pixels = manifest.frames.sop.map(() => null);
  }

  get progress(): Progress {
    return {
      loaded: this.pixels.reduce((n, p) => n + (p ? 1 : 0), 0),
      total: this.pixels.length,
      failed: this.errors.size,
    };
  }

  /** The frame to show now; ahead of everything in the background. */
  get(index: number): Promise<Pixels> {
    const here = this.pixels[index];
    if (here) return Promise.resolve(here);
    const coming = this.inFlight.get(index);
    if (coming) return coming;
    this.errors.delete(index);
    return this.fetchRun(index, index)[0];
  }

  /** Loads the rest in the background, nearest to `index` first. */
  prefetch(index: number): void {
    this.near = index;
    this.stopped = false;
    while (this.running < RUNS_AT_ONCE && this.startRun());
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
    this.prefetch(this.near);
  }

  drop(): void {
    this.pixels.fill(null);
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
    if (this.stopped) return false;
    let first = -1;
    for (let away = 0; away < this.pixels.length && first < 0; away++) {
      if (this.missing(this.near + away)) first = this.near + away;
      else if (this.missing(this.near - away)) first = this.near - away;
    }
    if (first < 0) return false;
    // Grow away from the reader's place, so that the nearest comes first and the run stays in one piece.
    const step = first >= this.near ? 1 : -1;
    const { length } = this.manifest.frames;
    let last = first;
    let bytes = length[first];
    while (
      Math.abs(last - first) + 1 < RUN_FRAMES &&
      this.missing(last + step) &&
      bytes + length[last + step] < RUN_BYTES
    ) {
      last += step;
      bytes += length[last];
    }
    this.running++;
    Promise.allSettled(this.fetchRun(Math.min(first, last), Math.max(first, last))).then(() => {
      this.running--;
      this.prefetch(this.near);
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
            throw new Error("It arrived shorter than announced.");
          }
          return decodeFrame(this.manifest, index, new Uint8Array(buffer, start, frames.length[index]));
        })
        .then(
          (pixels) => {
            this.pixels[index] = pixels;
            this.bytes += pixels.data.byteLength;
            this.inFlight.delete(index);
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

async function fetchBytes(url: string): Promise<ArrayBuffer> {
  let answer: Response;
  try {
    answer = await fetch(url, { credentials: "same-origin" });
  } catch {
    throw new Error("The server cannot be reached.");
  }
  if (answer.status === 404) throw new Error("The server does not have it, or it is no longer open to you.");
  if (!answer.ok) throw new Error(`The server answered with an error (${answer.status}).`);
  return answer.arrayBuffer();
}
