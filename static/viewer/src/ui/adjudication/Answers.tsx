/** What the readers answered, where they differ, and what is taken. */
import { useStore } from "zustand";
import { answersOf } from "../../adjudication/choices";
import { giveAnswer } from "../../adjudication/deciding";
import { draftOf, judging } from "../../adjudication/store";
import { answer as answerQuestion, saidIn, stateLabel } from "../../answering";
import type { AdjudicatedLesion, Adjudication, GivenAnswer } from "../../api/adjudication";
import type { AnswerValue, Read } from "../../api/types";
import { marks } from "../../store/marks";
import { mayMark } from "../../store/room";
import { t } from "../../words";
import { useRoom } from "../use";
import { FOUR_STATES } from "../words";
import { answerText } from "./words";

type Value = AnswerValue["value"];

/** Answers about the lesion: decided with it. */
export function LesionAnswers({ now, lesion }: { now: Adjudication; lesion: AdjudicatedLesion }) {
  const draft = draftOf(lesion, useStore(judging));
  const may = useRoom(mayMark);
  if (!lesion.answers.length || draft.take?.take === "absent") return null;
  const taken = answersOf(lesion, draft);
  return (
    <Table
      title={t("Answers")}
      now={now}
      rows={lesion.answers}
      taken={(row) => taken[row.answer]}
      may={may}
      choose={(row, value) => giveAnswer(row.answer, value)}
    />
  );
}

/** Answers about the case, its studies and series, and of labels: ordinary answers of this read. */
export function CaseAnswers({ now, read }: { now: Adjudication; read: Read }) {
  const all = useStore(marks);
  const may = useRoom(mayMark);
  if (!now.answers.length) return null;
  const said = saidIn(all);
  const keyOf = (row: GivenAnswer) => (row.of === "label" ? "state" : row.answer);
  return (
    <Table
      title={t("About the case")}
      now={now}
      rows={now.answers}
      taken={(row) => said(row.of, row.id, keyOf(row)) ?? null}
      may={may}
      choose={(row, value) => {
        if (row.of === "label") {
          const state = FOUR_STATES.find(([name]) => name === value)?.[0];
          if (state && said("label", row.id, "state") !== state) stateLabel(row.id, state);
          return;
        }
        const question = read.schema.questions.find(({ key }) => key === row.answer);
        if (question) answerQuestion(question, row.id, value);
      }}
    />
  );
}

function Table(props: {
  title: string;
  now: Adjudication;
  rows: GivenAnswer[];
  taken: (row: GivenAnswer) => Value | null | undefined;
  may: boolean;
  choose: (row: GivenAnswer, value: Value) => void;
}) {
  const { title, now, rows, taken, may, choose } = props;
  const differing = rows.filter(({ differs }) => differs);
  const sorted = [...differing, ...rows.filter(({ differs }) => !differs)];
  return (
    <section className="sec">
      <header>
        <h2>{title}</h2>
        <span className="faint small">
          {differing.length ? t("where they differ first") : t("all alike")}
        </span>
      </header>
      <div className="scrollx">
        <table className="ans">
          <thead>
            <tr>
              <th />
              {now.readers.map(({ letter }) => (
                <th key={letter}>{letter}</th>
              ))}
              <th>{t("Take")}</th>
            </tr>
          </thead>
          <tbody>
            {sorted.map((row) => (
              <tr key={`${row.of}/${row.id}/${row.answer}`}>
                <th scope="row">{row.text}</th>
                {now.readers.map(({ read, letter }) => (
                  <td key={letter}>{answerText(row, row.said[read])}</td>
                ))}
                <td>
                  <Pick row={row} value={taken(row)} may={may} choose={(value) => choose(row, value)} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

/** What readers said and what else the question allows; what none of them said can be given, too. */
function Pick(props: {
  row: GivenAnswer;
  value: Value | null | undefined;
  may: boolean;
  choose: (value: Value) => void;
}) {
  const { row, value, may, choose } = props;
  const given = Object.values(row.said).filter((one): one is Value => one !== null);
  const free: Value[] =
    row.type === "state"
      ? FOUR_STATES.map(([state]) => state)
      : row.type === "choice" || row.type === "code"
        ? row.options.map(({ key }) => key)
        : [];
  const known = [...given, ...free, ...(value === null || value === undefined ? [] : [value])];
  const keys = [...new Map(known.map((one) => [JSON.stringify(one), one]))];
  const now = value === null || value === undefined ? "" : JSON.stringify(value);
  return (
    <select
      className="pickbox"
      aria-label={t("Take for {question}", { question: row.text })}
      disabled={!may}
      value={now}
      data-open={now ? undefined : ""}
      data-testid={`answer-${row.answer}`}
      onChange={(event) => {
        if (event.target.value) choose(JSON.parse(event.target.value) as Value);
        event.target.blur();
      }}
    >
      <option value="" disabled>
        {t("Choose")}
      </option>
      {keys.map(([key, one]) => (
        <option key={key} value={key}>
          {answerText(row, one)}
        </option>
      ))}
    </select>
  );
}
