/** Numbers and names as a reader reads them. */
import type { FourState, Kind, Manifest, Read, StudyRow } from "../api/types";
import { frameIndex, type Plane, planeOf, spoils } from "../engine/geometry";
import { stackAt, thickness } from "../engine/stacks";
import { planeOfValue } from "../journal/figures";
import { type Measured, maskAreaMm2, maskVolumeMl, measure } from "../journal/measure";
import { unitsOf } from "../spoilt";
import type { Mark } from "../store/marks";
import { dayText, t, tn } from "../words";

export const KINDS: Record<Kind, string> = {
  segment: t("Segment"),
  length: t("Length"),
  bidirectional: t("Axes"),
  ellipse: t("Ellipse"),
  circle: t("Circle"),
  rectangle: t("Rectangle"),
  polygon: t("Polygon"),
  freehand: t("Freehand"),
  spline: t("Curve"),
  livewire: t("Live wire"),
  angle: t("Angle"),
  cobb: t("Angle of two lines"),
  arrow: t("Arrow"),
  box: t("Box"),
  point: t("Point"),
};

export const FOUR_STATES: [FourState, string][] = [
  ["present", t("Present")],
  ["absent", t("Absent")],
  ["indeterminate", t("Indeterminate")],
  ["not_assessed", t("Not assessed")],
];

const minus = (text: string): string => text.replace("-", "−");
export const fixed = (value: number, digits: number): string => minus(value.toFixed(digits));
export const whole = (value: number): string => minus(String(Math.round(value)));

/** Windows and values: whole, or with decimals where the scale is that fine. */
export const amount = (value: number, digits = Math.abs(value) >= 20 ? 0 : 2): string =>
  minus(Number.isInteger(value) ? String(value) : value.toFixed(digits));

/** How many decimals the values of a series carry: one step of the stored numbers still shows, up to 1e-4. */
export function digitsOf(manifest: Manifest): number {
  const units = unitsOf(manifest);
  if (units === "SUVbw") return 2;
  const step = Math.min(...manifest.frames.slope.map(Math.abs));
  if (units === "HU" || !(step > 0) || step >= 0.5) return 0;
  return Math.min(4, Math.ceil(-Math.log10(step)));
}

/** Mean and deviation with the same number of decimals. */
export function statisticsText(mean: number, deviation: number, manifest: Manifest): string {
  const units = unitsOf(manifest);
  const usual = Math.abs(mean) >= 100 || units === "HU" ? 0 : 1;
  const digits = Math.max(usual, digitsOf(manifest));
  return `${fixed(mean, digits)} ± ${fixed(deviation, digits)} ${units}`.trim();
}

export function valueText(value: number[], manifest: Manifest): string {
  if (value.length === 3) return `R ${value[0]} G ${value[1]} B ${value[2]}`;
  const units = unitsOf(manifest);
  if (Number.isNaN(value[0])) return t("no value");
  // Maps have no step between their values: four digits, wherever the point is.
  if (manifest.pixel.floating) return `${minus(String(Number(value[0].toPrecision(4))))} ${units}`.trim();
  if (units === "SUVbw") return `${fixed(value[0], 2)} SUVbw`;
  if (units === "HU") return `${whole(value[0])} HU`;
  return `${amount(value[0], digitsOf(manifest) || undefined)} ${units}`.trim();
}

export function dateText(date: string | null): string {
  return date ? dayText(date) : t("No date");
}

const about = (m: Measured): string => (m.estimate ? "≈ " : "");

/** Millimetres with one decimal, or pixels where the image is not calibrated. */
export function measuredText(m: Measured): string | null {
  const by = (...sides: number[]) =>
    `${about(m)}${sides.map((side) => fixed(side, 1)).join(" × ")} ${m.unit}`;
  if (m.volume !== null) return `${about(m)}${fixed(m.volume, m.volume < 10 ? 2 : 1)} mL`;
  if (m.length !== null && m.short !== null) return by(m.length, m.short);
  if (m.length !== null) return by(m.length);
  if (m.area !== null) return `${about(m)}${fixed(m.area, m.area < 100 ? 1 : 0)} ${m.unit}²`;
  if (m.angle !== null) return `${fixed(m.angle, 1)}°`;
  return null;
}

