/** The server's answers, as the pages send them. Only this file, and adjudication.ts, change when an answer changes. */
import type { Adjudication } from "./adjudication";

import type { Incidental, Verdict } from "./review";

export type Point3 = [number, number, number];
export type Point2 = [number, number];

/** What is drawn with points; a segment is painted. */
export type DrawnKind =
  | "length"
  | "bidirectional"
  | "ellipse"
  | "circle"
  | "rectangle"
  | "polygon"
  | "freehand"
  | "spline"
  | "livewire"
  | "angle"
  | "cobb"
  | "arrow"
  | "box"
  | "point";
export type Kind = "segment" | DrawnKind;
export type FourState = "present" | "absent" | "indeterminate" | "not_assessed";
export type ReadState = "assigned" | "in_progress" | "submitted" | "returned" | "accepted" | "set_aside";

export interface PixelFormat {
  rows: number;
  columns: number;
  samples: number;
  photometric: string;
  bits_allocated: number;
  bits_stored: number;
  high_bit: number;
  signed: boolean;
  planar: number;
  /** Floating-point values, of 32 or 64 bits. */
  floating?: boolean;
}

/**
 * row_mm is the distance between rows (vertical), column_mm between columns: in the patient ("pixel"), in the
 * patient by a projection's own estimate ("estimated"), at the detector of a projection ("imager").
 */
export interface Spacing {
  row_mm: number | null;
  column_mm: number | null;
  source: "pixel" | "estimated" | "imager" | "none";
}

export interface QualityFinding {
  code: string;
  sentence: string;
  spoils: string[];
}

export interface Manifest {
  version: number;
  generation: number;
  series: {
    id: string;
    uid: string;
    study: string;
    number: number | null;
    modality: string;
    description: string;
    body_part: string;
    laterality: string;
    frame_of_reference: string | null;
    /** How fast a film is played; absent or null where its file doesn't say. */
    images_a_second?: number | null;
  };
  geometry: "patient" | "image";
  orientation: number[] | null;
  spacing: Spacing;
  /** Which way rows and columns run, as written on an image without position: ["L", "F"]. */
  letters?: [string, string] | null;
  pixel: PixelFormat;
  units: string;
  suv_factor: number | null;
  frames: {
    sop: string[];
    frame: number[];
    instance_number: (number | null)[];
    position: Point3[] | null;
    center: (number | null)[];
    width: (number | null)[];
    slope: number[];
    intercept: number[];
    length: number[];
    syntax: number[];
    /** Side ("R", "L", "B") and view ("CC", "MLO", …) of each frame, where there is something to say. */
    laterality?: string[];
    view?: string[];
  };
  syntaxes: string[];
  overrides: Record<
    string,
    Partial<{
      orientation: number[];
      spacing: Spacing;
      letters: [string, string] | null;
      pixel: PixelFormat;
    }>
  >;
  findings: QualityFinding[];
  /** Frames that are scrolled through together, where a series holds several such stacks. */
  phases?: { label: string; first: number; count: number; seconds?: number }[];
}

export interface Label {
  key: string;
  name: string;
  color: string;
  kinds: Kind[];
  code: { value: string; scheme: string; meaning: string } | null;
  required: boolean;
  /** It holds earlier marks; nothing new is marked with it. */
  retired?: boolean;
}

export interface Question {
  key: string;
  text: string;
  of: "case" | "study" | "series" | "annotation";
  /** Labels of annotations, or modalities of series; empty: all. */
  only: string[];
  type: "choice" | "choices" | "code" | "number" | "text" | "date";
  options: { key: string; name: string; code: { value: string; scheme: string; meaning: string } | null }[];
  /** UCUM. */
  unit: string;
  least: number | null;
  most: number | null;
  required: boolean;
  /** Asked only where that question has one of these answers. */
  when: { question: string; is: string[] } | null;
  /** It holds earlier answers, and is no longer asked. */
  retired?: boolean;
}

