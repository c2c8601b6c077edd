/** Lesions, readers and choices as an adjudicator reads them. */
import { votersOf, votesNeeded } from "../../adjudication/choices";
import type { AdjudicatedLesion, AdjudicatedReader, Choice, GivenAnswer } from "../../api/adjudication";
import type { AnswerValue } from "../../api/types";
import { t, tn } from "../../words";
import { FOUR_STATES, fixed } from "../words";

export const letterOf = (readers: AdjudicatedReader[], read: string | undefined): string =>
  readers.find((reader) => reader.read === read)?.letter ?? "?";

/** Cubic millimetres in thousands: "1,874"; small ones with a decimal. */
export const volumeText = (mm3: number): string =>
  mm3 < 10 && !Number.isInteger(mm3) ? fixed(mm3, 1) : Math.round(mm3).toLocaleString("en-GB");

const NOTHING = "–";

export const numberText = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? NOTHING : fixed(value, digits);

export const volumeOr = (mm3: number | null | undefined): string =>
  mm3 === null || mm3 === undefined ? NOTHING : volumeText(mm3);

/** With its sign, as a difference has one: "+1.5", "−200". */
export function differenceText(value: number | null | undefined, digits: number): string {
  if (value === null || value === undefined) return NOTHING;
  const text = digits ? Math.abs(value).toFixed(digits) : Math.round(Math.abs(value)).toLocaleString("en-GB");
  if (Number(text.replaceAll(",", "")) === 0) return "0";
  return `${value < 0 ? "−" : "+"}${text}`;
}

/** A choice in a few words: "At least 2 of 4". */
export function choiceText(choice: Choice, lesion: AdjudicatedLesion, readers: AdjudicatedReader[]): string {
  const of = votersOf(lesion.options);
  switch (choice.take) {
    case "read":
      return t("Reader {letter}", { letter: letterOf(readers, choice.read) });
    case "union":
      return t("Any reader (union)");
    case "intersection":
      return of === 2 ? t("Both (intersection)") : t("All {n} (intersection)", { n: of });
    case "majority":
      return t("Majority, at least {least} of {n}", { least: votesNeeded(choice, of) ?? "", n: of });
    case "at_least":
      return t("At least {least} of {n}", { least: choice.at_least ?? "", n: of });
    case "staple":
      return t("Most likely (STAPLE)");
    case "drawn":
      return t("Drawn anew");
    default:
      return t("Not there");
  }
}

/** What differs between readers in a lesion, for its line in the list. */
export function differText(lesion: AdjudicatedLesion, readers: AdjudicatedReader[]): string {
  const letter = (read: string) => letterOf(readers, read);
  const parts = [t("{n} of {all}", { n: lesion.present, all: readers.length })];
  const marked = lesion.members.filter(({ annotations }) => annotations.length);
  const without = lesion.members.filter(({ annotations }) => !annotations.length);
  const size = (read: string) => lesion.numbers.reads[read]?.longest_mm ?? null;
  if (marked.length === 1 && readers.length > 1) {
    const [{ read }] = marked;
    const mm = size(read);
    parts.push(t("{letter} only", { letter: letter(read) }));
    if (mm !== null) parts.push(t("{mm} mm", { mm: fixed(mm, 1) }));
  } else {
    const absent = without.filter(({ said }) => said === "absent").map(({ read }) => letter(read));
    const silent = without.filter(({ said }) => said !== "absent").map(({ read }) => letter(read));
    if (absent.length)
      parts.push(tn(absent.length, "{who} says absent", "{who} say absent", { who: absent.join(", ") }));
    if (silent.length) parts.push(t("not by {who}", { who: silent.join(", ") }));
    const dice = lesion.numbers.least_dice;
    if (dice !== null) parts.push(t("Dice from {dice}", { dice: fixed(dice, 2) }));
    else if (lesion.numbers.most_apart_mm !== null)
      parts.push(t("{mm} mm apart", { mm: fixed(lesion.numbers.most_apart_mm, 1) }));
  }
  if (lesion.answers.some(({ differs }) => differs)) parts.push(t("answers differ"));
  else if (lesion.agree && marked.length === readers.length) parts.push(t("readers agree"));
  return parts.join(", ");
}

/** One answer in the reader's words. */
export function answerText(
  { options, type, unit }: GivenAnswer,
  value: AnswerValue["value"] | null | undefined,
): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  const name = (key: string) => options.find((option) => option.key === key)?.name ?? key;
  if (type === "state") return FOUR_STATES.find(([key]) => key === value)?.[1] ?? String(value);
  if (Array.isArray(value)) return value.map(name).join(", ") || NOTHING;
  if (typeof value === "number") return `${value}${unit ? ` ${unit}` : ""}`;
  return name(value);
}
