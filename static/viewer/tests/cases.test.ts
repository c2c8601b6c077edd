/** Numbers of drawn figures against the table that the server's tests read, too. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { AnnotationValue, Kind, Point2, Point3, Spacing } from "../src/api/types";
import { planeOf } from "../src/engine/geometry";
import { type Measured, measure } from "../src/journal/measure";
import { manifest } from "./manifest";

interface Case {
  name: string;
  kind: Kind;
  spacing: Spacing;
  orientation?: number[];
  points_patient_mm?: Point3[];
  points_image?: Point2[];
  numbers: Record<string, number>;
}

const table = new URL("../../../tests/annotations/measures/cases.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(table, "utf8")) as { cases: Case[] };

// The server's name without its unit → ours.
const OURS: Record<string, keyof Measured> = {
  length: "length",
  long_axis: "length",
  short_axis: "short",
  diameter: "diameter",
  width: "width",
  height: "height",
  depth: "depth",
  area: "area",
  perimeter: "perimeter",
  angle: "angle",
  volume: "volume",
};

test.each(cases)("$name", ({ kind, spacing, orientation, points_patient_mm, points_image, numbers }) => {
  const of = manifest({
    geometry: points_patient_mm ? "patient" : "image",
    orientation: orientation ?? null,
    spacing,
  });
  const value: AnnotationValue = {
    kind,
    label: "lesion",
    series: of.series.id,
    state: "present",
    note: "",
    origin: { from: "reader" },
    points_patient_mm,
    points_image,
  };
  const found = measure(value, planeOf(of, 0));
  for (const [name, expected] of Object.entries(numbers)) {
    const [, what, unit] = /^(.*)_([a-z]+)2?$/.exec(name) as RegExpExecArray;
    // An ellipse shows its area; the server lists its axes, too.
    if (kind === "ellipse" && what.endsWith("_axis")) continue;
    expect(Math.abs((found[OURS[what]] as number) / expected - 1), name).toBeLessThan(1e-4);
    if (unit === "mm" || unit === "px") expect(found.unit).toBe(unit);
  }
});
