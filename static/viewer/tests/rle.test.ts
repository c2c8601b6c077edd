import { expect, test } from "vitest";
import { countMask, decodeMask, decodeRuns, encodeMask, encodeRuns, toBase64 } from "../src/journal/rle";

const bits = (text: string) => Uint8Array.from([...text].map(Number));

test.each([
  ["0000", [4]],
  ["1111", [0, 4]],
  ["0110", [1, 2, 1]],
  ["1001", [0, 1, 2, 1]],
])("the runs of %s", (text, runs) => {
  expect([...encodeRuns(bits(text))]).toEqual(runs);
});

test("a run of 300 zeros takes two bytes, seven bits each, the low ones first", () => {
  const mask = new Uint8Array(301);
  mask[300] = 1;
  expect([...encodeRuns(mask)]).toEqual([0xac, 0x02, 0x01]);
});

test("an empty slice of 512 × 512 is one run of 262144", () => {
  expect(encodeMask(new Uint8Array(512 * 512))).toBe(toBase64(Uint8Array.from([0x80, 0x80, 0x10])));
});

test("what was encoded comes back voxel for voxel", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    return seed / 2147483648;
  };
  for (const density of [0.001, 0.1, 0.5, 0.95]) {
    const mask = Uint8Array.from({ length: 97 * 131 }, () => (random() < density ? 1 : 0));
    const rle = encodeMask(mask);
    expect(decodeMask(rle, mask.length)).toEqual(mask);
    expect(countMask(rle, mask.length)).toBe(mask.reduce((a, b) => a + b, 0));
  }
});

test("runs that do not fill the slice are refused, both ways", () => {
  expect(() => decodeRuns(Uint8Array.from([3]), 4)).toThrow("smaller");
  expect(() => decodeRuns(Uint8Array.from([0, 5]), 4)).toThrow("larger");
  expect(() => decodeRuns(Uint8Array.from([0x84]), 4)).toThrow("middle of a run");
});