export interface SeriesRow {
  id: string;
  uid: string;
  number: number | null;
  modality: string;
  description: string;
  images: number;
  generation: number;
  thumbnail: string;
  manifest: string;
  findings: QualityFinding[];
}

export interface StudyRow {
  id: string;
  uid: string;
  date: string | null;
  description: string;
  days_from_first: number | null;
  series: SeriesRow[];
}

/** What hangs in a pane: a series and, where it doesn't open there by itself, the frame (from 0). */
export interface HungPane {
  series: string | null;
  frame: number | null;
  /** A window by its id, see store/presets.ts. */
  preset: string | null;
  cut: "axial" | "coronal" | "sagittal" | null;
  /** The series laid over it. */
  fused: string | null;
}

/** A case as a protocol hangs it; panes row by row. */
export interface Hung {
  id: string;
  name: string;
  layout: { rows: number; columns: number };
  panes: HungPane[];
  link: boolean;
}

/** What the case opens with, and all that it may be hung by, that one first. */
export interface Hanging extends Hung {
  choices: Hung[];
}

export interface Imported {
  id: string;
  series: string;
  label: string | null;
  /** A kind of mark, or what can only be looked at: "line". */
  kind: string;
  origin: string;
  slices: number;
  /** Of a shape: its image and points, as in marks. */
  place?: Pick<
    AnnotationValue,
    "sop" | "frame" | "frame_of_reference" | "points_patient_mm" | "points_image"
  > | null;
}

export interface Comment {
  id: string;
  text: string;
  author: string;
  at: string;
  series: string | null;
  sop: string | null;
  frame: number | null;
  point_patient_mm: Point3 | null;
  point_image: Point2 | null;
  resolved: boolean;
  number: number;
  round: number;
  /** The comment that opened the thread; null for that one itself. */
  reply_to: string | null;
}

export interface Read {
  id: string;
  /** "viewing": no read at all, but images that someone may look at. */
  kind?: "read" | "adjudication" | "viewing";
  /** The readers' work, where this read settles it. */
  adjudication?: Adjudication | null;
  state: ReadState;
  round: number;
  you: {
    name: string;
    initials: string;
    /** "fellow": another reader of the case, where the project reads in the open. */
    capacity: "reader" | "reviewer" | "lead" | "fellow" | "viewer";
    may_edit: boolean;
    may_submit: boolean;
    may_judge: boolean;
  };
  reader: { name: string; initials: string } | null;
  project: { slug: string; name: string; url: string };
  case: { number: number; title: string };
  subject: { pseudonym: string; sex: string | null; age_years: number | null };
  schema: {
    version: number;
    labels: Label[];
    questions: Question[];
    /** What earlier versions had: the history speaks of it. */
    former?: { labels: Pick<Label, "key" | "name" | "color">[]; questions: Pick<Question, "key" | "text">[] };
  };
  studies: StudyRow[];
  /** How the case opens; null where it has no image. */
  hanging: Hanging | null;
  /** Nobody sees another's work before adjudication. */
  is_blind?: boolean;
  /** Once handed in, the reader learns how the read compares with the reference standard. */
  is_training?: boolean;
  /** When marks that came with the images are shown to the reader, and whether they are kept back now. */
  proposals?: {
    shown: "before" | "after" | "never";
    withheld: boolean;
    /** The last edit of the reader's own, before they saw proposals. */
    unaided_number: number | null;
  };
  /** Of a case that the reader took from the queue: until when it is kept, and whether that has passed. */
  lease?: { until: string; ran_out: boolean } | null;
  /** Where readers work in the open: the reads of this case. */
  fellows?: { read: string; url: string; name: string; is_yours: boolean }[];
  imported: Imported[];
  comments: Comment[];
  /** The last verdict, where the server hands it out. */
  review?: Verdict | null;
  /** What the caller told the data managers of. */
  incidental?: Incidental[];
  worklist_url: string;
  next: { read: string; url: string; series: string[] } | null;
}

