/** What is on the screen. Plain data: no Cornerstone object, no DOM node, so a test can run it. */
import { createStore } from "zustand/vanilla";
import type { DrawnKind, Manifest, Person, Point2, Point3, Read } from "../api/types";
import type { Area, Sight } from "../engine/camera";
import type { ColourName } from "../engine/colour";
import type { Cut } from "../engine/cut";
import type { Report } from "../journal/outside";
import { t } from "../words";

export type ToolName =
  | "window"
  | "pan"
  | "zoom"
  | "crosshair"
  | DrawnKind
  | "brush"
  | "eraser"
  | "threshold"
  | "lesion"
  | "scissors"
  | "bucket"
  | "comment";

export interface Pane {
  series: string | null;
  /** The frame asked for, and the one on the screen (null while nothing is). Both count from 0. */
  wanted: number;
  shown: number | null;
  /** A cut through the volume instead of one of its slices; then `wanted` is a slice near its centre. */
  cut: Cut | null;
  /** The masks of the series in space, instead of an image. */
  surface: boolean;
  window: { width: number; center: number; preset: string | null } | null;
  inverted: boolean;
  sight: Sight | null;
  area: Area;
  error: string | null;
  /** Another series over this one, in colour; null where there is none. */
  fusion: Fusion | null;
}

/** PET on CT: by position in the patient, in a window of its own. */
export interface Fusion {
  series: string;
  /** From 0 to 1. */
  opacity: number;
  colours: ColourName;
  window: { width: number; center: number };
}

/** Images beside and below each other. */
export interface Layout {
  rows: number;
  columns: number;
}

export interface Progress {
  loaded: number;
  total: number;
  failed: number;
}

export type Editing = "waiting" | "here" | "elsewhere" | "closed";

export interface Room {
  read: Read | null;
  problem: string | null;
  manifests: Record<string, Manifest>;
  manifestProblems: Record<string, string>;
  progress: Record<string, Progress>;
  /** As many as the largest layout has; those of `shownPanes` are on the screen, row by row. */
  panes: Pane[];
  layout: Layout;
  active: number;
  maximised: boolean;
  /** Images scroll together; zoom and pan together; share one window. linking.ts carries it over. */
  linked: boolean;
  linkedSight: boolean;
  linkedWindow: boolean;
  /** How far one image stays ahead of another while they scroll together: see linking.ts. */
  ahead: Record<string, number>;
  /** Whether an image shows where the active one cuts it. */
  crossLines: boolean;
  cine: boolean;
  tool: ToolName;
  brushMm: number;
  /** What the threshold brush paints, by the units of the values. */
  ranges: Record<string, Range>;
  label: string | null;
  selected: string | null;
  overlays: boolean;
  editing: Editing;
  people: Person[];
  report: Report | null;
  /** Until when the case was kept for its reader, where that had passed before they came back. */
  ranOut: string | null;
  notice: { sentence: string; act: string | null; does: "undo" | "redo" | null } | null;
  pin: Pin | null;
  openComment: string | null;
  outlined: string[];
  /** The marks shown are those after this edit, to look at; null: as they are. */
  past: { number: number; at: string } | null;
  /** Findings that are not drawn for now; the reader's own look, not part of the read. */
  hidden: string[];
}

export interface Range {
  low: number | null;
  high: number | null;
}

export interface Pin {
  series: string;
  sop: string;
  frame: number;
  point_patient_mm: Point3 | null;
  point_image: Point2 | null;
}

const pane = (): Pane => ({
  series: null,
  wanted: 0,
  shown: null,
  cut: null,
  surface: false,
  window: null,
  inverted: false,
  sight: null,
  area: { width: 1, height: 1, inset: 22 },
  error: null,
  fusion: null,
});

export const ROWS_MAX = 3;
export const PANES_MAX = ROWS_MAX * ROWS_MAX;
export const BRUSH_SIZES_MM = [1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 40];

export function makeRoom() {
  return createStore<Room>(() => ({
    read: null,
    problem: null,
    manifests: {},
    manifestProblems: {},
    progress: {},
    panes: Array.from({ length: PANES_MAX }, pane),
    layout: { rows: 1, columns: 1 },
    active: 0,
    maximised: false,
    linked: false,
    linkedSight: false,
    linkedWindow: false,
    ahead: {},
    crossLines: true,
    cine: false,
    tool: "window",
    brushMm: 6,
    ranges: { HU: { low: -300, high: null }, SUVbw: { low: 2.5, high: null } },
    label: null,
    selected: null,
    overlays: true,
    editing: "waiting",
    people: [],
    report: null,
    ranOut: null,
    notice: null,
    pin: null,
    openComment: null,
    outlined: [],
    past: null,
    hidden: [],
  }));
}

export const room = makeRoom();

export function setPane(which: number, part: Partial<Pane>, store = room): void {
  store.setState((state) => {
    const panes = [...state.panes];
    panes[which] = { ...panes[which], ...part };
    return { panes };
  });
}

/** The panes on the screen, row by row; one that is maximised hides the others but leaves them open. */
export const shownPanes = ({ layout }: Pick<Room, "layout">): number[] =>
  Array.from({ length: layout.rows * layout.columns }, (_, which) => which);

/** Fewer images than before hide the last ones; what they showed is there again with more. */
export function setLayout(layout: Layout, store = room): void {
  const last = layout.rows * layout.columns - 1;
  store.setState((state) => ({ layout, active: Math.min(state.active, last), maximised: false }));
}

/** Moves to a frame of the pane's series, staying inside the series. Returns the index it settled on. */
export function goTo(which: number, index: number, store = room): number {
  const state = store.getState();
  const { series } = state.panes[which];
  const count = series ? (state.manifests[series]?.frames.sop.length ?? 0) : 0;
  const settled = Math.max(0, Math.min(count - 1, Math.round(index)));
  if (count && settled !== state.panes[which].wanted) setPane(which, { wanted: settled, error: null }, store);
  return settled;
}

export function nextBrush(mm: number, direction: 1 | -1): number {
  const sizes = direction > 0 ? BRUSH_SIZES_MM : [...BRUSH_SIZES_MM].reverse();
  return sizes.find((size) => (direction > 0 ? size > mm : size < mm)) ?? mm;
}

export const rangeFor = (state: Room, units: string): Range =>
  state.ranges[units] ?? { low: null, high: null };

/** The manifest of the series in the active image. */
export const activeManifest = (state: Room): Manifest | undefined => {
  const { series } = state.panes[state.active];
  return series ? state.manifests[series] : undefined;
};

export const mayMark = (state: Room): boolean =>
  state.editing === "here" &&
  state.past === null &&
  state.read?.you.may_edit === true &&
  state.read.you.capacity === "reader";

/** Whether this person sees the read's marks only once it was handed in. */
export const marksOpenLater = (read: Read): boolean =>
  read.you.capacity !== "reader" && read.round === 1 && ["assigned", "in_progress"].includes(read.state);

/** The states in which a reader's marks can no longer change, as a sentence. */
export function lockSentence(read: Read): string | null {
  if (read.you.capacity !== "reader") return null;
  if (read.adjudication && ["submitted", "accepted"].includes(read.state))
    return t("This adjudication is submitted: it is the case's reference standard.");
  if (read.state === "submitted")
    return t("You submitted this read. It is with the reviewer and can't be changed.");
  if (read.state === "accepted") return t("This read is accepted. It can't be changed any more.");
  if (read.state === "set_aside")
    return t("This read was set aside by the lead. What you drew is kept, and can't be changed now.");
  if (!read.you.may_edit) return t("This read is not open for changes.");
  return null;
}
