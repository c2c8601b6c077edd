/** Every reader's lesion in numbers, beside those of what would be taken. */
import { useState } from "react";
import { useStore } from "zustand";
import { rowOf } from "../../adjudication/choices";
import { toggleReader } from "../../adjudication/deciding";
import { seriesOf } from "../../adjudication/panes";
import { draftOf, judging, previewOf } from "../../adjudication/store";
import type { AdjudicatedLesion, Adjudication, ResultNumbers } from "../../api/adjudication";
import { t } from "../../words";
import { useRoom } from "../use";
import { isAsSettled } from "./drawing";
import { LineSample } from "./LineSample";
import { choiceText, differenceText, numberText, volumeOr } from "./words";

/** The name of a lesion's label: its number stands beside it already. */
export const useLabelName = (lesion: AdjudicatedLesion): string =>
  useRoom((state) => state.read?.schema.labels.find(({ key }) => key === lesion.label)?.name ?? lesion.name);

/** The numbers of what is considered; those of the result where that is what stands. */
export function useTaken(lesion: AdjudicatedLesion): ResultNumbers | null {
  const preview = useStore(judging, (state) => previewOf(state, lesion)?.preview ?? null);
  const settled = useStore(judging, (state) => isAsSettled(state, lesion));
  return settled ? lesion.result_numbers : (preview?.numbers ?? null);
}

export function Differences({ now, lesion }: { now: Adjudication; lesion: AdjudicatedLesion }) {
  const preview = useStore(judging, (state) => previewOf(state, lesion)?.preview ?? null);
  const take = useStore(judging, (state) => draftOf(lesion, state).take);
  const off = useStore(judging, (state) => state.off);
  const taken = useTaken(lesion);
  const label = useLabelName(lesion);
  const studies = useRoom((state) => state.read?.studies);
  const nameOf = (series: string | null): string => {
    const row = studies?.flatMap((study) => study.series).find((one) => one.id === series);
    return row ? row.description || `${row.modality} ${row.number ?? ""}` : "";
  };
  const shown = new Set(now.readers.map(({ read }) => seriesOf(lesion, read)).filter((one) => one !== null));
  const to = preview && take ? choiceText(take, lesion, now.readers) : null;
  const problems = [...new Set(Object.values(lesion.numbers.reads).flatMap(({ problem }) => problem ?? []))];
  return (
    <section className="sec differences">
      <header>
        <h2>
          L{lesion.number}, {label}
        </h2>
        <span className="end faint small" title={now.rule.sentence}>
          {t("amber: past the limit")}
          <br />
          {to ? t("difference from: {choice}", { choice: to }) : t("of the readers to each other")}
        </span>
      </header>
      <Whys key={lesion.number} sentences={lesion.disagreements} />
      <table className="cmp" data-testid="differences">
        <thead>
          <tr>
            <th>{t("Reader")}</th>
            <th className="num">
              {t("Long axis")}
              <br />
              mm
            </th>
            <th className="num">{t("diff")}</th>
            <th className="num">
              {t("Volume")}
              <br />
              mm³
            </th>
            <th className="num">{t("diff")}</th>
            <th className="num">Dice</th>
            <th className="num">
              HD95
              <br />
              mm
            </th>
          </tr>
        </thead>
        <tbody>
          {now.readers.map(({ read, letter, name }) => {
            const own = lesion.numbers.reads[read];
            const row = own && rowOf(read, own, now.rule, preview);
            const member = lesion.members.find((one) => one.read === read);
            const amber = (number: string) => (row?.past.has(number) ? "num warn" : "num");
            return (
              <tr key={read} className={off.includes(letter) ? "off" : ""}>
                <td className="nowrap">
                  <button
                    type="button"
                    aria-pressed={!off.includes(letter)}
                    title={t("Show or hide the lines of reader {letter}", { letter })}
                    onClick={() => toggleReader(letter)}
                  >
                    <LineSample letter={letter} />
                    <b>{letter}</b>
                  </button>
                  {name && <span className="faint small"> {name}</span>}
                </td>
                {row ? (
                  <>
                    <td className="num">
                      {own.estimated ? "≈ " : ""}
                      {numberText(row.longest_mm, 1)}
                    </td>
                    <td className={amber("longest_mm")}>{differenceText(row.longest_difference_mm, 1)}</td>
                    <td className="num">{volumeOr(row.volume_mm3)}</td>
                    <td className={amber("volume_mm3")}>{differenceText(row.volume_difference_mm3, 0)}</td>
                    <td className={amber("dice")}>{numberText(row.dice, 2)}</td>
                    <td className={amber("hd95_mm")}>{numberText(row.hd95_mm, 1)}</td>
                  </>
                ) : (
                  <td colSpan={6} className="faint">
                    {member?.said === "absent" ? t("says it is absent") : t("has not marked it")}
                  </td>
                )}
              </tr>
            );
          })}
          {taken && take && (
            <tr className="sel" data-testid="taken">
              <td className="nowrap" colSpan={1}>
                <b>{t("Result")}</b>
              </td>
              <td className="num">
                <b>{numberText(taken.longest_mm, 1)}</b>
              </td>
              <td />
              <td className="num">
                <b data-testid="taken-volume">{volumeOr(taken.volume_mm3)}</b>
              </td>
              <td colSpan={3} />
            </tr>
          )}
        </tbody>
      </table>
      {problems.map((problem) => (
        <p key={problem} className="small sub amber">
          {problem}
        </p>
      ))}
      {shown.size > 1 && (
        <ul className="small sub whys" data-testid="series-chosen">
          {now.readers.flatMap(({ read, letter }) => {
            const series = seriesOf(lesion, read);
            return series === null
              ? []
              : [<li key={read}>{t("{letter} drew on {series}", { letter, series: nameOf(series) })}</li>];
          })}
        </ul>
      )}
    </section>
  );
}

const TOLD = 2;

/** Why readers disagree; the first reasons of many. */
function Whys({ sentences }: { sentences: string[] }) {
  const [all, setAll] = useState(false);
  if (!sentences.length) return null;
  const shown = all ? sentences : sentences.slice(0, TOLD);
  const rest = sentences.length - shown.length;
  return (
    <ul className="whys small sub" data-testid="disagreements">
      {shown.map((sentence) => (
        <li key={sentence}>{sentence}</li>
      ))}
      {rest > 0 && (
        <li>
          <button type="button" className="linkish" onClick={() => setAll(true)}>
            {t("and {n} more", { n: rest })}
          </button>
        </li>
      )}
    </ul>
  );
}
