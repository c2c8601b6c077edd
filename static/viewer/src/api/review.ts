/** What the server tells of reviews: what changed since a round, why a read goes back, incidental findings. */
import type { AnnotationValue, Point2, Point3 } from "./types";

/** Why a read goes back: keys that stay, because they are counted over a project. */
export type Reason = "missed" | "not_there" | "outline" | "measure" | "label" | "answer" | "image" | "other";

export interface Verdict {
  verdict: "accept" | "return";
  reasons: Reason[];
  text: string;
  author: string;
  at: string;
}

/** A place on an image of the case; all null where there is none. */
export interface Pinned {
  series: string | null;
  sop: string | null;
  frame: number | null;
  point_patient_mm: Point3 | null;
  point_image: Point2 | null;
}

export interface Round {
  round: number;
  at: string;
  /** Its last edit. */
  number: number;
}

type Said = string | number | string[] | null;

export interface AnswerChange {
  answer: string;
  of: "case" | "study" | "series" | "annotation" | "label" | "imported";
  id: string;
  before: Said;
  after: Said;
}

export interface PlaneChange {
  sop: string;
  frame: number;
  rows: number;
  columns: number;
  added: string | null;
  removed: string | null;
}

export interface MarkChange {
  annotation: string;
  what: "added" | "removed" | "changed";
  before: AnnotationValue | null;
  after: AnnotationValue | null;
  /** "label", "state", "note", "locked", "origin"; "place": its points. */
  changed: string[];
  voxels: { added: number; removed: number; kept: number };
  /** By name with the unit in it: length_mm, volume_ml, … */
  numbers: { before: Record<string, number>; after: Record<string, number> };
  answers: AnswerChange[];
  planes: PlaneChange[];
}

export interface Diff {
  from: Round;
  /** All that can be compared with, oldest first. */
  rounds: Round[];
  number: number;
  unchanged: number;
  marks: MarkChange[];
  answers: AnswerChange[];
}

/** What the reader told the data managers, and what came of it. */
export interface Incidental extends Pinned {
  id: string;
  study: string;
  text: string;
  urgent: boolean;
  at: string;
  seen_at: string | null;
  answer: string;
  answered_by: string | null;
  answered_at: string | null;
}

export interface NewIncidental extends Pinned {
  study: string;
  text: string;
  urgent: boolean;
}
