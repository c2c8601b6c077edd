/** Submit for the reader; accept or return for the reviewer. A button that is off says why. */
import { useState } from "react";
import { useStore } from "zustand";
import { moveOn } from "../ahead";
import { owedBy } from "../answering";
import { ServerError } from "../api/client";
import type { Reason } from "../api/review";
import type { Comment, Read } from "../api/types";
import { firstKey } from "../commands";
import type { Owed } from "../forms/missing";
import { client, journal, reread, sentenceOf } from "../session";
import { marks } from "../store/marks";
import { mayMark, type Room, room } from "../store/room";
import { t, tn } from "../words";
import { goToOwed, owedText } from "./missing";
import { REASONS } from "./review/words";
import { SubmitButton } from "./SubmitButton";
import { Unaided } from "./Unaided";
import { useRoom } from "./use";

/** Threads are open or settled as a whole. */
const isOpen = (comment: Comment): boolean => !comment.resolved && comment.reply_to === null;

/** Why a read can't be submitted yet; null when it can. */
export function whyNot(state: Room, missing: number): string | null {
  const { read, report, editing } = state;
  if (!read || !report) return t("The marks are still being fetched.");
  if (editing === "elsewhere") return t("You edit this read in another tab.");
  if (!read.you.may_submit) return t("This read is not open for submission.");
  if (state.past) return t("Go back to now first.");
  if (report.conflicts.length) return t("A conflict waits for your choice.");
  if (missing) return tn(missing, "{n} answer left", "{n} answers left");
  if (report.saving.kind !== "saved") return t("Your last edits are not saved yet.");
  const open = read.comments.filter(isOpen).length;
  if (open) return tn(open, "{n} comment not settled", "{n} comments not settled");
  return null;
}

export function LastStep() {
  const read = useRoom((state) => state.read);
  if (!read) return null;
  if (read.you.capacity === "fellow") return null;
  if (read.you.capacity !== "reader") return <Verdict read={read} />;
  return <Submit read={read} />;
}

function Submit({ read }: { read: Read }) {
  const now = useStore(marks);
  const missing = owedBy(read, now);
  const reason = useRoom((state) => whyNot(state, missing.length));
  const [problem, setProblem] = useState<string | null>(null);
  if (read.state === "submitted" || read.state === "accepted") {
    return (
      <div className="submit">
        {read.next ? (
          <a
            className="btn primary grow"
            href={read.next.url}
            data-testid="next-case"
            onClick={(event) => {
              // A click with a key held opens a tab of its own, as any link.
              if (event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
              event.preventDefault();
              moveOn();
            }}
          >
            {t("Next case")} <kbd>{firstKey("room.next-case")}</kbd>
          </a>
        ) : (
          <a className="btn grow" href={read.worklist_url}>
            {t("Back to the worklist")}
          </a>
        )}
      </div>
    );
  }
  const submit = async () => {
    try {
      await client.submit(journal.lastNumber);
      setProblem(null);
      await reread();
    } catch (error) {
      const missed = error instanceof ServerError && error.status === 409;
      setProblem(
        missed
          ? t("Not submitted. {why} The marks are being fetched again.", { why: sentenceOf(error) })
          : sentenceOf(error),
      );
      if (missed) await reread().catch(() => {});
    }
  };
  return (
    <div className="submit">
      <Unaided read={read} reason={reason} />
      <Missing read={read} missing={missing} />
      <SubmitButton title={t("Submit read")} reason={reason} submit={submit} />
      {reason && <span className="small sub why">{reason}</span>}
      {problem && <span className="small bad why">{problem}</span>}
    </div>
  );
}

const MISSING_SHOWN = 4;

/** What is missing, each a way there; the first few of many. */
function Missing({ read, missing }: { read: Read; missing: Owed[] }) {
  const may = useRoom(mayMark);
  const [all, setAll] = useState(false);
  if (!may || !missing.length) return null;
  const shown = all ? missing : missing.slice(0, MISSING_SHOWN);
  return (
    <ul className="missing" data-testid="missing">
      {shown.map((one) => (
        <li key={`${one.what}/${one.of}/${one.about}/${one.key}`}>
          <button type="button" className="linkish" title={t("Go there")} onClick={() => goToOwed(read, one)}>
            {owedText(read, one)}
          </button>
        </li>
      ))}
      {missing.length > shown.length && (
        <li>
          <button type="button" className="linkish" onClick={() => setAll(true)}>
            {t("and {n} more", { n: missing.length - shown.length })}
          </button>
        </li>
      )}
    </ul>
  );
}

function Verdict({ read }: { read: Read }) {
  const commented = read.comments.some(isOpen);
  const [returning, setReturning] = useState(false);
  const [text, setText] = useState("");
  const [reasons, setReasons] = useState<Reason[]>([]);
  const [sure, setSure] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const past = useRoom((state) => state.past);
  // Nobody judges what they don't see.
  if (past) return <div className="submit small sub">{t("Go back to now first.")}</div>;
  if (!read.you.may_judge) {
    const why =
      read.state === "accepted"
        ? t("This read is accepted.")
        : t("The read is with its reader. A verdict is possible once it is submitted.");
    return <div className="submit small sub">{why}</div>;
  }
  const judge = async (verdict: "accept" | "return") => {
    try {
      await client.review(verdict, read.round, text.trim(), verdict === "return" ? reasons : []);
      setProblem(null);
      setReturning(false);
      await reread();
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setSure(false);
  };
  const saysWhy = commented || text.trim() !== "" || reasons.some((reason) => reason !== "other");
  return (
    <div className="submit wrap">
      {returning && <Reasons chosen={reasons} choose={setReasons} />}
      {returning && (
        <textarea
          className="notebox"
          rows={3}
          aria-label={t("Why it goes back")}
          placeholder={
            commented ? t("More than your comments say, if you like") : t("What the reader should change")
          }
          value={text}
          data-testid="return-text"
          onChange={(event) => setText(event.target.value)}
        />
      )}
      {!returning && (
        <button
          type="button"
          className="btn primary grow"
          data-testid="accept"
          onClick={() => (sure ? void judge("accept") : setSure(true))}
        >
          {sure ? t("Accept: it is then final") : t("Accept")}
        </button>
      )}
      {sure && (
        <button type="button" className="btn quiet" onClick={() => setSure(false)}>
          {t("Not yet")}
        </button>
      )}
      {!sure && (
        <button
          type="button"
          className="btn grow"
          data-testid="return"
          disabled={returning && !saysWhy}
          onClick={() => (returning ? void judge("return") : setReturning(true))}
        >
          {returning ? t("Return to the reader") : t("Return…")}
        </button>
      )}
      {returning && (
        <button type="button" className="btn quiet" onClick={() => setReturning(false)}>
          {t("Cancel")}
        </button>
      )}
      {problem && <span className="small bad why">{problem}</span>}
    </div>
  );
}

/** What is wrong, to be ticked: counted over the project, and the first thing that the reader sees. */
function Reasons({ chosen, choose }: { chosen: Reason[]; choose(reasons: Reason[]): void }) {
  return (
    <fieldset className="returnfor">
      <legend>{t("Why it goes back: choose what applies")}</legend>
      {REASONS.map(([reason, word]) => (
        <label key={reason}>
          <input
            type="checkbox"
            checked={chosen.includes(reason)}
            data-testid={`reason-${reason}`}
            onChange={(event) =>
              choose(event.target.checked ? [...chosen, reason] : chosen.filter((one) => one !== reason))
            }
          />
          {word}
        </label>
      ))}
    </fieldset>
  );
}

export { room };
