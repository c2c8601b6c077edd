/** An adjudication, as the server tells of it: the readers by letter, the lesions they marked, what can be taken. */
import type { AnnotationValue, AnswerValue, FourState, Point2, Point3, StateAnswer } from "./types";

/** What becomes of a lesion: one reader's marks, a merge of them, what the adjudicator drew, or nothing. */
export interface Choice {
  take: "read" | "union" | "at_least" | "majority" | "intersection" | "staple" | "drawn" | "absent";
  read?: string;
  at_least?: number;
}

/** A choice that the server offers, with what would come of it. */
export interface Option extends Choice {
  /** How many readers vote: those who segmented it, and those who don't have it. */
  of?: number;
  volume_mm3?: number | null;
  longest_mm?: number | null;
  difference_mm3?: number | null;
}

export interface AdjudicatedReader {
  letter: string;
  read: string;
  /** For leads who look at it; the adjudicator judges letters. */
  name: string | null;
  number: number;
  submitted_at: string | null;
}

/** Square millimetres image by image, the first at index `first` (from 0) of its series. */
export interface Areas {
  first: number;
  values: number[];
}

export type LimitedNumber = "longest_mm" | "volume_mm3" | "dice" | "hd95_mm";

/** One reader's lesion in numbers; differences are from what they are compared to. */
export interface ReaderNumbers {
  longest_mm: number | null;
  short_mm: number | null;
  volume_mm3: number | null;
  slices: number;
  voxels: number;
  longest_difference_mm: number | null;
  volume_difference_mm3: number | null;
  dice: number | null;
  hd95_mm: number | null;
  series: string;
  kinds: string[];
  estimated: boolean;
  problem: string | null;
  areas_mm2: Areas | null;
  past: string[];
}

export interface ResultNumbers {
  volume_mm3: number | null;
  longest_mm: number | null;
  short_mm: number | null;
}

export interface LesionMember {
  read: string;
  annotations: string[];
  label: string | null;
  state: FourState | null;
  /** What the reader stated of the label where they marked nothing. */
  said: FourState | null;
}

export interface GivenAnswer {
  answer: string;
  of: "annotation" | "case" | "study" | "series" | "label";
  id: string;
  text: string;
  type: "choice" | "choices" | "code" | "number" | "text" | "date" | "state";
  options: { key: string; name: string }[];
  unit: string;
  said: Record<string, AnswerValue["value"] | null>;
  differs: boolean;
  chosen: AnswerValue["value"] | null;
}

export interface AdjudicatedLesion {
  number: number;
  label: string;
  name: string;
  /** "lost": settled, but a mark of its result was deleted since. */
  state: "open" | "settled" | "lost";
  version: number;
  agree: boolean;
  disagreements: string[];
  present: number;
  members: LesionMember[];
  place: {
    series: string;
    sop: string;
    frame: number;
    index: number;
    point_patient_mm: Point3 | null;
    point_image: Point2 | null;
  } | null;
  /** On whose grid merges are made; null where nobody painted. */
  series: string | null;
  numbers: {
    compared_to: (Choice & { of?: number }) | { take: "other" } | null;
    compared: ResultNumbers | null;
    reads: Record<string, ReaderNumbers>;
    least_dice: number | null;
    most_apart_mm: number | null;
  };
  options: Option[];
  suggested: Choice | null;
  answers: GivenAnswer[];
  choice: Choice | null;
  reason: string;
  settled_at: string | null;
  edited: boolean;
  result: string[];
  result_numbers: ResultNumbers | null;
}

export interface Adjudication {
  readers: AdjudicatedReader[];
  rule: {
    sentence: string;
    dice_below: number | null;
    diameter_apart_mm: number | null;
  };
  /** The lesions are still being found; null: all are here. `total` is null until they are counted. */
  comparing: { done: number; total: number | null; failed: boolean } | null;
  settled: number;
  total: number;
  /** Open lesions in which the readers agree. */
  agreeing: number;
  lesions: AdjudicatedLesion[];
  answers: GivenAnswer[];
  /** Marks of the adjudication that belong to no lesion. */
  extra: string[];
}

/** What would be taken over, before it is. */
export interface Preview {
  choice: Choice;
  series: string | null;
  planes: { sop: string; frame: number; rle: string; rows: number; columns: number }[];
  marks: AnnotationValue[];
  numbers: (ResultNumbers & { slices: number; voxels: number; areas_mm2: Areas | null }) | null;
  reads: Record<string, { dice: number | null; hd95_mm: number | null }>;
  staple: Record<string, { sensitivity: number; specificity: number }> | null;
}

export interface Decision {
  choice: Choice;
  reason: string;
  version: number;
  answers?: Record<string, AnswerValue["value"]>;
  /** Of what was drawn. */
  annotations?: string[];
}

export interface Decided {
  lesion: AdjudicatedLesion;
  /** The last edit of the adjudication's journal. */
  number: number;
  settled: number;
  total: number;
}

type Ask = <T>(url: string, body?: unknown, signal?: AbortSignal) => Promise<T>;

/** What the room asks about an adjudication; `base` is the address of its read. */
export const adjudicationOf = (ask: Ask, base: string) => ({
  now: () => ask<Adjudication>(`${base}adjudication/`),
  /** One reader's marks as they were submitted. */
  marksOf: (read: string) => ask<StateAnswer>(`${base}adjudication/reads/${read}/state/`),
  preview: (number: number, choice: Choice, signal?: AbortSignal) =>
    ask<Preview>(`${base}adjudication/lesions/${number}/preview/`, choice, signal),
  settle: (number: number, decision: Decision) =>
    ask<Decided>(`${base}adjudication/lesions/${number}/settle/`, decision),
  reopen: (number: number, version: number) =>
    ask<Decided>(`${base}adjudication/lesions/${number}/open/`, { version }),
  /** Has the lesions looked for once more, after that has failed. */
  compare: () => ask<Adjudication>(`${base}adjudication/compare/`, {}),
  /** Settles every lesion in which the readers agree. */
  agreed: () => ask<Adjudication>(`${base}adjudication/agreed/`, {}),
});
