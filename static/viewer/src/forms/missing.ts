/**
 * What a read still owes before it can be handed in: labels without a state, questions without an answer. The
 * server asks the same (annotations/reading/answers.py); tests/annotations/reading/missing_cases.json tests both.
 */
import type { AnswerValue, FourState, Label, Question } from "../api/types";

/** `what`: a label to mark or state, a question to answer, or a label said not to be there that is marked. */
export interface Owed {
  what: "label" | "question" | "clash";
  key: string;
  of: AnswerValue["of"];
  about: string;
}

/** What a read may be asked about, by id: studies and series (with modality) of the case, and its marks. */
export interface Things {
  studies: string[];
  series: [string, string][];
  marks: [string, { label: string; state: FourState }][];
}

export type Said = (of: AnswerValue["of"], about: string, answer: string) => AnswerValue["value"] | undefined;

const isNothingThere = (state: unknown): boolean => state === "absent" || state === "not_assessed";

export function owed(
  labels: Pick<Label, "key" | "required">[],
  questions: Question[],
  things: Things,
  said: Said,
): Owed[] {
  const found: Owed[] = [];
  for (const { key, required } of labels) {
    const states = things.marks.filter(([, value]) => value.label === key).map(([, value]) => value.state);
    const stated = said("label", key, "state");
    if (isNothingThere(stated) && states.includes("present"))
      found.push({ what: "clash", key, of: "label", about: key });
    else if (required && !states.length && stated === undefined)
      found.push({ what: "label", key, of: "label", about: key });
  }
  for (const question of questions.filter((one) => one.required)) {
    for (const about of subjects(question, things)) {
      const missing = said(question.of, about, question.key) === undefined;
      if (missing && isAsked(question, about, questions, said))
        found.push({ what: "question", key: question.key, of: question.of, about });
    }
  }
  return found;
}

/** What a question asks about, by id. Of marks those that say that something is there. */
export function subjects({ of, only }: Question, things: Things): string[] {
  const wanted = (one: string) => !only.length || only.includes(one);
  if (of === "case") return [""];
  if (of === "study") return things.studies;
  if (of === "series") return things.series.filter(([, modality]) => wanted(modality)).map(([id]) => id);
  return things.marks
    .filter(([, value]) => !isNothingThere(value.state) && wanted(value.label))
    .map(([id]) => id);
}

/** Whether what it waits for has been answered so, all the way up. */
export function isAsked(question: Question, about: string, questions: Question[], said: Said): boolean {
  const { when } = question;
  if (!when) return true;
  const other = questions.find((one) => one.key === when.question);
  if (!other) return false;
  const its = other.of === "case" ? "" : about;
  const answer = said(other.of, its, other.key);
  const given = Array.isArray(answer) ? answer : [answer];
  return (
    given.some((one) => typeof one === "string" && when.is.includes(one)) &&
    isAsked(other, its, questions, said)
  );
}
