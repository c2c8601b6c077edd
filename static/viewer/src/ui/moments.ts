/** Moments and gestures in words. */
import type { AnnotationValue, AnswerValue, GestureLine, Read } from "../api/types";
import { labelName, questionText } from "../labels";
import { currentLanguage, t, tn } from "../words";
import { FOUR_STATES, KINDS } from "./words";

/** "14:02:31" of today, else "22 Nov, 14:02". */
export function momentText(at: string, now = new Date()): string {
  const time = new Date(at);
  const language = currentLanguage() === "en" ? "en-GB" : currentLanguage();
  const today = time.toDateString() === now.toDateString();
  return new Intl.DateTimeFormat(
    language,
    today
      ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
      : { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" },
  ).format(time);
}

/** What a gesture did, a sentence a mark or answer. */
export function changeText(read: Read, change: GestureLine["changes"][number]): string {
  const { value, what, slices } = change;
  if (!value) return t("A finding");
  if ("answer" in value) return answerText(read, value, what === "deleted");
  const name = nameOf(read, value);
  if (what === "made") return slices ? t("{name} painted", { name }) : t("{name} made", { name });
  if (what === "deleted") return t("{name} deleted", { name });
  return slices
    ? tn(slices, "{name}: {n} slice changed", "{name}: {n} slices changed", { name })
    : t("{name} changed", { name });
}

function nameOf(read: Read, value: AnnotationValue): string {
  return `${labelName(read, value.label)}, ${KINDS[value.kind].toLowerCase()}`;
}

/** "Margin: spiculated", "Tumour: absent", "Proposal accepted". */
export function answerText(read: Read, value: AnswerValue, isTakenBack = false): string {
  if (value.answer === "proposal") {
    if (isTakenBack) return t("Verdict on a proposal taken back");
    return value.value === "accepted" ? t("Proposal accepted") : t("Proposal rejected");
  }
  const name = value.of === "label" ? labelName(read, value.id) : questionText(read, value.answer);
  if (isTakenBack) return t("{name}: answer taken back", { name });
  return `${name}: ${saidText(read, value)}`;
}

/** An answer as a person reads it: the names of options, a number with its unit. */
export function saidText(read: Read, { answer, of, value }: AnswerValue): string {
  if (of === "label") return t(FOUR_STATES.find(([state]) => state === value)?.[1] ?? String(value));
  const question = read.schema.questions.find((one) => one.key === answer);
  const name = (key: string) => question?.options.find((option) => option.key === key)?.name ?? key;
  if (Array.isArray(value)) return value.map(name).join(", ");
  if (typeof value === "number") return `${value} ${question?.unit ?? ""}`.trim();
  return name(value);
}
