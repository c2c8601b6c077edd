/** What was done to the read, gesture by gesture: to look back, and to bring a mark back. */
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import type { GestureLine, Read } from "../api/types";
import { labelColor, labelName } from "../labels";
import { backToNow, goBackTo, restore } from "../past";
import { client, sentenceOf } from "../session";
import { marks, numbered } from "../store/marks";
import { room } from "../store/room";
import { t } from "../words";
import { changeText, momentText } from "./moments";
import { useRoom } from "./use";

const QUIET_MS = 400;
const CHANGES_TOLD = 3;

/** Says which moment is shown, with the way back. Stands above whatever part of the panel is open. */
export function PastBar() {
  const past = useRoom((state) => state.past);
  if (!past) return null;
  return (
    <div className="pastbar" role="status" data-testid="past">
      <span>
        {past.number
          ? t("As it stood at {time}, edit {number}", { time: momentText(past.at), number: past.number })
          : t("Before anything was done")}
      </span>
      <button type="button" className="btn s28" data-testid="back-to-now" onClick={backToNow}>
        {t("Back to now")}
      </button>
    </div>
  );
}

export function History({ read }: { read: Read }) {
  const { lines: known, more, problem, fetchMore } = useLines();
  // Before the first gesture of all there was nothing, and that can be looked at, too.
  const lines = more || !known.length ? known : [...known, beginning(known)];
  const past = useRoom((state) => state.past);
  const at = past ? lines.findIndex((line) => line.number === past.number) : 0;
  return (
    <section className="sec history" data-testid="history">
      <header>
        <h2>{t("What was done")}</h2>
        <span className="end faint">{lines.length ? t("newest first") : ""}</span>
      </header>
      {lines.length > 1 && (
        <label className="scrub">
          <span className="faint">{t("earlier")}</span>
          <input
            type="range"
            min={0}
            max={lines.length - 1}
            value={lines.length - 1 - Math.max(0, at)}
            aria-label={t("Go back in what was done")}
            aria-valuetext={lines[Math.max(0, at)] ? momentText(lines[Math.max(0, at)].at) : ""}
            data-testid="scrub"
            onChange={(event) => show(lines, lines.length - 1 - Number(event.target.value))}
          />
          <span className="faint">{t("now")}</span>
        </label>
      )}
      <ol className="gestures">
        {lines.map((line, index) => (
          <Line
            key={line.group}
            read={read}
            line={line}
            lines={lines}
            isShown={past ? past.number === line.number : index === 0}
            isLater={past !== null && line.number > past.number}
            show={() => show(lines, index)}
          />
        ))}
      </ol>
      {!lines.length && !problem && <p className="emptysay">{t("Nothing was done yet.")}</p>}
      {problem && <p className="emptysay bad">{problem}</p>}
      {more && (
        <button type="button" className="btn s28 quiet" onClick={fetchMore}>
          {t("Show earlier ones")}
        </button>
      )}
      <AsItStood read={read} />
    </section>
  );
}

const beginning = (known: GestureLine[]): GestureLine => ({
  group: "beginning",
  inverts: null,
  number: 0,
  at: known[known.length - 1].at,
  changes: [],
});

/** The newest gesture is what is there now: nothing to go back to. */
function show(lines: GestureLine[], index: number): void {
  if (index <= 0) backToNow();
  else void goBackTo(lines[index]);
}

function Line(props: {
  read: Read;
  line: GestureLine;
  lines: GestureLine[];
  isShown: boolean;
  isLater: boolean;
  show(): void;
}) {
  const { read, line, lines, isShown, isLater } = props;
  const told = line.changes.slice(0, CHANGES_TOLD).map((change) => changeText(read, change));
  const more = line.changes.length - told.length;
  const inverted = line.inverts ? lines.find((one) => one.group === line.inverts) : undefined;
  let verb = line.inverts ? (inverted?.inverts ? t("Redone") : t("Undone")) : "";
  if (line.labels_version) verb = t("Labels, version {n}", { n: line.labels_version });
  return (
    <li className={`${isShown ? "sel" : ""} ${isLater ? "later" : ""}`}>
      <button
        type="button"
        aria-pressed={isShown}
        data-testid="gesture"
        title={t("Show the marks as they stood then")}
        onClick={props.show}
      >
        <time className="faint" dateTime={line.at}>
          {line.number ? momentText(line.at) : ""}
        </time>
        <span>
          {verb && <b>{verb}: </b>}
          {line.number ? told.join("; ") : t("Before anything was done")}
          {more > 0 && ` ${t("and {n} more", { n: more })}`}
        </span>
      </button>
    </li>
  );
}

/** The marks of the moment looked at, each to be brought back. */
function AsItStood({ read }: { read: Read }) {
  const past = useRoom((state) => state.past);
  const all = useStore(marks, (state) => state.marks);
  if (!past || !read.you.may_edit || read.you.capacity !== "reader") return null;
  return (
    <div className="stood">
      <h3>{t("Marks at this moment")}</h3>
      {!all.size && <p className="faint">{t("There were none.")}</p>}
      <ul>
        {numbered(all).map(({ mark, number }) => {
          return (
            <li key={mark.id} className="row tight">
              <i className="swatch" style={{ background: labelColor(read, mark.value.label) }} />
              <button
                type="button"
                className="linkish grow"
                onClick={() => room.setState({ selected: mark.id })}
              >
                {labelName(read, mark.value.label)} {number}
              </button>
              <button
                type="button"
                className="btn s28"
                data-testid="restore"
                title={t("Make it as it was at this moment; undo takes that back")}
                onClick={() => restore(mark.id)}
              >
                {t("Restore this mark")}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}

/** The gestures known so far, newest first; fetched again when something was saved. */
function useLines() {
  const number = useRoom((state) =>
    state.report?.saving.kind === "saved" ? state.report.saving.number : null,
  );
  const [lines, setLines] = useState<GestureLine[]>([]);
  const [more, setMore] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const take = (before?: number) =>
    client
      .gestures(before)
      .then((answer) => {
        setProblem(null);
        setLines((known) => merged(known, answer.groups));
        setMore((known) =>
          before === undefined && lines.length > answer.groups.length ? known : answer.more,
        );
      })
      .catch((error: unknown) => setProblem(sentenceOf(error)));
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again when a number is saved, not otherwise
  useEffect(() => {
    if (number === null) return;
    const timer = window.setTimeout(() => void take(), QUIET_MS);
    return () => window.clearTimeout(timer);
  }, [number]);
  return { lines, more, problem, fetchMore: () => void take(lines.at(-1)?.number) };
}

/** A gesture may have grown since it was fetched: the later answer counts. */
export function merged(known: GestureLine[], news: GestureLine[]): GestureLine[] {
  const all = new Map([...known, ...news].map((line) => [line.group, line]));
  return [...all.values()].sort((a, b) => b.number - a.number);
}
