/** The lesions of all readers at the left: which are settled, in what they differ; the one that is looked at. */
import { CircleCheck, CircleDashed, GitMerge, TriangleAlert } from "lucide-react";
import { useStore } from "zustand";
import { goTo, settleAgreed } from "../../adjudication/deciding";
import { judging } from "../../adjudication/store";
import type { AdjudicatedLesion } from "../../api/adjudication";
import { firstKey } from "../../commands";
import { mayMark } from "../../store/room";
import { t, tn } from "../../words";
import { useRoom } from "../use";
import { Comparing } from "./Comparing";
import { useLabelName } from "./Differences";
import { differText } from "./words";

const SAYS: Record<AdjudicatedLesion["state"], string> = {
  open: t("open"),
  settled: t("settled"),
  lost: t("marks gone"),
};

function Sign({ lesion }: { lesion: AdjudicatedLesion }) {
  if (lesion.state === "settled") return <CircleCheck size={14} className="good" aria-hidden="true" />;
  if (lesion.state === "lost") return <TriangleAlert size={14} className="bad" aria-hidden="true" />;
  if (lesion.agree) return <CircleDashed size={14} className="faint" aria-hidden="true" />;
  return <GitMerge size={14} className="warn" aria-hidden="true" />;
}

function LabelName({ lesion }: { lesion: AdjudicatedLesion }) {
  return useLabelName(lesion);
}

export function Lesions() {
  const now = useStore(judging, (state) => state.now);
  const chosen = useStore(judging, (state) => state.lesion);
  const busy = useStore(judging, (state) => state.busy);
  const may = useRoom(mayMark);
  if (!now) return null;
  return (
    <section className="lesions" aria-label={t("Lesions")}>
      <header className="row railhead">
        <h2>{t("Lesions")}</h2>
        {!now.comparing && (
          <span className="end faint small" data-testid="settled">
            {t("{n} of {total} settled", { n: now.settled, total: now.total })}
          </span>
        )}
      </header>
      <ul data-testid="lesions">
        {now.lesions.map((lesion) => (
          <li key={lesion.number} className={lesion.number === chosen ? "sel" : ""}>
            <button
              type="button"
              aria-current={lesion.number === chosen ? "true" : undefined}
              data-testid={`lesion-${lesion.number}`}
              data-state={lesion.state}
              onClick={() => goTo(lesion.number)}
            >
              <Sign lesion={lesion} />
              <span>
                <b>L{lesion.number}</b> <LabelName lesion={lesion} />
                <span className="faint">{differText(lesion, now.readers)}</span>
              </span>
              <span className="faint">{SAYS[lesion.state]}</span>
            </button>
          </li>
        ))}
      </ul>
      {now.comparing && <Comparing comparing={now.comparing} />}
      {!now.comparing && !now.lesions.length && (
        <p className="small sub note">{t("No reader marked a lesion.")}</p>
      )}
      {may && now.agreeing > 0 && (
        <button
          type="button"
          className="btn s28 agreed"
          disabled={busy}
          data-testid="settle-agreed"
          title={t("As the server suggests: of readers who agree, what most of them marked")}
          onClick={() => void settleAgreed()}
        >
          {tn(now.agreeing, "Settle {n} in which readers agree", "Settle {n} in which readers agree")}
        </button>
      )}
      <p className="small faint note">
        {t("The reads stay as they were submitted. What you accept becomes the reference standard.")}{" "}
        {now.lesions.length > 1 &&
          t("{up} and {down} go through the list.", {
            up: firstKey("adjudication.before"),
            down: firstKey("adjudication.after"),
          })}
      </p>
    </section>
  );
}
