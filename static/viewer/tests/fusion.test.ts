import { describe, expect, it } from "vitest";
import type { Manifest, Point3 } from "../src/api/types";
import { colourTable, paint } from "../src/engine/colour";
import { SeriesFrames } from "../src/engine/frames";
import { lay, nearestTo, valueAbove, whyNoFusion } from "../src/engine/fusion";
import { indexToWorld, planeOf } from "../src/engine/geometry";
import { finding, manifest } from "./manifest";

/** A value for each place that linear interpolation gets right everywhere. */
const field = ([x, y, z]: Point3): number => 3 * x - 2 * y + 0.5 * z + 7;

/** A series whose voxels hold the field's value at their centres. */
function filled(made: Manifest): SeriesFrames {
  const loader = new SeriesFrames(made, () => {});
  made.frames.sop.forEach((_, index) => {
    const plane = planeOf(made, index);
    const data = new Float32Array(plane.rows * plane.columns);
    for (let row = 0; row < plane.rows; row++)
      for (let column = 0; column < plane.columns; column++)
        data[row * plane.columns + column] = field(indexToWorld(plane, [column, row]));
    loader.pixels[index] = {
      data,
      exact: data,
      colour: false,
      rows: plane.rows,
      columns: plane.columns,
      minimum: 0,
      maximum: 1,
    };
  });
  return loader;
}

function pet(part: Partial<Manifest> = {}, count = 6): Manifest {
  const made = manifest(
    { spacing: { row_mm: 4, column_mm: 4, source: "pixel" }, suv_factor: 1, ...part },
    count,
  );
  made.series = { ...made.series, id: "petpetpetpet", modality: "PT" };
  made.pixel = { ...made.pixel, rows: 30, columns: 20, floating: true };
  made.frames.intercept.fill(0);
  made.frames.position = made.frames.sop.map((_, i): Point3 => [-103, -90, 4 + 3.27 * i]);
  return made;
}

const ct = () => manifest({}, 5);

describe("a PET laid over a CT", () => {
  it("has the value of its own at every place of the slice, and none outside of it", () => {
    const above = filled(pet());
    const plane = planeOf(ct(), 1);
    const laid = lay(above, 0, plane)!;
    expect([laid.columns, laid.rows, laid.step, laid.missing]).toEqual([50, 40, 1, 0]);
    for (const [column, row] of [
      [0, 0],
      [7, 31],
      [49, 39],
    ]) {
      const expected = field(indexToWorld(plane, [column, row]));
      expect(laid.values[row * 50 + column]).toBeCloseTo(expected, 3);
      expect(valueAbove(above, 0, indexToWorld(plane, [column, row]))).toBeCloseTo(expected, 3);
    }
    const far = { ...plane, origin: [-300, -80, plane.origin[2]] as Point3 };
    expect(lay(above, 0, far)!.values.every(Number.isNaN)).toBe(true);
    const below = { ...plane, origin: [-100, -80, 0] as Point3 };
    expect(lay(above, 0, below)!.values.every(Number.isNaN)).toBe(true);
  });

  it("follows a plane at any angle, and slices that are shifted against each other", () => {
    const tilted = pet();
    tilted.frames.position = tilted.frames.sop.map((_, i): Point3 => [-103, -90 + 0.9 * i, 4 + 3.27 * i]);
    const above = filled(tilted);
    const c = Math.cos(0.4);
    const s = Math.sin(0.4);
    const plane = { ...planeOf(ct(), 0), row: [1, 0, 0] as Point3, column: [0, c, s] as Point3 };
    const laid = lay(above, 0, plane)!;
    const at = 12 * 50 + 20;
    expect(laid.values[at]).toBeCloseTo(field(indexToWorld(plane, [20, 12])), 3);
  });

  it("is laid more coarsely over a large image, at the middles of what each pixel covers", () => {
    const plane = { ...planeOf(ct(), 1), rows: 600, columns: 1100, row_mm: 0.05, column_mm: 0.04 };
    const laid = lay(filled(pet()), 0, plane)!;
    expect([laid.columns, laid.rows, laid.step]).toEqual([367, 200, 3]);
    expect(laid.values[5 * 367 + 9]).toBeCloseTo(field(indexToWorld(plane, [28, 16])), 3);
  });

  it("says which slices are not here yet, and where to begin", () => {
    const above = filled(pet());
    const plane = planeOf(ct(), 1); // z 12.5: between the third slice at 10.54 and the fourth at 13.81
    expect(nearestTo(above.manifest, 0, plane)).toBe(3);
    above.pixels[2] = null;
    const laid = lay(above, 0, plane)!;
    expect(laid.missing).toBe(1);
    expect(laid.values[0]).toBeNaN();
  });
});

describe("what may be laid over what", () => {
  it("asks for one frame of reference, positions, and one value a voxel", () => {
    const below = ct();
    expect(whyNoFusion(below, pet())).toBeNull();
    const elsewhere = pet();
    elsewhere.series.frame_of_reference = "1.2.8";
    expect(whyNoFusion(below, elsewhere)).toContain("session");
    expect(whyNoFusion(below, pet({ geometry: "image" }))).toContain("where it lies");
    expect(whyNoFusion(below, pet({ findings: [finding("link")] }))).toBe("Something is wrong here.");
    expect(whyNoFusion({ ...below, pixel: { ...below.pixel, samples: 3 } }, pet())).toContain("Colour");
    expect(whyNoFusion(below, pet({}, 2))).toContain("Too few");
  });
});

describe("colours", () => {
  it("run from the bottom of the window to its top, and let the image through below", () => {
    const pixels = new Uint8ClampedArray(5 * 4);
    paint(Float32Array.of(-1, 2, 5, 9, Number.NaN), 0, 5, colourTable("hot_iron"), pixels);
    expect([...pixels.slice(0, 4)]).toEqual([0, 0, 0, 0]);
    expect(pixels[4]).toBeGreaterThan(150);
    expect(pixels[7]).toBe(255);
    expect([...pixels.slice(8, 12)]).toEqual([255, 255, 255, 255]);
    expect([...pixels.slice(12, 16)]).toEqual([255, 255, 255, 255]);
    expect(pixels[19]).toBe(0);
  });

  it("of hot iron are those of the standard", () => {
    const table = colourTable("hot_iron", false);
    for (const i of [0, 40, 127, 128, 190, 192, 230, 255]) {
      const expected = [2 * i, 2 * (i - 128), 4 * (i - 192)].map((v) => Math.max(0, Math.min(255, v)));
      [0, 1, 2].forEach((s) => {
        expect(Math.abs(table[i * 4 + s] - expected[s])).toBeLessThanOrEqual(4);
      });
    }
  });
});
