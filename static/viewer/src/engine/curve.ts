/** How the mean inside a region changes from phase to phase: the same points on the same place of every stack. */
import type { AnnotationValue, Manifest, Point2 } from "../api/types";
import { isRegion } from "../journal/figures";
import { type Statistics, statistics } from "../journal/measure";
import { t } from "../words";
import { type Pixels, valueAt } from "./decode";
import { frameIndex, type Plane, planeOf, sub } from "./geometry";
import { sameInStack, stackAt, stacksOf } from "./stacks";

export interface CurvePoint {
  label: string;
  /** Since the first phase; null where the phases are no points of time. */
  seconds: number | null;
  /** Index of the frame that was measured. */
  frame: number;
  /** null where that frame is not loaded yet, or lies elsewhere. */
  found: Statistics | null;
}

type Region = Pick<AnnotationValue, "kind" | "sop" | "frame" | "points_patient_mm" | "points_image">;

/** Why a mark has no curve; null where it has one. */
export function whyNoCurve(mark: Region, manifest: Manifest): string | null {
  if (stacksOf(manifest).length < 2) return t("This series has no phases.");
  if (!isRegion(mark.kind)) return "A curve needs an outline: an ellipse, a polygon and so on.";
  if (manifest.pixel.samples !== 1) return t("Colour images have no single value.");
  return frameIndex(manifest, mark.sop ?? "", mark.frame ?? 1) < 0 ? t("It doesn't lie on one image.") : null;
}

const SAME_PLACE_MM = 0.5;

/** The frames to measure, one a phase, in the order of the phases. */
export function framesOfCurve(mark: Region, manifest: Manifest): number[] {
  const at = frameIndex(manifest, mark.sop ?? "", mark.frame ?? 1);
  if (at < 0) return [];
  const here = planeOf(manifest, at);
  return stacksOf(manifest)
    .map((stack) => sameInStack(manifest, at, stack.number))
    .filter((index) => liesOn(here, planeOf(manifest, index)));
}

/** Stacks in other planes, or that don't reach this place, are none of its phases. */
function liesOn(here: Plane, there: Plane): boolean {
  if (here.kind === "image") return there.rows === here.rows && there.columns === here.columns;
  const apart = sub(there.origin, here.origin);
  const turned = [...there.row, ...there.column].some(
    (v, i) => Math.abs(v - [...here.row, ...here.column][i]) > 0.01,
  );
  const normal = [
    here.row[1] * here.column[2] - here.row[2] * here.column[1],
    here.row[2] * here.column[0] - here.row[0] * here.column[2],
    here.row[0] * here.column[1] - here.row[1] * here.column[0],
  ];
  const along = Math.abs(apart[0] * normal[0] + apart[1] * normal[1] + apart[2] * normal[2]);
  return !turned && along < SAME_PLACE_MM;
}

export function curveOf(
  mark: Region,
  manifest: Manifest,
  pixelsOf: (index: number) => Pixels | null,
): CurvePoint[] {
  return framesOfCurve(mark, manifest).map((frame) => {
    const { label, seconds } = stackAt(manifest, frame);
    const pixels = pixelsOf(frame);
    const found = pixels
      ? statistics(mark, planeOf(manifest, frame), (column, row) =>
          valueAt(manifest, frame, pixels, row * pixels.columns + column),
        )
      : null;
    return { label, seconds: seconds ?? null, frame, found };
  });
}

/** Places of a curve's points in a box, x by seconds where all have them, else evenly; y from the lowest mean. */
export function laidOut(points: CurvePoint[], width: number, height: number): (Point2 | null)[] {
  const means = points.flatMap(({ found }) => (found ? [found.mean] : []));
  if (!means.length) return points.map(() => null);
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const timed = points.every(({ seconds }) => seconds !== null);
  const xs = points.map(({ seconds }, i) => (timed ? (seconds as number) : i));
  const span = Math.max(...xs) - Math.min(...xs) || 1;
  return points.map(({ found }, i) =>
    found
      ? [
          ((xs[i] - Math.min(...xs)) / span) * width,
          high > low ? height - ((found.mean - low) / (high - low)) * height : height / 2,
        ]
      : null,
  );
}

/** By how much a mean differs from the first phase, in percent; null where that says nothing. */
export function change(points: CurvePoint[], i: number): number | null {
  const [first, here] = [points[0]?.found?.mean, points[i]?.found?.mean];
  if (i === 0 || first === undefined || here === undefined || !(first > 0)) return null;
  return ((here - first) / first) * 100;
}