export interface AnnotationValue {
  kind: Kind;
  label: string;
  series: string;
  state: FourState;
  note: string;
  origin: { from: "reader" | "imported" | "adjudication"; imported?: string };
  sop?: string;
  frame?: number;
  frame_of_reference?: string | null;
  points_patient_mm?: Point3[];
  points_image?: Point2[];
  /** Of a mark drawn on a cut, which is no image: then there is neither `sop` nor `frame`. */
  plane?: CutPlane;
  /** Kept from being changed by a slip of the hand. */
  locked?: boolean;
  color_index?: number;
}

/** A plane through the patient: a point on it (LPS, mm) and the two unit vectors along its rows and columns. */
export interface CutPlane {
  origin: Point3;
  row: Point3;
  column: Point3;
}

/**
 * What was said: an answer to a question of the schema, the `state` of a label, the verdict on a `proposal`.
 * `id` names the study, series, annotation, label or imported mark that it is about; "" for the case.
 */
export interface AnswerValue {
  answer: string;
  of: "case" | "study" | "series" | "annotation" | "label" | "imported";
  id: string;
  value: string | number | string[];
  /** Of a verdict: when. */
  at?: string;
}

export interface PlaneValue {
  rle: string;
  rows: number;
  columns: number;
}

export interface AnnotationRef {
  annotation: string;
}
export interface PlaneRef {
  annotation: string;
  sop: string;
  frame: number;
}
export type ObjectRef = AnnotationRef | PlaneRef;
export type ObjectValue = AnnotationValue | PlaneValue | AnswerValue | null;

export interface Edit {
  id: string;
  group: string;
  inverts: string | null;
  at: string;
  object: ObjectRef;
  seen: number;
  value: ObjectValue;
}

export interface EditResult {
  id: string;
  status: "applied" | "duplicate" | "conflict" | "parked" | "refused";
  number?: number;
  version?: number;
  current?: ObjectValue;
  /** What was kept, where the labels changed since this page was told. */
  value?: ObjectValue;
  reason?: string;
}

export interface EditsAnswer {
  results: EditResult[];
  number: number;
}

/** How a training read compares with the reference standard of its case. */
export interface Feedback {
  ready: boolean;
  labels: {
    label: string;
    name: string;
    dice: number | null;
    surface_dice: number | null;
    hd95_mm: number | null;
    your_volume_mm3: number | null;
    reference_volume_mm3: number | null;
    matched: number;
    unmatched: number;
    both_empty: boolean;
  }[];
  reference: StateAnswer;
}

export interface StateAnswer {
  number: number;
  annotations: { id: string; version: number; value: AnnotationValue }[];
  planes: { annotation: string; sop: string; frame: number; version: number; rle: string }[];
  answers?: { id: string; version: number; value: AnswerValue }[];
}

/** One gesture in the list of what was done: no voxels. */
export interface GestureLine {
  group: string;
  inverts: string | null;
  /** Nobody drew: the read moved to this version of the labels. */
  labels_version?: number | null;
  /** Of its last edit. */
  number: number;
  at: string;
  changes: {
    annotation: string;
    what: "made" | "changed" | "deleted";
    value: AnnotationValue | AnswerValue | null;
    slices: number;
  }[];
}

export interface ParkedEdit {
  reason: string;
  at: string;
  edit: Edit;
}

export interface HistoryEdit {
  number: number;
  object: ObjectRef;
  version: number;
  before: ObjectValue;
  after: ObjectValue;
}

export interface HistoryGroup {
  group: string;
  inverts: string | null;
  labels_version?: number | null;
  at: string;
  edits: HistoryEdit[];
}

export interface ImportedSlices {
  slices: { sop: string; frame: number; rle: string }[];
}

export interface Person {
  name: string;
  initials: string;
  capacity: string;
  tab: string;
}

export type LiveMessage =
  | { type: "presence"; people: Person[] }
  | { type: "edits"; number: number; tab: string }
  | { type: "state"; state: ReadState; round: number }
  | { type: "schema"; version: number }
  | { type: "adjudication" }
  | { type: "lease"; ran_out: string; until: string }
  | { type: "comment" }
  | { type: "incidental" };
