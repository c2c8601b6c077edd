/** Values and places of volumes and cuts, against functions whose value is known everywhere. */
import { describe, expect, test } from "vitest";
import type { Manifest, Point3, QualityFinding } from "../src/api/types";
import {
  cutOf,
  depthOfCut,
  movedBy,
  normalOfCut,
  planeOfCut,
  sameImage,
  stepOfCut,
  turnedAbout,
} from "../src/engine/cut";
import type { SeriesFrames } from "../src/engine/frames";
import { dot, indexToWorld, sub } from "../src/engine/geometry";
import { reslice, slabOf } from "../src/engine/reslice";
import { fromGrid, gridOf, toGrid, volumeOf, whyNoVolume } from "../src/engine/volume";
import { manifest } from "./manifest";

/** Linear in space: interpolation between voxels has to give it back exactly. */
const linear = ([x, y, z]: Point3): number => 3 * x - 2 * y + 5 * z + 100;

function filled(made: Manifest, value = linear, floats = true): SeriesFrames {
  const { rows, columns } = made.pixel;
  const pixels = made.frames.position!.map((origin) => {
    const data = floats ? new Float32Array(rows * columns) : new Int16Array(rows * columns);
    const [rx, ry, rz, cx, cy, cz] = made.orientation!;
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const u = c * made.spacing.column_mm!;
        const v = r * made.spacing.row_mm!;
        data[r * columns + c] = value([
          origin[0] + rx * u + cx * v,
          origin[1] + ry * u + cy * v,
          origin[2] + rz * u + cz * v,
        ]);
      }
    }
    return { data, colour: false, rows, columns, minimum: -5000, maximum: 5000 };
  });
  return { manifest: made, pixels } as unknown as SeriesFrames;
}

/** 40 rows of 0.8 mm, 50 columns of 0.4 mm, slices 2.5 mm apart; stored values as they are. */
function plain(part: Partial<Manifest> = {}, count = 12): Manifest {
  const made = manifest(part, count);
  made.frames.slope = made.frames.slope.map(() => 0);
  made.frames.intercept = made.frames.intercept.map(() => 0);
  return made;
}

function moved(positions: (origin: Point3, slice: number) => Point3, count = 12): Manifest {
  const made = plain({}, count);
  made.frames.position = made.frames.position!.map(positions);
  return made;
}

const tilted = () => moved(([x, y, z], i) => [x, y + 0.7 * i, z]);
const inside: Point3[] = [
  [-95.1, -66.3, 21.7],
  [-88.8, -70.05, 14.4],
  [-92, -64, 15],
  [-81.23, -55.5, 33.3],
];

describe("a volume", () => {
  test("gives a linear function back at any point, between slices too", () => {
    const volume = volumeOf(filled(plain()), 0)!;
    for (const point of inside) expect(volume.sample(point)).toBeCloseTo(linear(point), 2);
  });

  test("has no value outside of its voxels' centres, or where a slice is not loaded", () => {
    const frames = filled(plain());
    const volume = volumeOf(frames, 0)!;
    expect(volume.sample([-100.1, -70, 20])).toBeNull();
    expect(volume.sample([-90, -70, 9.9])).toBeNull();
    expect(volume.sample([-90, -70, 37.6])).toBeNull();
    expect(volume.sample([-100, -80, 10])).toBeCloseTo(linear([-100, -80, 10]), 2);
    frames.pixels[4] = null;
    expect(volume.sample([-90, -70, 19])).toBeNull();
    expect(volume.sample([-90, -70, 17.5])).not.toBeNull();
  });

  test("takes every slice of a tilted gantry where it truly lies", () => {
    const volume = volumeOf(filled(tilted()), 0)!;
    expect(volume.straight).toBe(false);
    for (const point of inside) expect(volume.sample(point)).toBeCloseTo(linear(point), 2);
  });

  test("is right where slices are unevenly spaced, and where they come from head to feet", () => {
    const uneven = moved(([x, y, z], i) => [x, y, z + (i % 3 === 1 ? 0.9 : 0)]);
    uneven.findings = [{ code: "uneven_spacing", sentence: "Uneven.", spoils: ["volume"] }];
    const down = moved(([x, y], i) => [x, y, 37.5 - 2.5 * i]);
    for (const made of [uneven, down]) {
      const volume = volumeOf(filled(made), 0)!;
      for (const point of inside) expect(volume.sample(point)).toBeCloseTo(linear(point), 2);
    }
  });

  test("goes from points to voxels and back, in a tilted one too", () => {
    for (const made of [plain(), tilted()]) {
      const grid = gridOf(made, 0)!;
      for (const point of inside) {
        const back = fromGrid(grid, toGrid(grid, point));
        back.forEach((v, i) => {
          expect(v).toBeCloseTo(point[i], 9);
        });
      }
      expect(toGrid(grid, made.frames.position![5])).toEqual([
        expect.closeTo(0, 9),
        expect.closeTo(0, 9),
        expect.closeTo(5, 9),
      ]);
    }
  });
});

