/** An adjudication as it stands on the screen. Plain data: no DOM, no network. */
import { createStore } from "zustand/vanilla";
import type { AdjudicatedLesion, Adjudication, Choice, Preview } from "../api/adjudication";
import type { Mark, Marks } from "../store/marks";
import { type Layout, type Room, room, type ToolName } from "../store/room";
import { choiceOf, type Draft, votersOf, votesNeeded } from "./choices";

/** What would be taken, with the mark that it would be. */
export interface Previewed {
  preview: Preview;
  mark: Mark | null;
}

export interface Judging {
  now: Adjudication | null;
  /** The readers' marks as they were submitted, by the public id of their read. */
  states: ReadonlyMap<string, Marks>;
  /** The number of the lesion that is looked at. */
  lesion: number | null;
  /** Letters of the readers whose lines are off. */
  off: readonly string[];
  /** By number: what is not decided yet. */
  drafts: Readonly<Record<number, Partial<Draft>>>;
  /** By `nameOf(lesion, choice)`. */
  previews: ReadonlyMap<string, Previewed>;
  /** By number: the marks drawn here for it. */
  drawn: Readonly<Record<number, readonly string[]>>;
  /** A decision is on its way. */
  busy: boolean;
  problem: string | null;
  /** The layout that shows readers beside each other; another one on the screen was chosen by hand. */
  layout: Layout | null;
  /** By image: the read of the reader whose it is; null where all are laid over each other. */
  roles: readonly (string | null)[];
  /** Whether the second and third image are cuts through the first one's series. */
  hasCuts: boolean;
  /** The first reader of those who have an image, where they are more than fit. */
  from: number;
}

const blank = (): Judging => ({
  now: null,
  states: new Map(),
  lesion: null,
  off: [],
  drafts: {},
  previews: new Map(),
  drawn: {},
  busy: false,
  problem: null,
  layout: null,
  roles: [],
  hasCuts: false,
  from: 0,
});

export const judging = createStore<Judging>(blank);

export const forgetJudging = (): void => judging.setState(blank(), true);

export const lesionOf = ({ now, lesion }: Pick<Judging, "now" | "lesion">): AdjudicatedLesion | null =>
  now?.lesions.find(({ number }) => number === lesion) ?? null;

/** What is considered for a lesion: by hand, as it was decided, as the server suggests. */
export function draftOf(lesion: AdjudicatedLesion, { drafts }: Pick<Judging, "drafts">): Draft {
  const kept = drafts[lesion.number] ?? {};
  return {
    take: kept.take ?? lesion.choice ?? lesion.suggested,
    reason: kept.reason ?? lesion.reason,
    answers: kept.answers ?? {},
  };
}

/** A preview holds for a lesion at its version and for all choices that come to the same. */
export function nameOf(lesion: AdjudicatedLesion, choice: Choice): string {
  const votes = votesNeeded(choice, votersOf(lesion.options));
  return `${lesion.number}/${lesion.version}/${votes ?? JSON.stringify(choiceOf(choice))}`;
}

export function previewOf(state: Judging, lesion: AdjudicatedLesion | null): Previewed | null {
  const take = lesion && draftOf(lesion, state).take;
  return (lesion && take && state.previews.get(nameOf(lesion, take))) ?? null;
}

const LOOKING: ToolName[] = ["window", "pan", "zoom", "crosshair"];

/** Whether the hands look only: then letters are readers, and results are lines; else they draw, as in any read. */
export const isLooking = (state: Pick<Room, "tool"> = room.getState()): boolean =>
  LOOKING.includes(state.tool);

/** Whether the readers stand beside each other on the screen. */
export const isArranged = (
  { layout, maximised }: Pick<Room, "layout" | "maximised"> = room.getState(),
): boolean => !maximised && layout === judging.getState().layout;
