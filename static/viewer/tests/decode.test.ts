import { describe, expect, it } from "vitest";
import type { PixelFormat } from "../src/api/types";
import { bytesOf, colour, coloursAt, nativeValues, scaled, signedAs, valueAt } from "../src/engine/decode";
import { whole16 } from "../src/engine/decode16";
import { manifest } from "./manifest";

const LITTLE = "1.2.840.10008.1.2.1";
const format = (part: Partial<PixelFormat>): PixelFormat => ({
  rows: 1,
  columns: 4,
  samples: 1,
  photometric: "MONOCHROME2",
  bits_allocated: 16,
  bits_stored: 16,
  high_bit: 15,
  signed: false,
  planar: 0,
  ...part,
});
const bytes = (values: ArrayBufferView): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
const with_ = (slope: number, intercept: number, part: Partial<PixelFormat> = {}) => {
  const made = manifest();
  made.frames.slope[0] = slope;
  made.frames.intercept[0] = intercept;
  return { ...made, pixel: format(part) };
};

describe("numbers as their file stores them", () => {
  it.each([
    ["8 bits", { bits_allocated: 8, bits_stored: 8 }, Uint8Array.of(0, 1, 200, 255), [0, 1, 200, 255]],
    [
      "8 bits with a sign",
      { bits_allocated: 8, bits_stored: 8, signed: true },
      Int8Array.of(-128, -1, 0, 127),
      [-128, -1, 0, 127],
    ],
    [
      "12 bits with a sign and an old overlay above",
      { bits_stored: 12, high_bit: 11, signed: true },
      Uint16Array.of(0x0fff, 0xf001, 0x0800, 0x07ff),
      [-1, 1, -2048, 2047],
    ],
    [
      "32 bits",
      { bits_allocated: 32, bits_stored: 32 },
      Uint32Array.of(0, 7, 4294967295, 4294967294),
      [0, 7, 4294967295, 4294967294],
    ],
    [
      "floating point",
      { bits_allocated: 32, bits_stored: 32, floating: true },
      Float32Array.of(-0.5, 0.25, 3e30, 0),
      [-0.5, 0.25, Math.fround(3e30), 0],
    ],
    [
      "double precision",
      { bits_allocated: 64, bits_stored: 64, floating: true },
      Float64Array.of(0.1, -1e-9, 1e300, 0),
      [0.1, -1e-9, 1e300, 0],
    ],
  ] as [string, Partial<PixelFormat>, ArrayBufferView, number[]][])("%s", (_, part, stored, expected) => {
    expect([...nativeValues(format(part), bytes(stored))]).toEqual(expected);
  });

  it("numbers that a decoder gave without their sign get it back, others stay", () => {
    const eight = format({ bits_allocated: 8, bits_stored: 8, signed: true });
    expect([...signedAs(eight, Uint8Array.of(255, 128, 0, 127))]).toEqual([-1, -128, 0, 127]);
    const twelve = format({ bits_stored: 12, signed: true });
    expect([...signedAs(twelve, Uint16Array.of(0xfff, 0x7ff, 0x800, 5))]).toEqual([-1, 2047, -2048, 5]);
    expect([...signedAs(twelve, Int16Array.of(-1, 2047, -2048, 5))]).toEqual([-1, 2047, -2048, 5]);
    expect([...signedAs(format({}), Uint16Array.of(65535, 0, 1, 2))]).toEqual([65535, 0, 1, 2]);
  });
});

