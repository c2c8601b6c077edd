/** What the chosen finding measures, and what the values inside it are. */
import { useStore } from "zustand";
import type { Manifest } from "../api/types";
import { spoils } from "../engine/geometry";
import { stackAt } from "../engine/stacks";
import { indexOfFrame, isRegion } from "../journal/figures";
import { type Measured, measure, type Statistics, statistics } from "../journal/measure";
import { figures, type SegmentFigures } from "../masks/figures";
import { boxStatistics, sampler } from "../reading";
import type { Mark } from "../store/marks";
import { t, tn } from "../words";
import { useRoom } from "./use";
import {
  fixed,
  measuredText,
  planeOfMark,
  rangeText,
  sidesText,
  statisticsText,
  volumeOf,
  volumeText,
} from "./words";

type Row = [term: string, value: string];

export function Numbers({ mark }: { mark: Mark }) {
  const manifest = useRoom((state) => state.manifests[mark.value.series]);
  // Values come as their frames do.
  useRoom((state) => state.progress[mark.value.series]);
  const worked = useStore(figures, (state) => state.of.get(mark.id)?.figures ?? null);
  if (!manifest) return null;
  const rows = mark.value.kind === "segment" ? ofSegment(mark, manifest, worked) : ofFigure(mark, manifest);
  if (!rows) return <p className="emptysay">{t("Its image is no longer in this series.")}</p>;
  return (
    <dl className="nums">
      {rows.map(([term, value]) => (
        <div key={term}>
          <dt>{term}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** The diameters; those of the mask before stand a moment longer, until the new ones are worked out. */
function ofAxes(worked: SegmentFigures | null, manifest: Manifest): Row[] {
  const axes = worked?.axes;
  if (!axes) return [];
  const { long, short, unit } = axes;
  const index = indexOfFrame(manifest, axes.sop, axes.frame);
  const slice = index - stackAt(manifest, index).first + 1;
  const rows: Row[] = [
    [
      t("Long × short"),
      t("{long} × {short} {unit}, slice {slice}", {
        long: fixed(long, 1),
        short: fixed(short, 1),
        unit,
        slice,
      }),
    ],
  ];
  if (worked.longest3d_mm !== null) rows.push([t("Longest, 3D"), `${fixed(worked.longest3d_mm, 1)} mm`]);
  return rows;
}

function ofSegment(mark: Mark, manifest: Manifest, worked: SegmentFigures | null): Row[] {
  if (!mark.voxels) return [];
  const slices = tn(mark.slices.size, "{n} slice", "{n} slices");
  const volume = volumeOf(mark, manifest);
  const rows: Row[] = [
    [t("Voxels"), t("{count} on {slices}", { count: mark.voxels, slices })],
    ["ml" in volume ? t("Volume") : t("Size"), volumeText(mark, manifest)],
  ];
  if ("why" in volume) rows.push([t("No mL"), volume.why]);
  rows.push(...ofAxes(worked, manifest));
  return rows;
}

function ofFigure(mark: Mark, manifest: Manifest): Row[] | null {
  const at = planeOfMark(mark, manifest);
  if (!at) return null;
  const numbers = measure(mark.value, at.plane);
  const rows: Row[] = [];
  const text = measuredText(numbers);
  if (text) rows.push([termOf(numbers), text]);
  const sides = sidesText(numbers);
  if (sides) rows.push([numbers.diameter === null ? t("Sides") : t("Diameter"), sides]);
  if (numbers.perimeter !== null) rows.push([t("Around"), `${fixed(numbers.perimeter, 1)} ${numbers.unit}`]);
  rows.push(...ofValues(valuesOf(mark, manifest, at), manifest));
  if (numbers.unit === "px" && numbers.angle === null && text)
    rows.push([t("Scale"), spoils(manifest, "millimetres") ?? t("Not calibrated: pixels, no millimetres.")]);
  if (numbers.estimate) rows.push([t("Scale"), t("estimate: by what is known of the magnification")]);
  if (mark.value.plane) rows.push([t("Drawn on"), t("a cut; values between voxels are interpolated")]);
  return rows;
}

function termOf(m: Measured): string {
  if (m.volume !== null) return t("Volume");
  if (m.area !== null) return t("Area");
  if (m.angle !== null) return t("Angle");
  return m.short === null ? t("Length") : t("Long × short");
}

function valuesOf(
  mark: Mark,
  manifest: Manifest,
  at: NonNullable<ReturnType<typeof planeOfMark>>,
): Statistics | null {
  const { value } = mark;
  if (value.kind === "box") return boxStatistics(value, manifest);
  if (!isRegion(value.kind)) return null;
  const values = sampler({ manifest, plane: at.plane, index: value.plane ? null : at.index, near: at.index });
  return values && statistics(value, at.plane, values);
}

function ofValues(found: Statistics | null, manifest: Manifest): Row[] {
  if (!found) return [];
  return [
    [t("Mean ± SD"), statisticsText(found.mean, found.deviation, manifest)],
    [t("Lowest – highest"), rangeText(found.minimum, found.maximum, manifest)],
    [t("Voxels"), String(found.voxels)],
  ];
}
