/** A part of an image drawn larger, from its own pixels: what a magnifier shows. */
import type { Matrix } from "./camera";
import type { Pixels } from "./decode";

export interface Look {
  /** The lower end of the window, and its width. */
  low: number;
  width: number;
  inverted: boolean;
  smooth: boolean;
}

/**
 * Fills `side` × `side` pixels (RGBA). `toIndex` leads from their corners' coordinates to index coordinates of the
 * image; outside of it they stay black.
 */
export function magnified(
  pixels: Pixels,
  toIndex: Matrix,
  look: Look,
  side: number,
  to: Uint8ClampedArray,
): void {
  const { data, rows, columns, colour } = pixels;
  const samples = colour ? 3 : 1;
  const value = (column: number, row: number, sample: number): number =>
    data[(row * columns + column) * samples + sample];
  for (let y = 0, at = 0; y < side; y++) {
    for (let x = 0; x < side; x++, at += 4) {
      const column = toIndex[0] * (x + 0.5) + toIndex[2] * (y + 0.5) + toIndex[4];
      const row = toIndex[1] * (x + 0.5) + toIndex[3] * (y + 0.5) + toIndex[5];
      to[at + 3] = 255;
      if (column < -0.5 || row < -0.5 || column > columns - 0.5 || row > rows - 0.5) continue;
      for (let sample = 0; sample < samples; sample++) {
        const found = look.smooth
          ? between(value, column, row, columns, rows, sample)
          : nearest(value, column, row, columns, rows, sample);
        if (colour) to[at + sample] = found;
        else {
          const grey = 255 * ((found - look.low) / look.width);
          to[at] = to[at + 1] = to[at + 2] = look.inverted ? 255 - Math.min(255, Math.max(0, grey)) : grey;
        }
      }
    }
  }
}

type Read = (column: number, row: number, sample: number) => number;

const inside = (v: number, count: number): number => Math.max(0, Math.min(count - 1, v));

const nearest = (value: Read, column: number, row: number, columns: number, rows: number, sample: number) =>
  value(inside(Math.round(column), columns), inside(Math.round(row), rows), sample);

function between(value: Read, column: number, row: number, columns: number, rows: number, sample: number) {
  const c = inside(column, columns);
  const r = inside(row, rows);
  const [c0, r0] = [Math.floor(c), Math.floor(r)];
  const [c1, r1] = [inside(c0 + 1, columns), inside(r0 + 1, rows)];
  const [fc, fr] = [c - c0, r - r0];
  const top = value(c0, r0, sample) * (1 - fc) + value(c1, r0, sample) * fc;
  const bottom = value(c0, r1, sample) * (1 - fc) + value(c1, r1, sample) * fc;
  return top * (1 - fr) + bottom * fr;
}