describe("what is no volume", () => {
  const said = (code: string): QualityFinding => ({
    code,
    sentence: `Because of ${code}.`,
    spoils: ["volume"],
  });

  test("is refused with the finding's sentence", () => {
    expect(whyNoVolume(plain(), 0)).toBeNull();
    expect(whyNoVolume(plain({ findings: [said("not_shown")] }), 0)).toBe("Because of not_shown.");
    expect(whyNoVolume(plain({ geometry: "image", orientation: null }), 0)).toMatch(/where they lie/);
    const gap = moved(([x, y, z], i) => [x, y, i > 5 ? z + 2.5 : z]);
    expect(whyNoVolume(gap, 0)).toBe("Slices are missing.");
    const twice = moved(([x, y], i) => [x, y, 10 + 2.5 * Math.floor(i / 2)]);
    expect(whyNoVolume(twice, 0)).toMatch(/several images/);
    expect(whyNoVolume(plain({}, 2), 0)).toMatch(/Too few/);
  });

  test("tilt and uneven slices are none of it: their true positions put them right", () => {
    expect(whyNoVolume(plain({ findings: [said("gantry_tilt"), said("uneven_spacing")] }), 0)).toBeNull();
  });
});

describe("a cut", () => {
  const centre: Point3 = [-90, -66, 20];

  test("passes through its centre, and hangs as a reader expects", () => {
    const grid = gridOf(plain(), 0)!;
    for (const name of ["axial", "coronal", "sagittal"] as const) {
      const cut = cutOf(name, grid, centre);
      const plane = planeOfCut(cut, grid);
      expect(dot(sub(centre, plane.origin), normalOfCut(cut))).toBeCloseTo(0, 9);
      expect(plane.column_mm).toBe(0.4);
      expect(plane.row_mm).toBe(0.4);
    }
    expect(cutOf("coronal", grid, centre).column).toEqual([0, 0, -1]);
    expect(planeOfCut(cutOf("sagittal", grid, centre), grid).columns).toBe(Math.floor((39 * 0.8) / 0.4) + 1);
  });

  test("moves a voxel a step along its normal, and never out of the volume", () => {
    const grid = gridOf(plain(), 0)!;
    const axial = cutOf("axial", grid, centre);
    expect(stepOfCut(axial, grid)).toBeCloseTo(2.5, 9);
    expect(stepOfCut(cutOf("coronal", grid, centre), grid)).toBeCloseTo(0.8, 9);
    expect(movedBy(axial, grid, 2.5).centre[2]).toBeCloseTo(22.5, 9);
    expect(movedBy(axial, grid, 1000).centre[2]).toBeCloseTo(37.5, 9);
    const { low, high } = depthOfCut(axial, grid);
    expect([low, high]).toEqual([10, 37.5]);
  });

  test("follows slices that lie a little oblique, and none that lie far off", () => {
    const s = Math.sin(0.2);
    const c = Math.cos(0.2);
    const made = plain({ orientation: [1, 0, 0, 0, c, s] });
    made.frames.position = made.frames.position!.map((_, i) => [0, -s * 2.5 * i, c * 2.5 * i]);
    const grid = gridOf(made, 0)!;
    const axial = cutOf("axial", grid, [10, 8, 10]);
    expect(Math.abs(dot(normalOfCut(axial), grid.normal))).toBeCloseTo(1, 9);
    const far = plain({ orientation: [Math.SQRT1_2, 0, Math.SQRT1_2, 0, 1, 0] });
    const n: Point3 = [-Math.SQRT1_2, 0, Math.SQRT1_2];
    far.frames.position = far.frames.position!.map((_, i) => n.map((v) => v * 2.5 * i) as Point3);
    expect(normalOfCut(cutOf("axial", gridOf(far, 0)!, [3, 3, 3]))).toEqual([0, 0, 1]);
  });

  test("is the same image wherever its crosshair stands on it", () => {
    const grid = gridOf(plain(), 0)!;
    const cut = cutOf("coronal", grid, centre);
    expect(sameImage(cut, { ...cut, centre: [-85.3, centre[1], 31.1] })).toBe(true);
    expect(sameImage(cut, { ...cut, centre: [centre[0], centre[1] + 0.01, centre[2]] })).toBe(false);
    expect(sameImage(cut, { ...cut, slab_mm: 5 })).toBe(false);
    expect(sameImage(cut, { ...cut, mode: "min" })).toBe(true);
    expect(sameImage(cut, turnedAbout(cut, [0, 0, 1], 0.01))).toBe(false);
  });

  test("keeps its directions unit and square, however often it is turned", () => {
    const grid = gridOf(plain(), 0)!;
    let cut = cutOf("coronal", grid, centre);
    for (let i = 0; i < 200; i++) cut = turnedAbout(cut, [0, 0, 1], 0.1);
    expect(Math.hypot(...cut.row)).toBeCloseTo(1, 12);
    expect(dot(cut.row, cut.column)).toBeCloseTo(0, 12);
    const quarter = turnedAbout(cutOf("coronal", grid, centre), [0, 0, 1], Math.PI / 2);
    expect(quarter.row[1]).toBeCloseTo(1, 12);
  });
});

