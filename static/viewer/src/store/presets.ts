/** Window presets by modality, width/level. Keys 1 to 9 follow their order. */
import { t } from "../words";
export interface Preset {
  id: string;
  name: string;
  long: string;
  width: number;
  center: number;
}

const CT: Preset[] = [
  { id: "ct-soft", name: t("Soft"), long: t("Soft tissue"), width: 400, center: 40 },
  { id: "ct-lung", name: t("Lung"), long: t("Lung"), width: 1500, center: -600 },
  { id: "ct-liver", name: t("Liver"), long: t("Liver"), width: 150, center: 90 },
  { id: "ct-bone", name: t("Bone"), long: t("Bone"), width: 2500, center: 480 },
  { id: "ct-brain", name: t("Brain"), long: t("Brain"), width: 80, center: 40 },
  { id: "ct-mediastinum", name: t("Medi"), long: t("Mediastinum"), width: 350, center: 50 },
  { id: "ct-stroke", name: t("Stroke"), long: t("Stroke"), width: 8, center: 32 },
];

const PET: Preset[] = [3, 5, 7, 10, 15].map((top) => ({
  id: `pt-suv-${top}`,
  name: `SUV ${top}`,
  long: t("SUV 0 to {top}", { top }),
  width: top,
  center: top / 2,
}));

/** The image's own window comes last and is not in this table: it belongs to the frame. */
export function presetsFor(modality: string, suv: boolean): Preset[] {
  if (modality === "CT") return CT;
  if (modality === "PT" && suv) return PET;
  return [];
}
