/** What changed since a round that was handed in: a list that leads there, and the switch for the images. */
import { CirclePlus, Pencil, Trash2 } from "lucide-react";
import { useEffect } from "react";
import { useStore } from "zustand";
import type { MarkChange } from "../../api/review";
import type { Read } from "../../api/types";
import { firstKey } from "../../commands";
import { changes, fetchChanges, forgetChanges, jumpToChange, toggleChanges } from "../../review";
import { t, tn } from "../../words";
import { useRoom } from "../use";
import { answerChangeText, changeName, linesOf, numberText } from "./words";

const QUIET_MS = 1200;
const SIGNS = {
  added: [CirclePlus, t("added")],
  removed: [Trash2, t("removed")],
  changed: [Pencil, t("changed")],
} as const;

/** Whether this person sees marks that have an earlier round: others see the last one that was handed in. */
function isLater({ kind, round, state, you }: Read): boolean {
  if (kind === "adjudication") return false;
  const seen = you.capacity === "reader" || ["submitted", "accepted"].includes(state) ? round : round - 1;
  return seen > 1;
}

export function Changes() {
  const read = useRoom((state) => state.read);
  return read && isLater(read) ? <Since key={read.id} read={read} /> : null;
}

function Since({ read }: { read: Read }) {
  const { diff, shown, problem } = useStore(changes);
  const number = useRoom((state) =>
    state.report?.saving.kind === "saved" ? state.report.saving.number : null,
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: asked again once a hand has come to rest
  useEffect(() => {
    if (number === null) return;
    const timer = window.setTimeout(() => void fetchChanges(), changes.getState().diff ? QUIET_MS : 0);
    return () => window.clearTimeout(timer);
  }, [number, read.state, read.round]);
  useEffect(() => forgetChanges, []);
  if (problem)
    return (
      <section className="sec">
        <p className="emptysay bad">
          {problem}
          <button type="button" className="linkish" onClick={() => void fetchChanges()}>
            {t("Try again")}
          </button>
        </p>
      </section>
    );
  if (!diff) return null;
  const nothing = !diff.marks.length && !diff.answers.length;
  return (
    <section className="sec changes" data-testid="changes">
      <header>
        <h2>{t("Changed since round {n}", { n: diff.from.round })}</h2>
        {diff.rounds.length > 1 && (
          <select
            className="pickbox"
            aria-label={t("Compare with")}
            value={diff.from.round}
            data-testid="changes-from"
            onChange={(event) => void fetchChanges(Number(event.target.value))}
          >
            {diff.rounds.map((one) => (
              <option key={one.round} value={one.round}>
                {t("round {n}", { n: one.round })}
              </option>
            ))}
          </select>
        )}
        <button
          type="button"
          className="linkish end"
          aria-pressed={shown}
          title={t("Hatched in green: added. Hatched in red, dashed: removed ({key})", {
            key: firstKey("review.changes"),
          })}
          data-testid="changes-shown"
          onClick={toggleChanges}
        >
          {shown ? t("Hide on images") : t("Show on images")}
        </button>
      </header>
      {nothing ? (
        <p className="emptysay">{t("Nothing is different from what was handed in then.")}</p>
      ) : (
        <ul className="changed">
          {diff.marks.map((change) => (
            <Change key={change.annotation} read={read} change={change} />
          ))}
          {diff.answers.map((answer) => (
            <li key={`${answer.of}/${answer.id}/${answer.answer}`} className="said">
              {answerChangeText(read, answer)}
            </li>
          ))}
        </ul>
      )}
      {!nothing && diff.unchanged > 0 && (
        <p className="faint small">
          {tn(diff.unchanged, "{n} finding as it was", "{n} findings as they were")}
        </p>
      )}
    </section>
  );
}

function Change({ read, change }: { read: Read; change: MarkChange }) {
  const [Icon, word] = SIGNS[change.what];
  const numbers = numberText(change);
  const lines = linesOf(read, change);
  return (
    <li>
      <button
        type="button"
        className={`change ${change.what}`}
        data-testid="change"
        title={t("Go there")}
        onClick={() => jumpToChange(change)}
      >
        <Icon size={14} aria-hidden="true" />
        <span>
          <b>{changeName(read, change)}</b> <span className="faint">{word}</span>
          {lines.map((line) => (
            <span key={line} className="line">
              {line}
            </span>
          ))}
        </span>
        {numbers && <span className="num">{numbers}</span>}
      </button>
    </li>
  );
}
