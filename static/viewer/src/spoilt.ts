/** What a series' quality findings switch off, tool by tool, and why. The reasons are the findings' own sentences. */
import type { Manifest } from "./api/types";
import { isCalibrated, planeOf, spoils } from "./engine/geometry";
import { REGIONS } from "./journal/figures";
import type { ToolName } from "./store/room";
import { t } from "./words";

const LENGTHS: ToolName[] = ["length", "bidirectional", ...REGIONS, "box"];
const BRUSHES: ToolName[] = ["brush", "eraser"];

/** What the values of a series are counted in: "HU", "SUVbw", or "" where nobody says. */
export const unitsOf = (manifest: Manifest): string => {
  if (manifest.suv_factor !== null) return "SUVbw";
  return spoils(manifest, "units") ? "" : manifest.units;
};

/** Why a tool can't be used on this series; null where it can. */
export function whyOff(tool: ToolName, manifest: Manifest): string | null {
  if (tool === "threshold" && manifest.pixel.samples > 1)
    return t("a colour image has no single value to paint by.");
  if (tool === "box" && manifest.geometry !== "patient")
    return t("these images have no position in the patient.");
  return null;
}

/** What to know before using a tool on this series: measured in pixels, estimated, without a volume. */
export function noteOf(tool: ToolName, manifest: Manifest): string | null {
  const plane = planeOf(manifest, 0);
  if (LENGTHS.includes(tool)) {
    if (!isCalibrated(plane))
      return t("In pixels: {why}", {
        why: spoils(manifest, "millimetres") ?? t("the image is not calibrated."),
      });
    if (plane.calibration === "estimated") return t("An estimate: by what is known of the magnification.");
  }
  if (BRUSHES.includes(tool)) {
    const why = spoils(manifest, "volume");
    if (why) return t("No volume in mL: {why}", { why });
  }
  if (tool === "threshold") {
    const why = spoils(manifest, "units");
    if (why) return t("By stored values: {why}", { why });
  }
  return null;
}