describe("the value a reader reads", () => {
  it("is exact where the screen has fewer digits", () => {
    const part = { bits_allocated: 32, bits_stored: 32 };
    const here = with_(1, 0, part);
    const image = scaled(Uint32Array.of(0, 16777217, 4294967295, 3), here.pixel, 1, 0);
    expect(image.data).toBeInstanceOf(Float32Array);
    expect([0, 1, 2, 3].map((at) => valueAt(here, 0, image, at))).toEqual([0, 16777217, 4294967295, 3]);
    expect(bytesOf(image)).toBe(32);
  });

  it("is the file's own on maps, and no number where there is none", () => {
    const part = { bits_allocated: 64, bits_stored: 64, floating: true };
    const here = with_(2, -1, part);
    const stored = Float64Array.of(0.1, Number.NaN, -3, Number.POSITIVE_INFINITY);
    const image = scaled(stored, here.pixel, 2, -1);
    expect([image.minimum, image.maximum]).toEqual([-7, -0.8]);
    expect([...image.data].every(Number.isFinite)).toBe(true);
    expect(valueAt(here, 0, image, 0)).toBe(0.1 * 2 - 1);
    expect(valueAt(here, 0, image, 1)).toBeNaN();
  });

  it("is a window even of a map without any number", () => {
    const stored = new Float32Array(4).fill(Number.NaN);
    const image = scaled(stored, format({ floating: true, bits_allocated: 32 }), 1, 0);
    expect([image.minimum, image.maximum, ...image.data]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("of a fine slope comes back from what is drawn", () => {
    const here = with_(0.1, 0);
    const image = scaled(Uint16Array.of(3, 10000, 1, 2), here.pixel, 0.1, 0);
    expect(valueAt(here, 0, image, 1)).toBe(10000 * 0.1);
  });
});

describe("colours", () => {
  const rgb = format({ samples: 3, photometric: "RGB", bits_allocated: 8, bits_stored: 8, columns: 2 });

  it("by pixel and by plane are the same", () => {
    const pixels = colour(rgb, Uint8Array.of(1, 2, 3, 4, 5, 6), LITTLE);
    const planes = colour({ ...rgb, planar: 1 }, Uint8Array.of(1, 4, 2, 5, 3, 6), LITTLE);
    expect([...pixels.data]).toEqual([1, 2, 3, 4, 5, 6]);
    expect(planes.data).toEqual(pixels.data);
  });

  it("of 16 bits are drawn in 8 and read in 16", () => {
    const fine = { ...rgb, bits_allocated: 16, bits_stored: 16 };
    const image = colour(fine, Uint16Array.of(0, 65535, 32768, 255, 256, 257), LITTLE);
    expect([...image.data]).toEqual([0, 255, 128, 0, 1, 1]);
    expect(coloursAt(image, 0)).toEqual([0, 65535, 32768]);
    expect(coloursAt(image, 1)).toEqual([255, 256, 257]);
  });

  it("written as brightness and difference become red, green and blue", () => {
    const image = colour(
      { ...rgb, photometric: "YBR_FULL" },
      Uint8Array.of(76, 85, 255, 29, 255, 107),
      LITTLE,
    );
    expect([...image.data]).toEqual([254, 0, 0, 0, 0, 254]);
  });
});

describe("the short way of whole numbers of 16 bits", () => {
  const values = Uint16Array.from({ length: 64 }, (_, i) => (i * 40503 + 977) % 65536);
  it.each([
    { bits_stored: 16, high_bit: 15, signed: false },
    { bits_stored: 16, high_bit: 15, signed: true },
    { bits_stored: 12, high_bit: 11, signed: false },
    { bits_stored: 12, high_bit: 11, signed: true },
    { bits_stored: 12, high_bit: 15, signed: true },
    { bits_stored: 10, high_bit: 12, signed: false },
    { bits_stored: 1, high_bit: 0, signed: false },
  ])("gives what the general way gives: $bits_stored bits up to $high_bit, signed $signed", (part) => {
    const here = format({ bits_allocated: 16, rows: 8, columns: 8, ...part });
    for (const [slope, intercept] of [
      [1, 0],
      [1, -1024],
      [-2, 7],
      [3, 40],
    ]) {
      const bytes = new Uint8Array(values.slice().buffer);
      const expected = scaled(nativeValues(here, bytes), here, slope, intercept);
      const found = whole16(here, bytes, slope, intercept);
      if (expected.data instanceof Float32Array) expect(found).toBeNull();
      else expect(found).toEqual(expected);
    }
    expect([...values]).toEqual([...Uint16Array.from(values)]);
  });
  it("leaves alone what it is not for", () => {
    const bytes = new Uint8Array(128);
    const here = format({ bits_allocated: 16, rows: 8, columns: 8 });
    expect(whole16(here, bytes, 0.5, 0)).toBeNull();
    expect(whole16({ ...here, samples: 3 }, bytes, 1, 0)).toBeNull();
    expect(whole16(here, bytes.subarray(0, 100), 1, 0)).toBeNull();
    expect(whole16(here, new Uint8Array(130).subarray(1), 1, 0)).toBeNull();
  });
});
