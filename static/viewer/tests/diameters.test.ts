import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Point3 } from "../src/api/types";
import { decodeMask } from "../src/journal/rle";
import { type Block, blockOf, thicknesses } from "../src/masks/block";
import { type Diameters, inPlane, longest3d } from "../src/masks/diameters";
import { atOnce } from "../src/masks/pace";
import { manifest } from "./manifest";

interface Case {
  name: string;
  rows: number;
  columns: number;
  row_mm: number;
  column_mm: number;
  orientation: number[];
  positions: Point3[];
  slices: Record<string, string>;
  volume_ml: number;
  long_axis_mm: number | null;
  short_axis_mm: number | null;
  longest_3d_mm: number;
}

// The server's tests read the same numbers.
const file = "../../tests/annotations/measures/mask_cases.json";
const cases: Case[] = JSON.parse(readFileSync(file, "utf8"));

function blockOfCase(one: Case): Block {
  const base = manifest({}, one.positions.length);
  return blockOf(
    {
      ...base,
      orientation: one.orientation,
      spacing: { row_mm: one.row_mm, column_mm: one.column_mm, source: "pixel" },
      pixel: { ...base.pixel, rows: one.rows, columns: one.columns },
      frames: { ...base.frames, position: one.positions },
    },
    0,
  );
}

test.each(cases.map((one) => [one.name, one] as const))("%s", async (_, one) => {
  const block = blockOfCase(one);
  expect(block.why).toBe(null);
  const layers = one.positions.map((_, i) =>
    one.slices[i] ? decodeMask(one.slices[i], one.rows * one.columns) : null,
  );
  let best: Diameters | null = null;
  let volume = 0;
  const thick = thicknesses(block);
  for (const [i, layer] of layers.entries()) {
    if (!layer) continue;
    volume += (layer.reduce((n, bit) => n + bit, 0) * thick[i] * one.row_mm * one.column_mm) / 1000;
    const found = await inPlane(layer, one.columns, one.row_mm, one.column_mm);
    if (found && found.long > (best?.long ?? 0) + 1e-6) best = found;
  }
  expect(volume).toBeCloseTo(one.volume_ml, 6);
  if (one.long_axis_mm === null) expect(best).toBe(null);
  else {
    expect(Math.abs((best?.long ?? 0) - one.long_axis_mm)).toBeLessThan(0.05);
    expect(Math.abs((best?.short ?? 0) - (one.short_axis_mm ?? 0))).toBeLessThan(0.05);
  }
  expect(Math.abs((await longest3d(layers, block, atOnce)) - one.longest_3d_mm)).toBeLessThan(0.05);
});