/** The sides or the diameter behind an area or a volume; null where there are none. */
export function sidesText(m: Measured): string | null {
  const by = (...sides: number[]) =>
    `${about(m)}${sides.map((side) => fixed(side, 1)).join(" × ")} ${m.unit}`;
  if (m.width !== null && m.height !== null)
    return m.depth === null ? by(m.width, m.height) : by(m.width, m.height, m.depth);
  return m.diameter === null ? null : `⌀ ${by(m.diameter)}`;
}

/** Lowest and highest value inside a mark. */
export function rangeText(low: number, high: number, manifest: Manifest): string {
  const units = unitsOf(manifest);
  const digits = digitsOf(manifest);
  return `${fixed(low, digits)} – ${fixed(high, digits)} ${units}`.trim();
}

export const planeOfMark = (mark: Mark, manifest: Manifest): { plane: Plane; index: number } | null => {
  const index = mark.value.plane ? 0 : frameIndex(manifest, mark.value.sop ?? "", mark.value.frame ?? 1);
  const plane = planeOfValue(mark.value, manifest);
  return plane === null ? null : { plane, index };
};

/** Volume of a segment in mL, or why there is none: as the server computes it, slice by slice. */
export function volumeOf(mark: Mark, manifest: Manifest): { ml: number } | { why: string } {
  const painted = [...mark.slices.values()].filter((slice) => slice.voxels);
  const indices = painted.map((slice) => frameIndex(manifest, slice.sop, slice.frame));
  const why = spoils(manifest, "volume") ?? spoils(manifest, "millimetres");
  if (why) return { why };
  if (manifest.geometry !== "patient") return { why: t("These images have no position in the patient.") };
  if (new Set(indices.map((index) => stackAt(manifest, index).number)).size > 1)
    return { why: t("It lies in several phases.") };
  let ml = 0;
  for (const [i, slice] of painted.entries()) {
    const part =
      indices[i] < 0
        ? null
        : maskVolumeMl(slice.voxels, planeOf(manifest, indices[i]), thickness(manifest, indices[i]));
    if (part === null) return { why: t("One slice alone has no thickness.") };
    ml += part;
  }
  return { ml };
}

export function volumeText(mark: Mark, manifest: Manifest): string {
  if (!mark.voxels) return t("no voxel");
  const volume = volumeOf(mark, manifest);
  if ("ml" in volume) return `${fixed(volume.ml, volume.ml < 10 ? 2 : 1)} mL`;
  const area = maskAreaMm2(mark.voxels, planeOf(manifest, 0));
  if (area !== null && mark.slices.size === 1) return `${fixed(area, 0)} mm²`;
  return tn(mark.voxels, "{n} voxel", "{n} voxels");
}

/** The number that stands for a mark in a list. */
export function figure(mark: Mark, manifest: Manifest | undefined): string {
  if (mark.value.state === "absent") return t("absent");
  if (mark.value.state === "not_assessed") return t("not assessed");
  if (!manifest) return "";
  if (mark.value.kind === "segment") return volumeText(mark, manifest);
  const at = planeOfMark(mark, manifest);
  return (at && measuredText(measure(mark.value, at.plane))) ?? "";
}

export function sliceText(mark: Mark, manifest: Manifest | undefined): string {
  if (!manifest) return "";
  if (mark.value.kind === "segment") {
    const n = mark.slices.size;
    return n ? tn(n, "{n} slice", "{n} slices") : "";
  }
  if (mark.value.plane) return t("on a cut");
  const at = planeOfMark(mark, manifest);
  if (!at) return "";
  const stack = stackAt(manifest, at.index);
  const n = at.index - stack.first + 1;
  return stack.of > 1 ? t("slice {n} of {phase}", { n, phase: stack.number }) : t("slice {n}", { n });
}

export function studyOf(read: Read, series: string): StudyRow | undefined {
  return read.studies.find((study) => study.series.some((one) => one.id === series));
}

export function subjectText(read: Read): string {
  const { pseudonym, sex, age_years } = read.subject;
  return [pseudonym, sex, age_years === null ? null : t("{n} y", { n: age_years })]
    .filter(Boolean)
    .join(", ");
}
