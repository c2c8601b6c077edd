/** Reasons and changes, in words. */
import type { AnswerChange, MarkChange, Reason } from "../../api/review";
import type { Read } from "../../api/types";
import { t, tn } from "../../words";
import { saidText } from "../moments";
import { FOUR_STATES, fixed, KINDS } from "../words";

export const REASONS: [Reason, string][] = [
  ["missed", t("A lesion was missed")],
  ["not_there", t("Something marked is no lesion")],
  ["outline", t("An outline is off")],
  ["measure", t("A measurement is off")],
  ["label", t("A label is wrong")],
  ["answer", t("An answer is wrong or missing")],
  ["image", t("Another series or time point is meant")],
  ["other", t("Something else")],
];

export const reasonText = (reason: Reason): string => REASONS.find(([key]) => key === reason)?.[1] ?? reason;

const labelOf = (read: Read, key: string): string =>
  read.schema.labels.find((label) => label.key === key)?.name ?? key;

export function changeName(read: Read, { before, after }: MarkChange): string {
  const value = after ?? before;
  return value ? `${labelOf(read, value.label)}, ${KINDS[value.kind].toLowerCase()}` : t("A finding");
}

/** Which number stands for a mark, its unit, and how it is shown: the first of these that it has. */
const NUMBERS: [name: string, unit: string, digits: number][] = [
  ["volume_ml", "mL", 2],
  ["area_mm2", "mm²", 1],
  ["length_mm", "mm", 1],
  ["long_axis_mm", "mm", 1],
  ["diameter_mm", "mm", 1],
  ["angle_deg", "°", 1],
  ["area_px2", "px²", 0],
  ["length_px", "px", 1],
  ["long_axis_px", "px", 1],
];

/** "10.0 → 14.0 mm", "1.20 mL" of what is new or gone; null without a number. */
export function numberText({ numbers: { before, after } }: MarkChange): string | null {
  const found = NUMBERS.find(([name]) => name in before || name in after);
  if (!found) return null;
  const [name, unit, digits] = found;
  const told = (value: number | undefined) => (value === undefined ? null : fixed(value, digits));
  const [was, is] = [told(before[name]), told(after[name])];
  const text = was !== null && is !== null && was !== is ? `${was} → ${is}` : (is ?? was);
  return unit === "°" ? `${text}°` : `${text} ${unit}`;
}

/** Everything that is different in one mark, a line each. */
export function linesOf(read: Read, change: MarkChange): string[] {
  const { before, after, voxels, planes, answers } = change;
  const lines: string[] = [];
  if (change.what === "changed" && before && after) {
    for (const name of change.changed) lines.push(fieldText(read, name, change));
    if (planes.length)
      lines.push(
        tn(
          planes.length,
          "{added} voxels added, {removed} removed on {n} slice",
          "{added} voxels added, {removed} removed on {n} slices",
          {
            added: voxels.added,
            removed: voxels.removed,
          },
        ),
      );
  }
  return [...lines, ...answers.map((answer) => answerChangeText(read, answer))];
}

function fieldText(read: Read, name: string, { before, after }: MarkChange): string {
  if (!before || !after) return name;
  const stateOf = (state: string) => FOUR_STATES.find(([key]) => key === state)?.[1] ?? state;
  if (name === "label")
    return t("Label: {before} → {after}", {
      before: labelOf(read, before.label),
      after: labelOf(read, after.label),
    });
  if (name === "state")
    return t("State: {before} → {after}", { before: stateOf(before.state), after: stateOf(after.state) });
  if (name === "note")
    return after.note ? t("Note: {text}", { text: after.note }) : t("The note was taken away");
  if (name === "place") return t("Moved or drawn anew");
  if (name === "locked") return after.locked ? t("Locked") : t("Unlocked");
  return t("Where it comes from");
}

export function answerChangeText(read: Read, { before, after, ...about }: AnswerChange): string {
  const said = (value: AnswerChange["before"]) =>
    value === null ? t("none") : saidText(read, { ...about, value });
  const name =
    about.of === "label"
      ? labelOf(read, about.id)
      : read.schema.questions.find((one) => one.key === about.answer)?.text;
  return `${name ?? about.answer}: ${said(before)} → ${said(after)}`;
}
