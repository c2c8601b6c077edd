/** The questions of the schema, answered beside the image. An answer is saved like a mark, and undone like one. */

import { type ReactNode, useState } from "react";
import { useStore } from "zustand";
import { answer, saidIn, thingsOf } from "../answering";
import type { AnswerValue, Question } from "../api/types";
import { isAsked, subjects } from "../forms/missing";
import { whyNoNumber } from "../forms/numbers";
import { inUse } from "../labels";
import { marks } from "../store/marks";
import { mayMark } from "../store/room";
import { t } from "../words";
import { useRoom } from "./use";
import { dateText, studyOf } from "./words";

/** Where a question stands in the page: the links of what is missing go there. */
export const questionId = (question: Pick<Question, "key" | "of">, about: string): string =>
  `q-${question.of}-${about}-${question.key}`;

/** Of the case, and of the study and series in the active image. */
export function Forms() {
  const read = useRoom((state) => state.read);
  const series = useRoom((state) => state.panes[state.active].series);
  if (!read || !inUse(read.schema.questions).some(({ of }) => of !== "annotation")) return null;
  const study = series ? studyOf(read, series) : undefined;
  const row = study?.series.find((one) => one.id === series);
  const date = study?.date ? dateText(study.date) : t("without date");
  return (
    <>
      <Questions of="case" about="" title={t("About the case")} />
      {study && <Questions of="study" about={study.id} title={t("About the study")} where={date} />}
      {row && (
        <Questions
          of="series"
          about={row.id}
          title={t("About the series")}
          where={row.description || row.modality}
        />
      )}
    </>
  );
}

interface Asked {
  of: Question["of"];
  about: string;
}

/** The questions about one thing, in a section of their own; without a title, in the one around. */
export function Questions({ of, about, title, where }: Asked & { title?: string; where?: string }) {
  const asked = useAsked(of, about);
  if (!asked.length) return null;
  const fields = asked.map((question) => (
    <Field key={question.key + about} question={question} about={about} />
  ));
  if (!title) return <div data-testid={`questions-${of}`}>{fields}</div>;
  return (
    <section className="sec" data-testid={`questions-${of}`}>
      <header>
        <h2>{title}</h2>
        {where && <span className="end faint clip">{where}</span>}
      </header>
      {fields}
    </section>
  );
}

function useAsked(of: Question["of"], about: string): Question[] {
  const read = useRoom((state) => state.read);
  const now = useStore(marks);
  if (!read) return [];
  const { questions } = read.schema;
  const things = thingsOf(read, now);
  const said = saidIn(now);
  return questions.filter(
    (one) =>
      !one.retired &&
      one.of === of &&
      subjects(one, things).includes(about) &&
      isAsked(one, about, questions, said),
  );
}

function Field({ question, about }: { question: Question; about: string }) {
  const may = useRoom(mayMark);
  const value = useStore(marks, (state) => saidIn(state)(question.of, about, question.key));
  const id = questionId(question, about);
  const set = (next: AnswerValue["value"] | null) => answer(question, about, next);
  const missing = may && question.required && value === undefined;
  return (
    <div id={id} className={missing ? "ask miss" : "ask"} data-testid={`question-${question.key}`}>
      <p id={`${id}-text`}>
        {question.text} {missing && <span className="needed">{t("needed")}</span>}
      </p>
      <Answer question={question} value={value} may={may} name={`${id}-text`} set={set} />
    </div>
  );
}

interface Answering {
  question: Question;
  value: AnswerValue["value"] | undefined;
  may: boolean;
  /** Id of the text that names the field. */
  name: string;
  set(value: AnswerValue["value"] | null): void;
}

function Answer(props: Answering): ReactNode {
  const { question } = props;
  if (question.type === "choices") return <Several {...props} />;
  // A field that is typed into begins anew where its answer was changed elsewhere, or undone.
  if (question.type === "number") return <Amount key={String(props.value)} {...props} />;
  if (question.type === "text" || question.type === "date")
    return <Text key={String(props.value)} {...props} />;
  const letters = question.options.reduce((sum, { name }) => sum + name.length + 3, 0);
  return question.options.length <= 6 && letters <= 44 ? <One {...props} /> : <Pick {...props} />;
}

/** A few short answers beside each other; the chosen one again takes it back. */
function One({ question, value, may, name, set }: Answering) {
  return (
    <fieldset className="seg" aria-labelledby={name} disabled={!may}>
      {question.options.map((option) => (
        <button
          key={option.key}
          type="button"
          aria-pressed={value === option.key}
          title={option.code ? `${option.code.scheme} ${option.code.value}` : undefined}
          onClick={() => set(value === option.key ? null : option.key)}
        >
          {option.name}
        </button>
      ))}
    </fieldset>
  );
}

function Pick({ question, value, may, name, set }: Answering) {
  return (
    <select
      className="pickbox wide"
      aria-labelledby={name}
      disabled={!may}
      value={typeof value === "string" ? value : ""}
      onChange={(event) => set(event.target.value || null)}
    >
      <option value="">{t("Not answered")}</option>
      {question.options.map((option) => (
        <option key={option.key} value={option.key}>
          {option.name}
        </option>
      ))}
    </select>
  );
}

function Several({ question, value, may, name, set }: Answering) {
  const chosen = Array.isArray(value) ? value : [];
  const toggle = (key: string) => {
    const next = question.options
      .map((option) => option.key)
      .filter((one) => (one === key ? !chosen.includes(one) : chosen.includes(one)));
    set(next.length ? next : null);
  };
  return (
    <fieldset className="several" aria-labelledby={name} disabled={!may}>
      {question.options.map((option) => (
        <button
          key={option.key}
          type="button"
          aria-pressed={chosen.includes(option.key)}
          onClick={() => toggle(option.key)}
        >
          {option.name}
        </button>
      ))}
    </fieldset>
  );
}

function Amount({ question, value, may, name, set }: Answering) {
  const [problem, setProblem] = useState<string | null>(null);
  const { least, most, unit } = question;
  const range = least !== null && most !== null ? t("{least} to {most}", { least, most }) : "";
  return (
    <div>
      <span className="row tight">
        <input
          className="numbox"
          inputMode="decimal"
          aria-labelledby={name}
          aria-invalid={problem !== null}
          disabled={!may}
          defaultValue={value === undefined ? "" : String(value)}
          placeholder={range}
          onBlur={(event) => {
            const text = event.target.value.trim();
            const why = text ? whyNoNumber(text, question) : null;
            setProblem(why);
            const next = text ? Number(text.replace(",", ".")) : null;
            if (!why && next !== (value ?? null)) set(next);
          }}
        />
        <span className="faint">{unit}</span>
      </span>
      {problem && (
        <p className="bad small" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

function Text({ question, value, may, name, set }: Answering) {
  const kept = typeof value === "string" ? value : "";
  const done = (text: string) => {
    const next = text.trim();
    if (next !== kept) set(next || null);
  };
  if (question.type === "date") {
    return (
      <input
        type="date"
        className="pickbox"
        aria-labelledby={name}
        disabled={!may}
        defaultValue={kept}
        max="9999-12-31"
        onBlur={(event) => {
          // Half a date is none: the browser says so itself.
          if (event.target.validity.valid) done(event.target.value);
        }}
      />
    );
  }
  return (
    <textarea
      className="notebox"
      rows={2}
      maxLength={4000}
      aria-labelledby={name}
      disabled={!may}
      defaultValue={kept}
      onBlur={(event) => done(event.target.value)}
    />
  );
}
