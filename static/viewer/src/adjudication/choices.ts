/** What can be taken for a lesion, as rows to choose from; what still stops a decision; which lesion is next. Pure. */
import type {
  AdjudicatedLesion,
  Adjudication,
  Choice,
  LimitedNumber,
  Option,
  Preview,
  ReaderNumbers,
  ResultNumbers,
} from "../api/adjudication";
import type { AnswerValue } from "../api/types";

/** From how many votes on a voxel is taken; null where votes don't say it. */
export function votesNeeded({ take, at_least }: Choice, of: number): number | null {
  if (take === "union") return 1;
  if (take === "intersection") return of;
  if (take === "majority") return Math.floor(of / 2) + 1;
  return take === "at_least" ? (at_least ?? null) : null;
}

/** How many vote on a lesion; 0 where nobody painted it. */
export const votersOf = (options: Option[]): number => Math.max(0, ...options.map(({ of }) => of ?? 0));

/** Whether two choices come to the same: a majority of three is at least two of three. */
export function isSame(a: Choice | null, b: Choice | null, of: number): boolean {
  if (!a || !b) return false;
  const [x, y] = [votesNeeded(a, of), votesNeeded(b, of)];
  if (x !== null || y !== null) return x === y;
  return a.take === b.take && (a.read ?? null) === (b.read ?? null);
}

const WORTH: Option["take"][] = ["union", "intersection", "majority", "at_least"];

/** The merges, from most voxels to fewest, each once: what comes to the same stands under its plainest name. */
export function merges(options: Option[]): Option[] {
  const of = votersOf(options);
  const byVotes = new Map<number, Option>();
  for (const option of options) {
    const needed = votesNeeded(option, of);
    if (needed === null) continue;
    const known = byVotes.get(needed);
    if (!known || WORTH.indexOf(option.take) < WORTH.indexOf(known.take)) byVotes.set(needed, option);
  }
  const staple = options.filter(({ take }) => take === "staple");
  return [...[...byVotes].sort(([a], [b]) => a - b).map(([, option]) => option), ...staple];
}

/** What the server is told of a choice. */
export const choiceOf = ({ take, read, at_least }: Choice): Choice => ({
  take,
  ...(take === "read" ? { read } : {}),
  ...(take === "at_least" ? { at_least } : {}),
});

// Numbers ----------------------------------------------------------------------------------------

export interface Row {
  read: string;
  longest_mm: number | null;
  longest_difference_mm: number | null;
  volume_mm3: number | null;
  volume_difference_mm3: number | null;
  dice: number | null;
  hd95_mm: number | null;
  past: ReadonlySet<string>;
}

const minus = (a: number | null | undefined, b: number | null | undefined): number | null =>
  a === null || a === undefined || b === null || b === undefined ? null : a - b;

/** A reader's numbers beside those of what would be taken; without that, beside what the server compared them to. */
export function rowOf(
  read: string,
  own: ReaderNumbers,
  rule: Adjudication["rule"],
  taken: Pick<Preview, "numbers" | "reads"> | null,
): Row {
  const { longest_mm, volume_mm3 } = own;
  if (!taken?.numbers) {
    const { longest_difference_mm, volume_difference_mm3, dice, hd95_mm, past } = own;
    const known = new Set(past);
    const numbers = { longest_mm, volume_mm3, longest_difference_mm, volume_difference_mm3, dice, hd95_mm };
    return { read, ...numbers, past: known };
  }
  const { dice = null, hd95_mm = null } = taken.reads[read] ?? {};
  const apart = minus(longest_mm, taken.numbers.longest_mm);
  const past = new Set<LimitedNumber>();
  if (dice !== null && rule.dice_below !== null && dice < rule.dice_below) past.add("dice");
  if (apart !== null && rule.diameter_apart_mm !== null && Math.abs(apart) >= rule.diameter_apart_mm)
    past.add("longest_mm");
  return {
    read,
    longest_mm,
    longest_difference_mm: apart,
    volume_mm3,
    volume_difference_mm3: minus(volume_mm3, taken.numbers.volume_mm3),
    dice,
    hd95_mm,
    past,
  };
}

/** Of a merge: how much more or less it holds than what is chosen; null for that itself. */
export const moreThan = (option: Option, chosen: ResultNumbers | null): number | null => {
  const difference = minus(option.volume_mm3, chosen?.volume_mm3);
  return difference === null || Math.abs(difference) < 0.05 ? null : difference;
};

// Deciding ---------------------------------------------------------------------------------------

/** The lesion after this one that is still open, from the first again after the last; null where none is. */
export function nextOpen(lesions: AdjudicatedLesion[], after: number | null): AdjudicatedLesion | null {
  const at = lesions.findIndex(({ number }) => number === after);
  const round = [...lesions.slice(at + 1), ...lesions.slice(0, Math.max(0, at))];
  return round.find(({ state }) => state !== "settled") ?? null;
}

export interface Draft {
  take: Choice | null;
  reason: string;
  answers: Record<string, AnswerValue["value"]>;
}

/** What the answers of a lesion become: chosen by hand, else as decided before, of the reader taken, or alike of all. */
export function answersOf(
  lesion: AdjudicatedLesion,
  { take, answers }: Pick<Draft, "take" | "answers">,
): Record<string, AnswerValue["value"] | null> {
  return Object.fromEntries(
    lesion.answers.map(({ answer, said, differs, chosen }) => {
      const given = Object.values(said).filter((value) => value !== null);
      const theirs = take?.take === "read" && take.read ? (said[take.read] ?? null) : null;
      return [answer, answers[answer] ?? chosen ?? theirs ?? (differs ? null : (given[0] ?? null))];
    }),
  );
}

export type Missing = "choice" | "drawing" | "reason" | "answers";

/** What a decision still lacks; null where it can be taken. */
export function lacks(lesion: AdjudicatedLesion, draft: Draft, drawn: string[]): Missing | null {
  const { take, reason } = draft;
  if (!take) return "choice";
  if (take.take === "drawn" && !drawn.length) return "drawing";
  if (take.take !== "absent") {
    const answers = answersOf(lesion, draft);
    if (lesion.answers.some(({ answer, differs }) => differs && answers[answer] === null)) return "answers";
  }
  return !lesion.agree && !reason.trim() ? "reason" : null;
}

/** Whether a settled lesion would become something else by this. */
export function isChanged(lesion: AdjudicatedLesion, draft: Draft, of: number): boolean {
  if (lesion.state !== "settled") return true;
  if (!isSame(draft.take, lesion.choice, of) || draft.reason.trim() !== lesion.reason.trim()) return true;
  const said = new Map(lesion.answers.map(({ answer, chosen }) => [answer, chosen]));
  return Object.entries(draft.answers).some(
    ([answer, value]) => JSON.stringify(said.get(answer) ?? null) !== JSON.stringify(value),
  );
}

// Slices -----------------------------------------------------------------------------------------

/** At most so many whole numbers from `first` to `last`, evenly apart, both ends and `now` among them. */
export function sampled(first: number, last: number, most: number, now: number): number[] {
  const count = last - first + 1;
  if (count <= most) return Array.from({ length: Math.max(0, count) }, (_, i) => first + i);
  const even = Array.from({ length: most }, (_, i) => Math.round(first + (i * (count - 1)) / (most - 1)));
  if (now <= first || now >= last || even.includes(now)) return even;
  // The nearest of the inner ones gives way.
  const inner = even.slice(1, -1);
  const nearest = inner.reduce((a, b) => (Math.abs(b - now) < Math.abs(a - now) ? b : a));
  return even.map((index) => (index === nearest ? now : index));
}
