/**
 * Most images: uncompressed whole numbers of 16 bits, scaled to whole numbers of 16 bits. Two passes over arrays of one
 * kind each, several times faster than the general way in decode.ts, with the same result.
 */
import type { PixelFormat } from "../api/types";
import type { Pixels } from "./decode";

/** Null where this is not such an image. */
export function whole16(
  format: PixelFormat,
  bytes: Uint8Array,
  slope: number,
  intercept: number,
): Pixels | null {
  const { rows, columns } = format;
  const count = rows * columns;
  const isPlain = format.bits_allocated === 16 && format.samples === 1 && !format.floating;
  if (!isPlain || !Number.isInteger(slope) || !Number.isInteger(intercept)) return null;
  if (bytes.byteLength < count * 2 || bytes.byteOffset % 2) return null;
  // Above and below the stored bits may lie what is no part of the value.
  const below = Math.max(0, format.high_bit + 1 - format.bits_stored);
  const above = 16 - format.bits_stored;
  const [low, high] = format.signed
    ? range(new Int16Array(bytes.buffer, bytes.byteOffset, count), below, above, true)
    : range(new Uint16Array(bytes.buffer, bytes.byteOffset, count), below, above, false);
  const ends = [low * slope + intercept, high * slope + intercept];
  const minimum = Math.min(...ends);
  const maximum = Math.max(...ends);
  const isInt = minimum >= -32768 && maximum <= 32767;
  if (!isInt && !(minimum >= 0 && maximum <= 65535)) return null;
  const data = isInt ? new Int16Array(count) : new Uint16Array(count);
  const raw = new Uint16Array(bytes.buffer, bytes.byteOffset, count);
  const left = above + 16;
  if (format.signed) {
    for (let i = 0; i < count; i++) data[i] = (((raw[i] >> below) << left) >> left) * slope + intercept;
  } else {
    for (let i = 0; i < count; i++) data[i] = (((raw[i] >> below) << left) >>> left) * slope + intercept;
  }
  return { data, colour: false, rows, columns, minimum, maximum };
}

/** Lowest and highest value; [0, 0] of nothing. */
function range(
  values: Int16Array | Uint16Array,
  below: number,
  above: number,
  signed: boolean,
): [number, number] {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  const left = above + 16;
  for (let i = 0; i < values.length; i++) {
    const moved = (values[i] >> below) << left;
    const value = signed ? moved >> left : moved >>> left;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return values.length ? [low, high] : [0, 0];
}
