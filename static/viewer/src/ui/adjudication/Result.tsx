/** What the lesion becomes: one reader's marks, a merge, what is drawn anew, or nothing; and why. */
import { Brush, Undo2 } from "lucide-react";
import { useStore } from "zustand";
import { choiceOf, isSame, merges, moreThan, votersOf } from "../../adjudication/choices";
import { consider, drawAnew, drawnFor, giveReason, reopen } from "../../adjudication/deciding";
import { draftOf, judging } from "../../adjudication/store";
import type { AdjudicatedLesion, Adjudication, Choice, Option } from "../../api/adjudication";
import { firstKey } from "../../commands";
import { marks } from "../../store/marks";
import { mayMark } from "../../store/room";
import { t } from "../../words";
import { useRoom } from "../use";
import { useTaken } from "./Differences";
import { choiceText, differenceText, letterOf, volumeOr } from "./words";

export const REASON_ID = "why-this-result";
const REASON_MOST = 2000;

export function Result({ now, lesion }: { now: Adjudication; lesion: AdjudicatedLesion }) {
  const draft = draftOf(lesion, useStore(judging));
  const may = useRoom(mayMark);
  const taken = useTaken(lesion);
  useStore(marks, (state) => state.marks.size);
  const of = votersOf(lesion.options);
  const reads = lesion.options.filter(({ take }) => take === "read");
  const isOn = (choice: Choice) => isSame(draft.take, choice, of);
  const hasDrawn = useStore(judging, (state) => drawnFor(lesion, state).length > 0);
  return (
    <section className="sec result">
      <header>
        <h2>{t("Result for L{n}", { n: lesion.number })}</h2>
        <span className="end faint small">{of > 0 ? t("mm³, difference from the choice") : ""}</span>
      </header>
      <fieldset disabled={!may} aria-label={t("Result for L{n}", { n: lesion.number })}>
        {reads.length > 0 && (
          <div className={draft.take?.take === "read" ? "opt on" : "opt"}>
            <i className="rd" aria-hidden="true" />
            <span>{t("One reader, as drawn")}</span>
            <span className="seg">
              {reads.map((option) => {
                const letter = letterOf(now.readers, option.read);
                return (
                  <button
                    key={option.read}
                    type="button"
                    aria-pressed={isOn(option)}
                    title={t("What reader {letter} marked, untouched", { letter })}
                    data-testid={`take-${letter}`}
                    onClick={() => consider(option)}
                  >
                    {letter}
                  </button>
                );
              })}
            </span>
          </div>
        )}
        {merges(lesion.options).map((option) => (
          <Row
            key={`${option.take}${option.at_least ?? ""}`}
            name={choiceText(option, lesion, now.readers)}
            test={`take-${option.take}`}
            on={isOn(option)}
            value={option}
            more={isOn(option) ? null : moreThan(option, taken)}
          />
        ))}
        <Row
          name={hasDrawn ? t("As drawn here") : t("Drawn anew")}
          test="take-drawn"
          on={draft.take?.take === "drawn"}
          value={{ take: "drawn" }}
          act={hasDrawn ? () => consider({ take: "drawn" }) : drawAnew}
          icon={<Brush size={13} aria-hidden="true" />}
        />
        <Row
          name={t("Not there: no lesion")}
          test="take-absent"
          on={draft.take?.take === "absent"}
          value={{ take: "absent" }}
        />
      </fieldset>
      <textarea
        id={REASON_ID}
        className="notebox"
        rows={draft.reason.length > 60 ? 3 : 1}
        disabled={!may}
        maxLength={REASON_MOST}
        aria-label={t("Why this result")}
        placeholder={
          lesion.agree
            ? t("Why this result, if you like")
            : t("Why this result (kept with the reference standard)")
        }
        value={draft.reason}
        data-testid="reason"
        onChange={(event) => giveReason(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey) return;
          event.preventDefault();
          event.currentTarget.blur();
        }}
      />
      {may && lesion.state !== "open" && (
        <p className="row wrap small sub">
          {lesion.state === "lost"
            ? t("A mark of its result was deleted: settle it again.")
            : lesion.edited
              ? t("Settled, then edited by hand.")
              : t("Settled.")}
          <button
            type="button"
            className="linkish"
            data-testid="reopen"
            title={`${t("Open again")} (${firstKey("adjudication.reopen")})`}
            onClick={() => void reopen()}
          >
            <Undo2 size={13} aria-hidden="true" />
            {t("Open again")}
          </button>
        </p>
      )}
    </section>
  );
}

function Row(props: {
  name: string;
  test: string;
  on: boolean;
  value: Option;
  more?: number | null;
  act?: () => void;
  icon?: React.ReactNode;
}) {
  const { name, test, on, value, more, act, icon } = props;
  return (
    <label className={on ? "opt on" : "opt"}>
      <input
        type="radio"
        name="take"
        className="rd"
        checked={on}
        data-testid={test}
        onChange={(event) => {
          (act ?? (() => consider(choiceOf(value))))();
          event.currentTarget.blur();
        }}
      />
      <span>
        {name} {icon}
      </span>
      <span className="num">
        {value.volume_mm3 !== undefined && <b>{volumeOr(value.volume_mm3)}</b>}
        <span className="faint more">
          {more === null || more === undefined ? "" : differenceText(more, 0)}
        </span>
      </span>
    </label>
  );
}
