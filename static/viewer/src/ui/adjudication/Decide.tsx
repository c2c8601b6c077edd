/** The last step of a lesion, and of the whole: accept and go on; submit once all are settled. */
import { Brush } from "lucide-react";
import { useEffect, useState } from "react";
import { useStore } from "zustand";
import { isChanged, lacks, nextOpen, votersOf } from "../../adjudication/choices";
import { accept, drawnFor, editResult, whyNotAccept } from "../../adjudication/deciding";
import { draftOf, isLooking, judging, lesionOf } from "../../adjudication/store";
import { ServerError } from "../../api/client";
import type { Read } from "../../api/types";
import { firstKey } from "../../commands";
import { client, journal, reread, sentenceOf } from "../../session";
import { marks } from "../../store/marks";
import { mayMark, type Room, room } from "../../store/room";
import { choose } from "../../tools";
import { t, tn } from "../../words";
import { SubmitButton } from "../SubmitButton";
import { useRoom } from "../use";
import { REASON_ID } from "./Result";

export function Decide({ read }: { read: Read }) {
  const state = useStore(judging);
  const may = useRoom(mayMark);
  const looking = useRoom(isLooking);
  useStore(marks, (all) => all.marks.size);
  const lesion = lesionOf(state);
  const [asked, setAsked] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was asked of one lesion is not asked of the next
  useEffect(() => setAsked(false), [lesion?.number, lesion?.version]);
  const { now } = state;
  if (!now)
    return <div className="submit small sub">{state.problem ?? t("Fetching the readers' marks.")}</div>;
  if (read.state === "accepted" || read.state === "submitted") return <Done read={read} />;
  if (now.comparing) return <div className="submit small sub">{t("Decide when the lesions are here.")}</div>;
  if (!may) return <div className="submit small sub">{t("This adjudication is not open for changes.")}</div>;
  if (!looking) {
    return (
      <div className="submit">
        <button
          type="button"
          className="btn primary grow"
          data-testid="stop-editing"
          onClick={() => {
            choose("window");
            room.setState({ selected: null });
          }}
        >
          {t("Done editing: compare again")} <kbd>{firstKey("tool.window")}</kbd>
        </button>
      </div>
    );
  }
  const isDone = now.settled === now.total;
  const change = lesion !== null && isChanged(lesion, draftOf(lesion, state), votersOf(lesion.options));
  const why = change ? whyNotAccept(state) : null;
  const next = nextOpen(now.lesions, lesion?.number ?? null);
  const press = () => {
    if (why === null) {
      setAsked(false);
      void accept();
      return;
    }
    setAsked(true);
    const missing = lesion && lacks(lesion, draftOf(lesion, state), drawnFor(lesion, state));
    const field =
      missing === "answers"
        ? document.querySelector<HTMLElement>(".ans select[data-open]")
        : missing === "reason"
          ? document.getElementById(REASON_ID)
          : null;
    field?.scrollIntoView({ block: "center" });
    field?.focus();
  };
  return (
    <div className="submit wrap">
      {lesion && draftOf(lesion, state).take?.take !== "absent" && (
        <button
          type="button"
          className="btn"
          data-testid="edit-result"
          title={`${t("Edit this result with the brush")} (${firstKey("adjudication.edit")})`}
          onClick={() => (why === null ? void editResult() : press())}
        >
          <Brush size={14} aria-hidden="true" />
          {t("Edit this result")}
        </button>
      )}
      {lesion && (change || !isDone) ? (
        <button
          type="button"
          className="btn primary grow"
          aria-disabled={why !== null}
          data-testid="accept-lesion"
          onClick={press}
        >
          {change
            ? next
              ? t("Accept L{n}, next is L{next}", { n: lesion.number, next: next.number })
              : t("Accept L{n}", { n: lesion.number })
            : t("Next is L{next}", { next: next?.number ?? "" })}{" "}
          <kbd>{firstKey("adjudication.accept")}</kbd>
        </button>
      ) : (
        <Submit read={read} />
      )}
      {why !== null && (asked || change) && lesion && <span className="small sub why full">{why}</span>}
      {state.problem && (
        <span className="small bad why full" role="alert" data-testid="decision-problem">
          {state.problem}
        </span>
      )}
    </div>
  );
}

/** Why the adjudication can't be submitted yet; null when it can. */
function whyNotYet({ read, report, past }: Room): string | null {
  if (!read?.you.may_submit) return t("This adjudication is not open for changes.");
  if (past) return t("Go back to now first.");
  if (report?.conflicts.length) return t("A conflict waits for your choice.");
  if (report?.saving.kind !== "saved") return t("Your last edits are not saved yet.");
  return null;
}

function Submit({ read }: { read: Read }) {
  const reason = useRoom(whyNotYet);
  const differing = useStore(judging, (state) => state.now?.lesions.length ?? 0);
  const [problem, setProblem] = useState<string | null>(null);
  const submit = async () => {
    try {
      await client.submit(journal.lastNumber);
      setProblem(null);
    } catch (error) {
      setProblem(sentenceOf(error));
      if (!(error instanceof ServerError && error.status === 409)) return;
    }
    await reread().catch(() => {});
  };
  return (
    <>
      <SubmitButton title={t("Submit the reference standard")} reason={reason} submit={submit} />
      <span className="small sub why full">
        {reason ??
          (read.adjudication && differing
            ? tn(differing, "{n} lesion is settled.", "All {n} lesions are settled.")
            : t("No lesion is left to settle."))}
      </span>
      {problem && (
        <span className="small bad why full" role="alert" data-testid="submit-problem">
          {problem}
        </span>
      )}
    </>
  );
}

function Done({ read }: { read: Read }) {
  return (
    <div className="submit wrap">
      <span className="small good full" data-testid="is-reference">
        {t("Submitted: this is the case's reference standard.")}
      </span>
      <a className="btn grow" href={read.worklist_url}>
        {t("Back to the worklist")}
      </a>
    </div>
  );
}
