/** A small manifest to test with; anything can be put differently. */
import type { Manifest, Point3, QualityFinding } from "../src/api/types";

export const finding = (...spoils: string[]): QualityFinding => ({
  code: "test",
  sentence: "Something is wrong here.",
  spoils,
});

export function manifest(part: Partial<Manifest> = {}, count = 4): Manifest {
  const positions = Array.from({ length: count }, (_, i): Point3 => [-100, -80, 10 + 2.5 * i]);
  return {
    version: 1,
    generation: 1,
    series: {
      id: "seriesseries",
      uid: "1.2.3",
      study: "studystudyst",
      number: 1,
      modality: "CT",
      description: "Chest",
      body_part: "",
      laterality: "",
      frame_of_reference: "1.2.9",
    },
    geometry: "patient",
    orientation: [1, 0, 0, 0, 1, 0],
    spacing: { row_mm: 0.8, column_mm: 0.4, source: "pixel" },
    pixel: {
      rows: 40,
      columns: 50,
      samples: 1,
      photometric: "MONOCHROME2",
      bits_allocated: 16,
      bits_stored: 16,
      high_bit: 15,
      signed: true,
      planar: 0,
    },
    units: "HU",
    suv_factor: null,
    frames: {
      sop: positions.map((_, i) => `1.2.3.${i}`),
      frame: positions.map(() => 1),
      instance_number: positions.map((_, i) => i + 1),
      position: positions,
      center: positions.map(() => 40),
      width: positions.map(() => 400),
      slope: positions.map(() => 1),
      intercept: positions.map(() => -1024),
      length: positions.map(() => 4000),
      syntax: positions.map(() => 0),
    },
    syntaxes: ["1.2.840.10008.1.2.1"],
    overrides: {},
    findings: [],
    ...part,
  };
}