describe("the pixels of a cut", () => {
  const centre: Point3 = [-90, -66, 20];

  test("are those of the function, in every plane and in oblique ones, straight and tilted", () => {
    for (const made of [plain(), tilted()]) {
      const volume = volumeOf(filled(made), 0)!;
      const named = (["axial", "coronal", "sagittal"] as const).map((name) => cutOf(name, volume, centre));
      const oblique = turnedAbout(turnedAbout(named[1], [0, 0, 1], 0.5), [1, 0, 0], -0.3);
      for (const cut of [...named, oblique]) {
        const plane = planeOfCut(cut, volume);
        const { data } = reslice(volume, plane);
        let seen = 0;
        let wrong = 0;
        for (let row = 0; row < plane.rows; row++) {
          for (let column = 0; column < plane.columns; column++) {
            const point = indexToWorld(plane, [column, row]);
            const shown = data[row * plane.columns + column];
            const value = volume.sample(point);
            if (value === null) {
              if (shown !== -5000) wrong++;
              continue;
            }
            seen++;
            if (Math.abs(shown - value) > 0.01 || Math.abs(shown - linear(point)) > 0.01) wrong++;
          }
        }
        expect(wrong).toBe(0);
        expect(seen).toBeGreaterThan(500);
      }
    }
  });

  test("are rounded where the slices hold whole values", () => {
    const volume = volumeOf(
      filled(plain(), ([x]) => Math.round(x), false),
      0,
    )!;
    const made = reslice(volume, planeOfCut(cutOf("coronal", volume, centre), volume));
    expect(made.data).toBeInstanceOf(Int16Array);
  });

  test("of a slab are the highest, lowest and mean of its planes", () => {
    const bright = (point: Point3) => (Math.abs(point[2] - 25) < 0.1 ? 900 : point[2]);
    const volume = volumeOf(filled(plain(), bright), 0)!;
    const cut = cutOf("axial", volume, centre);
    const plane = planeOfCut(cut, volume);
    const at = (slab_mm: number, mode: "max" | "min" | "mean") =>
      reslice(volume, plane, slabOf(slab_mm, 2.5, mode)).data[10 * plane.columns + 10];
    expect(slabOf(10, 2.5, "max").at).toEqual([-5, -2.5, 0, 2.5, 5]);
    expect(slabOf(2, 2.5, "max").at).toEqual([0]);
    expect(at(0, "max")).toBeCloseTo(20, 3);
    expect(at(10, "max")).toBeCloseTo(900, 3);
    expect(at(10, "min")).toBeCloseTo(15, 3);
    expect(at(10, "mean")).toBeCloseTo((15 + 17.5 + 20 + 22.5 + 900) / 5, 3);
  });

  test("are there as far as their slices are loaded", () => {
    const frames = filled(plain());
    for (let i = 6; i < 12; i++) frames.pixels[i] = null;
    const volume = volumeOf(frames, 0)!;
    const plane = planeOfCut(cutOf("coronal", volume, centre), volume);
    const { data } = reslice(volume, plane);
    const at = (z: number) => data[Math.round((37.5 - z) / 0.4) * plane.columns + 20];
    expect(at(35)).toBe(-5000);
    expect(at(15)).not.toBe(-5000);
  });
});
