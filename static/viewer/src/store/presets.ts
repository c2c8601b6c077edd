/** Window presets by modality, width/level. Keys 1 to 9 follow their order. */
export interface Preset {
  id: string;
  name: string;
  long: string;
  width: number;
  center: number;
}

const CT: Preset[] = [
  { id: "ct-soft", name: "Soft", long: "Soft tissue", width: 400, center: 40 },
  { id: "ct-lung", name: "Lung", long: "Lung", width: 1500, center: -600 },
  { id: "ct-liver", name: "Liver", long: "Liver", width: 150, center: 90 },
  { id: "ct-bone", name: "Bone", long: "Bone", width: 2500, center: 480 },
  { id: "ct-brain", name: "Brain", long: "Brain", width: 80, center: 40 },
  { id: "ct-mediastinum", name: "Medi", long: "Mediastinum", width: 350, center: 50 },
  { id: "ct-stroke", name: "Stroke", long: "Stroke", width: 8, center: 32 },
];

const PET: Preset[] = [3, 5, 7, 10, 15].map((top) => ({
  id: `pt-suv-${top}`,
  name: `SUV ${top}`,
  long: `SUV 0 to ${top}`,
  width: top,
  center: top / 2,
}));

/** The image's own window comes last and is not in this table: it belongs to the frame. */
export function presetsFor(modality: string, suv: boolean): Preset[] {
  if (modality === "CT") return CT;
  if (modality === "PT" && suv) return PET;
  return [];
}
